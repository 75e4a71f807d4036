/** Events of webhooks with their resource as a model, in both packages. */
import { assert, describe, it } from "@effect/vitest"
import { WebhookEvent } from "@effect-gr4vy/api"
import { Webhooks } from "@effect-gr4vy/core"
import type * as Promised from "@effect-gr4vy/promise"
import { signWebhook, verifyWebhook, WebhookInvalid } from "@effect-gr4vy/promise"
import { DateTime, Effect, Predicate, Redacted } from "effect"
import { expectTypeOf } from "vitest"
import { exampleOf } from "../../packages/sandbox/dist/internal/example.js"

const secret = "test-secret"

const payloadOf = (name: string, target: unknown) =>
  JSON.stringify({
    type: "event",
    id: "e1",
    name,
    created_at: "2026-01-01T00:00:00Z",
    merchant_account_id: "default",
    target
  })

const verified = (payload: string) =>
  Effect.promise(async () => {
    const headers = await signWebhook({ payload, secret })
    return verifyWebhook({ payload, headers, secret }).catch((error: unknown) => error)
  })

const decoded = (payload: string) =>
  Effect.gen(function* () {
    const headers = yield* Webhooks.sign({ payload, secret: Redacted.make(secret) })
    const event = yield* Webhooks.verify({ payload, headers, secret: Redacted.make(secret) })
    return yield* WebhookEvent.decode(event)
  })

const plain = (value: unknown): unknown => {
  if (DateTime.isDateTime(value)) return new Date(DateTime.toEpochMillis(value))
  if (Redacted.isRedacted(value)) return Redacted.value(value)
  if (Array.isArray(value)) return value.map(plain)
  if (!Predicate.isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]))
}

describe("a webhook's event", () => {
  it.live("has the model of its resource, for each of the 51 names, in both packages alike", () =>
    Effect.gen(function* () {
      assert.lengthOf(new Set(WebhookEvent.names), 51)
      const examples = new Map<unknown, unknown>()
      for (const name of WebhookEvent.names) {
        const schema = WebhookEvent.schemaOf(name)
        if (schema !== undefined && !examples.has(schema)) examples.set(schema, exampleOf(schema))
        assert.strictEqual(schema === undefined, name.startsWith("monitoring."), name)
        const wire = schema === undefined ? { incident_id: "i1" } : examples.get(schema)
        const payload = payloadOf(name, wire)
        const event = yield* decoded(payload)
        assert.strictEqual(event.name, name)
        assert.deepStrictEqual(yield* verified(payload), plain(event), name)
        if (schema !== undefined) assert.notProperty(event.target, "created_at", name)
      }
    })
  )

  it.live("with an unknown name has what the API sent", () =>
    Effect.gen(function* () {
      const target = { id: "x1", some_property: [1, null] }
      for (const name of ["transaction.invented", "invented", "buyer", "constructor.name"]) {
        const payload = payloadOf(name, target)
        assert.deepInclude(yield* decoded(payload), { isKnown: false, name, target })
        assert.deepInclude(yield* verified(payload), { isKnown: false, name, target })
      }
    })
  )

  it.live("whose resource is not as described is refused, and the message names the property", () =>
    Effect.gen(function* () {
      const wire = Object(exampleOf(WebhookEvent.schemaOf("transaction.captured") ?? assert.fail()))
      const payload = payloadOf("transaction.captured", { ...wire, amount: "a lot of money" })
      const error = yield* Effect.flip(decoded(payload))
      assert.strictEqual(error.check, "Payload")
      assert.match(error.message, /target\.amount must be/)
      assert.notInclude(error.message, "a lot of money")
      const rejected = yield* verified(payload)
      assert.instanceOf(rejected, WebhookInvalid)
      assert.deepInclude(rejected, { check: "Payload", message: error.message })
    })
  )

  it("is a union by its name, in both packages", () => {
    const amountOf = (event: Promised.WebhookEvent): number | undefined => {
      if (event.isKnown && event.name === "transaction.captured") {
        expectTypeOf(event.target).toEqualTypeOf<Promised.Api.Transaction>()
        return event.target.capturedAmount
      }
      if (event.isKnown && event.name === "buyer.deleted")
        expectTypeOf(event.target).toEqualTypeOf<Promised.Api.Buyer>()
      return undefined
    }
    const ofEffect = (event: WebhookEvent.WebhookEvent): string | undefined =>
      event.isKnown && event.name === "refund.failed" ? event.target.id : undefined
    expectTypeOf<Promised.WebhookEventName>().toEqualTypeOf<WebhookEvent.Name>()
    expectTypeOf<keyof Promised.WebhookTargets>().toEqualTypeOf<keyof WebhookEvent.Targets>()
    assert.isFunction(amountOf)
    assert.isFunction(ofEffect)
  })
})
