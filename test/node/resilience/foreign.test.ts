/**
 * The pipeline over clients of others keeps the same promises.
 */
import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId } from "@effect-gr4vy/core"
import { RetryPolicy } from "@effect-gr4vy/node"
import { Effect, type Layer, Redacted } from "effect"
import { faultServer, type Scenario, scenarioNames } from "../../support/FaultServer.js"
import { type Expected, late, lost, settles, table } from "../../support/faultTable.js"
import { pipeline, plain } from "../../support/foreign.js"
import { millisToClose, soon, until } from "../../support/interrupting.js"
import * as Script from "../../support/script.js"
import { allClean, shown, token, update } from "../../support/sinks.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

interface Client {
  readonly name: string
  readonly layer: Layer.Layer<HttpClient.HttpClient>
  /** Where it tells less of a failure than the pipeline's own transport. */
  readonly coarser?: Readonly<Partial<Record<Scenario, Expected>>>
}

const clients: ReadonlyArray<Client> = [
  { name: "fetch", layer: FetchHttpClient.layer },
  { name: "undici", layer: NodeHttpClient.layerUndici },
  {
    name: "node:http",
    layer: NodeHttpClient.layer,
    // It reports the parser's error to nobody once a body has begun.
    coarser: { "a malformed chunk": lost }
  }
]

const prompt = scenarioNames.filter((name) => table[name] !== late)

const retry = RetryPolicy.make({ baseDelay: 1 })
const mebibyte = 1024 * 1024

/** A session in this many bytes, in chunks that do not tell how many will come. */
const padded =
  (bytes: number): Script.Answer =>
  (_, response) => {
    response.writeHead(200, { "content-type": "application/json" })
    response.write(Script.sessionJson)
    response.end(" ".repeat(bytes - Script.sessionJson.length))
  }

describe.each(clients.map((client) => [client.name, client] as const))("over %s", (_, client) => {
  describe("whatever the server does, a call settles with the right outcome and shows no secret", () => {
    const settled = (scenario: Scenario) =>
      Effect.map(
        settles(scenario, pipeline(client.layer), client.coarser?.[scenario] ?? table[scenario]),
        (failures) => {
          for (const [where, cause] of failures) allClean(where, shown(cause))
        }
      )
    it.live.each(prompt)("%s", settled)
    describe("by the time it has", { concurrent: true }, () => {
      it.live.each(scenarioNames.filter((name) => table[name] === late))("%s", settled)
    })
  })

  it.live("a refused connection carried nothing, so a POST is retried", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Effect.scoped(Script.script(Script.session))
      const sessions = yield* pipeline(client.layer)({ baseUrl, token: Redacted.make(token), retry })
      const error = yield* Effect.flip(sessions.add())
      assert.deepInclude(error, { reason: "Connect", delivered: "no", attempts: 3 })
    }).pipe(Effect.scoped)
  )

  it.live.each([301, 302, 303, 307, 308])("a %i sends neither the token nor the card anywhere else", (status) =>
    Effect.gen(function* () {
      const elsewhere = yield* Script.script(Script.session)
      const server = yield* Script.script(Script.status(status, { location: `${elsewhere.baseUrl}/checkout/sessions` }))
      const sessions = yield* pipeline(client.layer)({ baseUrl: server.baseUrl, token: Redacted.make(token) })
      const error = yield* Effect.flip(sessions.updateFields(id, update))
      assert.deepInclude(error, { _tag: "Generic", status })
      assert.lengthOf(server.requests, 1)
      assert.lengthOf(elsewhere.requests, 0)
    }).pipe(Effect.scoped)
  )

  it.live("a response may have 1 MiB, and not a byte more", () =>
    Effect.gen(function* () {
      const server = yield* Script.script(padded(mebibyte), padded(mebibyte + 1))
      const sessions = yield* pipeline(client.layer)({ baseUrl: server.baseUrl, token: Redacted.make(token) })
      assert.strictEqual((yield* sessions.get(id)).id, id)
      assert.deepInclude(yield* Effect.flip(sessions.get(id)), { reason: "ResponseTooLarge", delivered: "yes" })
    }).pipe(Effect.scoped)
  )

  it.live.each(["a body over the cap, declared", "a body over the cap, undeclared"] as const)(
    "a response that is not read to its end does not keep its connection: %s",
    (scenario) =>
      Effect.gen(function* () {
        const server = yield* faultServer(scenario)
        const sessions = yield* pipeline(client.layer)({ baseUrl: server.baseUrl, token: Redacted.make(token) })
        yield* Effect.flip(sessions.get(id))
        yield* until(() => server.open() === 0)
      }).pipe(Effect.scoped)
  )

  it.live.each(["no answer at all", "a body that stalls", "a byte every 50 ms"] as const)(
    "interrupting a call closes its socket at once: %s",
    (scenario) =>
      Effect.gen(function* () {
        const server = yield* faultServer(scenario)
        const sessions = yield* pipeline(client.layer)({ baseUrl: server.baseUrl, token: Redacted.make(token) })
        const fiber = yield* Effect.fork(sessions.add())
        yield* until(() => server.requests() === 1)
        assert.isBelow(yield* millisToClose(fiber, () => server.open() === 0), soon)
        assert.strictEqual(server.requests(), 1)
      }).pipe(Effect.scoped)
  )
})

describe("core's plain layer over fetch has the same outcomes, with one request per call and without limits", () => {
  const limited: ReadonlyArray<Scenario> = [
    "a gzipped body",
    "a body over the cap, declared",
    "a body over the cap, undeclared"
  ]
  it.live.each(prompt.filter((name) => !limited.includes(name)))("%s", (scenario) =>
    Effect.map(settles(scenario, plain(FetchHttpClient.layer), { ...table[scenario], wire: 1 }), (failures) => {
      for (const [where, cause] of failures) allClean(where, shown(cause))
    })
  )
})
