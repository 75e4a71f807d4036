/** Today's description of the API, read by a tool that knows nothing of ours: requests keep it, responses are read. */
import { assert, describe, it } from "@effect/vitest"
import {
  CheckoutSessionCreate,
  CheckoutSessionId,
  CheckoutSessionSecureFieldsUpdate,
  CheckoutSessions,
  CheckoutSessionUpdate
} from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Arbitrary, Effect, FastCheck, Layer, Redacted } from "effect"
import { card } from "../support/cards.js"
import { prism } from "../support/prism.js"

const id = CheckoutSessionId.make("8724fd24-5489-4a5d-90fd-0604df7d3b83")

const sample = <A>(arbitrary: FastCheck.Arbitrary<A>, count: number) =>
  FastCheck.sample(arbitrary, { numRuns: count, seed: 4711 })

/** The sessions' client over Prism, and what Prism saw. */
const withPrism = <A, E>(
  f: (sessions: CheckoutSessions["Type"], described: Effect.Effect.Success<typeof prism>) => Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    const described = yield* prism
    const layer = Gr4vy.layerWithoutTransport({
      baseUrl: "https://api.prism.invalid",
      token: Redacted.make("any"),
      merchantAccountId: "default",
      retry: RetryPolicy.none
    }).pipe(Layer.provide(described.layer))
    return yield* Effect.provide(
      Effect.flatMap(CheckoutSessions, (sessions) => f(sessions, described)),
      layer
    )
  })

const accepted = ({ calls }: Effect.Effect.Success<typeof prism>, count: number) => {
  for (const { request, violations } of calls) assert.deepStrictEqual([request, violations], [request, []])
  assert.strictEqual(calls.length, count)
}

describe("over today's description of the API", () => {
  it.live("every session that can be created or changed is a valid request", () =>
    withPrism((sessions, described) =>
      Effect.gen(function* () {
        const creates = sample(Arbitrary.make(CheckoutSessionCreate), 20)
        const updates = sample(Arbitrary.make(CheckoutSessionUpdate), 20)
        yield* sessions.add()
        yield* Effect.forEach(creates, (session) => sessions.add(session))
        // The made-up response is of another session, which an update refuses: its request is what counts here.
        yield* Effect.forEach(updates, (session) => Effect.either(sessions.update(id, session)))
        accepted(described, 41)
      })
    )
  )

  it.live("every payment method of today, read and delete are valid requests", () =>
    withPrism((sessions, described) =>
      Effect.gen(function* () {
        const updates = sample(
          Arbitrary.make(CheckoutSessionSecureFieldsUpdate).filter(({ paymentMethod }) => paymentMethod !== undefined),
          20
        )
        for (const { paymentMethod, ...rest } of updates) {
          if (paymentMethod === undefined) continue
          if (paymentMethod.method !== "card") yield* sessions.updateFields(id, { paymentMethod, ...rest })
          else {
            // Today's card knows no other properties.
            const { expirationDate, method, number, securityCode } = paymentMethod
            yield* sessions.updateFields(id, {
              paymentMethod: { method, number, expirationDate, securityCode },
              ...rest
            })
          }
        }
        yield* Effect.either(sessions.get(id))
        yield* sessions.delete(id)
        accepted(described, updates.length + 2)
        // A card of the first contract shows that Prism looks.
        yield* Effect.either(
          sessions.updateFields(id, { paymentMethod: { ...card(), redirectUrl: "https://a.example" } })
        )
        assert.isAbove(described.calls.at(-1)?.violations.length ?? 0, 0)
      })
    )
  )

  it.live("every generated session is decoded, also if it breaks the description's own patterns", () =>
    withPrism((sessions, { calls }) =>
      Effect.gen(function* () {
        const read = yield* Effect.replicateEffect(sessions.add(), 60)
        const full = read.filter(({ buyer, cartItems, paymentMethod }) => buyer && cartItems && paymentMethod)
        assert.isAbove(full.length, 0)
        for (const [index, { id }] of read.entries()) assert.propertyVal(calls[index]?.body, "id", id)
      })
    )
  )

  for (const [status, tag] of [
    [400, "Generic"],
    [401, "Unauthorized"],
    [403, "Generic"],
    [404, "NotFound"],
    [405, "Generic"],
    [409, "Generic"],
    [425, "Generic"],
    [429, "Generic"],
    [500, "Generic"],
    [502, "Generic"],
    [504, "Generic"]
  ] as const) {
    it.live(`a generated ${status} is decoded as ${tag}, with the API's own code`, () =>
      withPrism((sessions, { calls, next }) =>
        Effect.gen(function* () {
          next.status = status
          for (const [call, expected] of [
            // A 404 to what names no session is none that an `add` declares.
            [Effect.asVoid(sessions.add()), tag === "NotFound" ? "Generic" : tag],
            [Effect.asVoid(sessions.get(id)), tag],
            [Effect.asVoid(sessions.update(id, {})), tag],
            [Effect.asVoid(sessions.delete(id)), tag]
          ] as const) {
            const error = yield* Effect.flip(call)
            assert.strictEqual(error._tag, expected)
            assert(error._tag !== "RequestFailed")
            assert.strictEqual(error.status, status)
            const body = calls.at(-1)?.body
            assert(typeof body === "object" && body !== null && "code" in body)
            assert.strictEqual(error.code ?? "", body.code)
          }
        })
      )
    )
  }
})
