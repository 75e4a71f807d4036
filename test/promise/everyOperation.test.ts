/** Every operation of the promise client against the same operation of the Effect client: one request, one result. */
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, it } from "@effect/vitest"
import * as Api from "@effect-gr4vy/api"
import { Endpoint, Gr4vyHttpClient } from "@effect-gr4vy/core"
import { listOf } from "@effect-gr4vy/core/spi/Serving"
import { Gr4vy } from "@effect-gr4vy/node"
import { type Client, create } from "@effect-gr4vy/promise"
import { Arbitrary, Context, DateTime, Effect, FastCheck, Layer, Predicate, Redacted, type Schema } from "effect"
import { exampleOf } from "../../packages/sandbox/dist/internal/example.js"

const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"

interface Seen {
  readonly line: string
  readonly key: unknown
  readonly body: string
}

/** Answers every request with one body, and keeps what was asked. */
const serving = Effect.acquireRelease(
  Effect.async<{ readonly baseUrl: string; readonly seen: Array<Seen>; answer: string; close: () => void }>(
    (resume) => {
      const seen: Array<Seen> = []
      const server = createServer((request: IncomingMessage, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => {
          seen.push({
            line: `${request.method} ${request.url}`,
            key: request.headers["idempotency-key"],
            body: Buffer.concat(chunks).toString()
          })
          response.writeHead(host.answer === "" ? 204 : 200, { "content-type": "application/json" }).end(host.answer)
        })
      })
      const host = { seen, answer: "", baseUrl: "", close: () => void server.close() }
      server.listen(0, "127.0.0.1", () => {
        host.baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        resume(Effect.succeed(host))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

/** What a value is without Effect. */
const plain = (value: unknown): unknown => {
  if (DateTime.isDateTime(value)) return new Date(DateTime.toEpochMillis(value))
  if (Redacted.isRedacted(value)) return Redacted.value(value)
  if (Array.isArray(value)) return value.map(plain)
  if (!Predicate.isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]))
}

const samples = (schema: Schema.Schema.AnyNoContext): ReadonlyArray<unknown> =>
  FastCheck.sample(Arbitrary.make(schema), { numRuns: 2, seed: 1 }).map(withoutLostAmount)

/** An amount that is there and `undefined` is refused by the promise client alone. */
const withoutLostAmount = (value: unknown): unknown => {
  if (!Predicate.hasProperty(value, "amount") || value.amount !== undefined) return value
  const { amount: _, ...others } = value
  return others
}

const lowerFirst = (name: string) => `${name.charAt(0).toLowerCase()}${name.slice(1)}`

const resources = Object.entries(Api).flatMap(([name, value]) =>
  Predicate.hasProperty(value, "endpoints") && name !== "CheckoutSessions"
    ? listOf(value.endpoints as Endpoint.Endpoints).map((each) => ({ ...each, resource: lowerFirst(name) }))
    : []
)

type Call = (...args: ReadonlyArray<unknown>) => Promise<unknown>

const functionOf = (client: Client, path: ReadonlyArray<string>) =>
  path.reduce<unknown>((at, name) => Reflect.get(Object(at), name), client) as Call

it.scopedLive(
  "every operation sends the request of the Effect client and resolves to its result, as plain values",
  () =>
    Effect.gen(function* () {
      const host = yield* serving
      const client = yield* Effect.acquireRelease(
        Effect.promise(() => create({ baseUrl: host.baseUrl, token: "any", retry: "none" })),
        ({ close }) => Effect.promise(close)
      )
      const layer = Gr4vy.layerClient({ baseUrl: host.baseUrl, token: Redacted.make("any") })
      const http = Context.get(yield* Layer.build(layer), Gr4vyHttpClient)
      let compared = 0
      for (const { endpoint, path, resource } of resources) {
        const name = [resource, ...path].join(".")
        const { params, payload, query, resend, success } = endpoint
        const names = Object.keys(params)
        host.answer = success === undefined ? "" : JSON.stringify(exampleOf(success))
        const bodies = payload === undefined ? [undefined] : samples(payload)
        const queries = query === undefined ? [undefined] : samples(query)
        for (const [index, body] of bodies.entries()) {
          const given = [
            ...(names.length === 0
              ? []
              : [names.length === 1 ? id : Object.fromEntries(names.map((each) => [each, id]))]),
            ...(payload === undefined ? [] : [body]),
            ...(query === undefined ? [] : [queries[index % queries.length]]),
            resend === "keyed" ? { idempotencyKey: "order-1001/1" } : {}
          ]
          host.seen.length = 0
          const send = Endpoint.clientOf({ send: { ...endpoint, belongs: undefined } }, http).send as (
            ...args: ReadonlyArray<unknown>
          ) => Effect.Effect<unknown, { readonly message: string }>
          const expected = yield* Effect.either(send(...given))
          const answer = yield* Effect.promise(() =>
            functionOf(client, [resource, ...path])(...given.map(plain)).then(
              (right) => ({ right }),
              (error: Error) => ({ error: error.message })
            )
          )
          const [one, other] = host.seen
          assert.isDefined(one, `${name}: ${expected._tag === "Left" ? expected.left.message : ""}`)
          assert.deepStrictEqual(other, one, `${name}: ${JSON.stringify(answer).slice(0, 300)}`)
          if ("error" in answer) assert.match(answer.error, /belong|another/, name)
          else if (expected._tag === "Right") assert.deepStrictEqual(answer.right, plain(expected.right), name)
          compared++
        }
      }
      assert.isAbove(compared, 126)
    }),
  120_000
)
