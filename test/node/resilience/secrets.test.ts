/**
 * No secret in any sink, on any path of failure.
 */
import { inspect } from "node:util"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  CardRequest,
  CheckoutSessionId,
  type CheckoutSessionSecureFieldsUpdate,
  CheckoutSessions,
  type CheckoutSessionsService,
  Credentials
} from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer, RetryPolicy } from "@effect-gr4vy/node"
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Cause, Effect, Exit, Layer, Redacted, Schema } from "effect"
import { faultServer, scenarioNames } from "../../support/FaultServer.js"
import * as Script from "../../support/script.js"
import { unregister } from "../../support/setUps.js"
import { allClean, clean, code, grouped, number, sinks, token, update } from "../../support/sinks.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const fill = (sessions: CheckoutSessionsService) => sessions.updateFields(id, update)

const forced = (card: object) => (sessions: CheckoutSessionsService) =>
  // What plain JavaScript could pass.
  sessions.updateFields(id, {
    paymentMethod: { ...update.paymentMethod, ...card }
  } as CheckoutSessionSecureFieldsUpdate)

/** Runs a call that fails under a real OpenTelemetry SDK, and looks into every sink. */
const scan = (where: string, program: Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const exporter = new InMemorySpanExporter()
    new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()
    const exit = yield* Effect.exit(Effect.provide(program, OtelTracer.layer))
    unregister()
    if (Exit.isSuccess(exit)) return assert.fail(`${where}: did not fail`)
    allClean(where, yield* sinks(exit.cause))
    const spans = exporter
      .getFinishedSpans()
      .map(({ attributes, events, name, status }) => ({ attributes, events, name, status }))
    clean(`${where} → spans`, inspect(spans, { depth: null }))
  })

const echo = `You sent Bearer ${token} and ${number} (${grouped}), ${code}`
const apiError = JSON.stringify({
  type: "error",
  code: `bad_${number}`,
  message: echo,
  details: [{ location: "body", pointer: `/payment_method/${number}`, message: echo }]
})
const validation = JSON.stringify({ detail: [{ loc: ["body", number], msg: echo, type: echo }] })
const says =
  (status: number, body: string): Script.Answer =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(body)

const quick = { attemptTimeout: 200, deadline: 400, retry: RetryPolicy.make({ baseDelay: 1 }) } as const

const against = (baseUrl: string, call: (sessions: CheckoutSessionsService) => Effect.Effect<unknown, unknown>) =>
  Effect.scoped(Effect.flatMap(Gr4vy.make({ baseUrl, token: Redacted.make(token), ...quick }), call))

describe("no secret is shown", () => {
  const cards: Readonly<Record<string, object>> = {
    "a letter in the number": { number: Redacted.make(`${number}x`) },
    "a grouped number": { number: Redacted.make(grouped) },
    "the number in the expiry": { expirationDate: number },
    "the number as the code": { securityCode: Redacted.make(number) },
    "the number as the buyer's id": { buyerId: number },
    "a number that is not Redacted": { number },
    "a number that is a number": { number: Number(number) },
    "the number as the method": { method: number },
    "an unknown property": { [number]: number },
    "both buyers": { buyerId: "fe26475d-ec3e-4884-9553-f7356683f7f9", buyerExternalIdentifier: number }
  }

  it.live.each(Object.keys(cards))("of a card with %s", (name) =>
    Effect.gen(function* () {
      const card = cards[name] ?? {}
      yield* scan(name, against("http://127.0.0.1:9", forced(card)))
      const wire = { method: "card", number, expiration_date: "11/29", security_code: code, ...card }
      const message = yield* Schema.decodeUnknown(CardRequest)({ ...wire, number: `${number}x` }).pipe(
        Effect.flip,
        Effect.map(String)
      )
      clean(`${name} → Schema's own message`, message)
    })
  )

  it.live.each(scenarioNames.filter((name) => name !== "a whole answer" && name !== "early hints before the answer"))(
    "when the server does this: %s",
    (scenario) =>
      Effect.gen(function* () {
        const server = yield* faultServer(scenario)
        yield* scan(scenario, against(server.baseUrl, fill))
      }).pipe(Effect.scoped)
  )

  it.live.each([400, 401, 403, 404, 409, 422, 429, 500, 200] as const)(
    "when the API echoes the request, with %i",
    (status) =>
      Effect.forEach([apiError, validation, echo], (body) =>
        Effect.gen(function* () {
          const server = yield* Script.script(says(status, body))
          yield* scan(`echo with ${status}`, against(server.baseUrl, fill))
        }).pipe(Effect.scoped)
      )
  )

  it.live("when the connection is refused, or the transport is another", () =>
    Effect.gen(function* () {
      yield* scan("refused", against("http://127.0.0.1:9", fill))
      const bad = Redacted.make(`${token}\n`)
      yield* scan(
        "a token with a line break",
        Effect.scoped(Effect.flatMap(Gr4vy.make({ baseUrl: "http://127.0.0.1:9", token: bad }), fill))
      )
      const foreign = Gr4vy.layerWithoutTransport({
        baseUrl: "http://127.0.0.1:9",
        token: Redacted.make(token),
        ...quick
      })
      yield* scan(
        "fetch",
        Effect.flatMap(CheckoutSessions, fill).pipe(Effect.provide(Layer.provide(foreign, FetchHttpClient.layer)))
      )
    })
  )

  const sources: ReadonlyArray<readonly [string, Effect.Effect<never, unknown>]> = [
    ["fails", Effect.fail(new Error(`no token but ${token}`))],
    ["fails with a text", Effect.fail(token)],
    ["dies", Effect.die(new Error(token))],
    ["hangs", Effect.never]
  ]

  it.live.each(sources)("when the source of tokens %s", ([name, get]) =>
    scan(
      `source: ${name}`,
      Effect.flatMap(CheckoutSessions, fill).pipe(
        Effect.provide(
          Layer.provide(
            Gr4vy.layerWithoutCredentials({ baseUrl: "http://127.0.0.1:9", ...quick }),
            Credentials.layerSource({ get })
          )
        )
      )
    )
  )

  it.live("by the objects a program holds", () =>
    Effect.gen(function* () {
      const sessions = yield* Gr4vy.make({ baseUrl: "http://127.0.0.1:9", token: Redacted.make(token) })
      clean("the service", inspect(sessions, { depth: null, showHidden: true }))
      clean("the update", `${inspect(update, { depth: null, showHidden: true })} ${JSON.stringify(update)}`)
    }).pipe(Effect.scoped)
  )

  it.live("and the scan finds a planted one", () =>
    Effect.gen(function* () {
      const shown = yield* sinks(Cause.fail(new Error(`leak ${number}`)))
      assert.isTrue(shown.some(([, text]) => text.includes(number)))
    })
  )
})
