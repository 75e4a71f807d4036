/** The description of the whole API, read by a tool that knows nothing of ours: requests keep it, responses are read. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Credentials, Endpoint, Gr4vyHttpClient } from "@effect-gr4vy/core"
import { Effect, Either, Layer, Predicate, Redacted } from "effect"
import { wholeApi } from "../support/prism.js"
import { argumentsOf, operations } from "../support/wholeApi.js"

interface Described {
  readonly paths: Record<
    string,
    Record<
      string,
      {
        readonly operationId: string
        readonly parameters?: ReadonlyArray<{
          readonly name: string
          readonly schema: { readonly anyOf?: ReadonlyArray<{ readonly type?: string }> }
        }>
      }
    >
  >
}

const description: Described = JSON.parse(
  readFileSync(new URL("../../packages/api/openapi.json", import.meta.url), "utf8")
)

/** The parameters of an operation that are lists. */
const listsOf = (id: string) => {
  const parameters = Object.values(description.paths)
    .flatMap((methods) => Object.values(methods))
    .find(({ operationId }) => operationId === id)?.parameters
  return new Set(
    parameters?.filter(({ schema }) => schema.anyOf?.some(({ type }) => type === "array")).map(({ name }) => name)
  )
}

const withPrism = <A, E>(
  f: (described: Effect.Effect.Success<typeof wholeApi>) => Effect.Effect<A, E, Gr4vyHttpClient>
) =>
  Effect.gen(function* () {
    const described = yield* wholeApi
    const layer = Gr4vyHttpClient.layer({ baseUrl: "https://api.prism.invalid", merchantAccountId: "default" }).pipe(
      Layer.provide(Credentials.layerToken(Redacted.make("any"))),
      Layer.provide(described.layer)
    )
    return yield* Effect.provide(f(described), layer)
  })

/** Calls an endpoint with arguments of any shape. */
const callOf = (endpoint: Endpoint.Any, args: ReadonlyArray<unknown>) =>
  Effect.gen(function* () {
    const { call } = yield* Endpoint.client({ call: endpoint })
    // The arguments are made from the endpoint's own schemas.
    const send = call as unknown as (
      ...args: ReadonlyArray<unknown>
    ) => Effect.Effect<unknown, { readonly message: string }>
    return yield* Effect.either(send(...args))
  })

/** The id that an answer is held against: its own, or that of the transaction inside it, or around it. */
const idOf = ({ path }: Endpoint.Any, body: unknown): string | undefined => {
  if (!Predicate.isRecord(body)) return undefined
  const { id, transaction, transaction_id } = body
  const inner = Predicate.isRecord(transaction) ? transaction["id"] : transaction_id
  return [path.endsWith("}") ? undefined : inner, id].find(Predicate.isString)
}

/** More seeds make up more of what a request and a response may be: `SEEDS=8 npx vitest run test/api/prism.test.ts`. */
const seeds = Array.from({ length: Number(process.env["SEEDS"] ?? 1) }, (_, index) => index + 1)

const isUuid = (id: string | undefined): boolean => id !== undefined && /^[0-9a-f-]{36}$/i.test(id)

describe("over the description of the whole API", () => {
  it("every public operation is an endpoint, and those of webhook subscriptions are", () => {
    const described = Object.entries(description.paths).flatMap(([path, methods]) =>
      path.startsWith("/checkout/") ? [] : Object.values(methods).map(({ operationId }) => operationId)
    )
    assert.deepStrictEqual(operations.map(({ id }) => id).sort(), described.sort())
    assert.strictEqual(operations.length, 122)
  })

  for (const { id, endpoint } of operations) {
    it.live(`${id} sends valid requests, and reads made-up and static responses`, () =>
      withPrism(({ calls, next }) =>
        Effect.gen(function* () {
          next.lists = listsOf(id)
          for (const dynamic of [false, true]) {
            for (const seed of seeds) {
              Object.assign(next, { dynamic, seed })
              const first = yield* callOf(endpoint, argumentsOf(endpoint, seed))
              const made = calls.at(-1)
              assert(made !== undefined, Either.isLeft(first) ? first.left.message : "")
              assert.deepStrictEqual([made.request, made.violations], [made.request, []])
              if (
                Either.isLeft(first) &&
                idOf(endpoint, made.body) !== undefined &&
                !isUuid(idOf(endpoint, made.body))
              ) {
                // It is read, and told apart from what was asked for. No request has this id.
                assert.include(first.left.message, "of another request")
                continue
              }
              // The made-up response is of another resource; the same seed makes up the same.
              Object.assign(next, { dynamic, seed })
              const outcome = Either.isRight(first)
                ? first
                : yield* callOf(endpoint, argumentsOf(endpoint, seed, idOf(endpoint, made.body)))
              assert(
                Either.isRight(outcome),
                Either.isLeft(outcome) ? `${outcome.left.message} ${JSON.stringify(made.body).slice(0, 1500)}` : ""
              )
            }
          }
        })
      )
    )
  }
})
