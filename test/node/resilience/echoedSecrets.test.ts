/**
 * A server says back what it got, in every spelling; the error of the call shows none of it.
 */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import {
  CheckoutSessionId,
  CheckoutSessions,
  type CheckoutSessionsService,
  Endpoint,
  type Gr4vyHttpClient
} from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Cause, Effect, Exit, List, Redacted, Schema } from "effect"
import * as Script from "../../support/script.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const number = "4929000000006123"
const code = "8362"

type Spell = (text: string) => string
const asIs: Spell = (text) => text

/** Says back the path, the query and the body. */
const echo =
  (spell: Spell = asIs, status = 422): Script.Answer =>
  (request, response) => {
    let body = ""
    request.on("data", (chunk) => {
      body += chunk
    })
    request.on("end", () => {
      const message = `You sent ${spell(request.url ?? "")} with ${spell(body)}`
      const error = { type: "error", code: "bad_request", message, details: [{ pointer: "/x", message: spell(body) }] }
      response.writeHead(status, { "content-type": "application/json", "x-request-id": spell(code) })
      response.end(JSON.stringify(error))
    })
  }

/** All that the failure of a call shows of itself. */
const shownBy = <E>(
  answer: Script.Answer,
  call: Effect.Effect<unknown, E, CheckoutSessions | Gr4vyHttpClient>,
  meanwhile: () => void = () => {}
) =>
  Effect.gen(function* () {
    const { baseUrl } = yield* Script.script((request, response) => {
      meanwhile()
      answer(request, response)
    })
    const exit = yield* Effect.exit(
      Effect.provide(
        call,
        Gr4vy.layer({ baseUrl, token: Redacted.make("a-token-of-the-merchant"), retry: RetryPolicy.none })
      )
    )
    if (Exit.isSuccess(exit)) return assert.fail("did not fail")
    const error = Cause.squash(exit.cause)
    assert.match(String(Reflect.get(Object(error), "_tag")), /^(Generic|Refused)$/)
    return [
      String(error),
      JSON.stringify(error),
      inspect(error, { depth: null, showHidden: true, customInspect: false }),
      Cause.pretty(exit.cause, { renderErrorCause: true })
    ].join("\n")
  })

const fill = (call: (sessions: CheckoutSessionsService) => Effect.Effect<unknown, unknown>) =>
  Effect.flatMap(CheckoutSessions, call)

const cardOf = (secrets: { readonly number: Redacted.Redacted<string>; readonly code: Redacted.Redacted<string> }) => ({
  method: "card" as const,
  expirationDate: "11/39",
  number: secrets.number,
  securityCode: secrets.code
})

const hides = (text: string, ...secrets: ReadonlyArray<string>) => {
  for (const secret of secrets) assert.notInclude(text, secret)
}

describe("a card that is said back", () => {
  it.scopedLive("stays hidden if it has accessors, as MobX and Vue make them", () =>
    Effect.gen(function* () {
      const card = {}
      for (const [name, value] of Object.entries(
        cardOf({ number: Redacted.make(number), code: Redacted.make(code) })
      )) {
        Object.defineProperty(card, name, { enumerable: true, configurable: true, get: () => value })
      }
      const text = yield* shownBy(
        echo(),
        fill((sessions) => sessions.updateFields(id, { paymentMethod: card as ReturnType<typeof cardOf> }))
      )
      assert.include(text, "You sent /checkout/sessions/")
      hides(text, number, code)
    })
  )

  it.scopedLive("stays hidden if each reading of it makes another Redacted", () =>
    Effect.gen(function* () {
      const card = {
        method: "card" as const,
        expirationDate: "11/39",
        get number() {
          return Redacted.make(number)
        },
        get securityCode() {
          return Redacted.make(code)
        }
      }
      hides(
        yield* shownBy(
          echo(),
          fill((sessions) => sessions.updateFields(id, { paymentMethod: card }))
        ),
        number,
        code
      )
    })
  )

  for (const [what, change] of [
    ["wiped", (secret: Redacted.Redacted<string>) => void Redacted.unsafeWipe(secret)]
  ] as const) {
    it.scopedLive(`stays hidden if it is ${what} while the request is in flight`, () =>
      Effect.gen(function* () {
        const secrets = { number: Redacted.make(number), code: Redacted.make(code) }
        const text = yield* shownBy(
          echo(),
          fill((sessions) => sessions.updateFields(id, { paymentMethod: cardOf(secrets) })),
          () => Object.values(secrets).forEach(change)
        )
        hides(text, number, code)
      })
    )
  }

  it.scopedLive("stays hidden if its object gets another card while the request is in flight", () =>
    Effect.gen(function* () {
      const card: { securityCode: Redacted.Redacted<string> } & ReturnType<typeof cardOf> = cardOf({
        number: Redacted.make(number),
        code: Redacted.make(code)
      })
      const text = yield* shownBy(
        echo(),
        fill((sessions) => sessions.updateFields(id, { paymentMethod: card })),
        () => {
          card.securityCode = Redacted.make("999")
        }
      )
      hides(text, number, code)
    })
  )
})

const Card = Schema.Struct({ pin: Schema.Redacted(Schema.String), label: Schema.String })

const own = <A, I>(payload: Schema.Schema<A, I>) =>
  Endpoint.post("Own.send", "/own", { payload, success: Schema.Unknown, resend: "once" })

const sending = <A, I>(schema: Schema.Schema<A, I>, value: A) =>
  Effect.flatMap(Endpoint.client({ send: own(schema) }), ({ send }) => send(value))

const list = List.fromIterable(
  Array.from({ length: 2_000 }, (_, i) => ({ pin: Redacted.make(`pin-number-${i}-of-many`), label: "x" }))
)

describe("a secret of a user's own schema that is said back", () => {
  it.scopedLive("stays hidden in a long list", () =>
    Effect.map(shownBy(echo(), sending(Schema.List(Card), list)), (text) =>
      assert.notMatch(text, /pin-number-\d+-of-many/)
    )
  )

  const secret = "pä/ss wörd & more"
  for (const [what, schema, value, secrets] of [
    [
      "transformed to base64",
      Schema.Redacted(Schema.StringFromBase64),
      Redacted.make("hidden-pin-1"),
      ["hidden-pin-1", "aGlkZGVuLXBpbi0x"]
    ],
    ["a date", Schema.Redacted(Schema.Date), Redacted.make(new Date("2030-01-02T03:04:05Z")), ["2030-01-02T03"]],
    ["JSON in a string", Schema.parseJson(Card), { pin: Redacted.make("hidden-pin-2"), label: "x" }, ["hidden-pin-2"]]
  ] as ReadonlyArray<readonly [string, Schema.Schema<unknown, unknown>, unknown, ReadonlyArray<string>]>) {
    it.scopedLive(`stays hidden as ${what}`, () =>
      Effect.map(shownBy(echo(), sending(Schema.Struct({ value: schema }), { value })), (text) =>
        hides(text, ...secrets)
      )
    )
  }

  for (const [what, spell] of [
    ["as it is", asIs],
    ["percent-encoded in lower case", (text) => encodeURIComponent(text).replace(/%../g, (hex) => hex.toLowerCase())],
    ["form-encoded", (text) => new URLSearchParams([["v", text]]).toString()],
    ["as HTML", (text) => text.replaceAll("&", "&amp;").replaceAll("ä", "&#228;").replaceAll("ö", "&#xF6;")],
    [
      "as JSON in ASCII",
      (text) =>
        text.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).replaceAll("/", "\\/")
    ],
    ["in base64", (text) => Buffer.from(text).toString("base64")],
    ["in base64 for URLs", (text) => Buffer.from(text).toString("base64url")]
  ] as ReadonlyArray<readonly [string, Spell]>) {
    it.scopedLive(`stays hidden ${what}, from payload, query and path`, () =>
      Effect.gen(function* () {
        const Text = Schema.Redacted(Schema.String)
        const endpoints = {
          find: Endpoint.get("Own.find", "/own/{token}", {
            params: { token: Text },
            query: Schema.Struct({ password: Text, plain: Schema.String }),
            success: Schema.Unknown
          }),
          send: own(Schema.Struct({ password: Text }))
        }
        const { find, send } = endpoints
        const texts = [
          yield* shownBy(
            echo(spell),
            Effect.flatMap(Endpoint.client({ find }), ({ find }) =>
              find(Redacted.make("a tökén of mine"), { password: Redacted.make(secret), plain: "shown" })
            )
          ),
          yield* shownBy(
            echo(spell),
            Effect.flatMap(Endpoint.client({ send }), ({ send }) => send({ password: Redacted.make(secret) }))
          )
        ]
        for (const text of texts) {
          for (const hidden of [secret, "a tökén of mine"]) {
            hides(
              text,
              hidden,
              spell(hidden),
              encodeURIComponent(hidden),
              spell(encodeURIComponent(hidden)),
              new URLSearchParams([["", hidden]]).toString().slice(1)
            )
          }
        }
      })
    )
  }
})

describe("a card number that is spread", () => {
  class Refused extends Schema.TaggedError<Refused>()(
    "Refused",
    { parts: Schema.Array(Schema.String), note: Schema.String, attempts: Schema.Number, message: Schema.String },
    Endpoint.status(422)
  ) {}
  const pay = Endpoint.post("Own.pay", "/own", {
    payload: Schema.Struct({ number: Schema.Redacted(Schema.String) }),
    success: Schema.Unknown,
    errors: [Refused],
    resend: "once"
  })
  const paying = Effect.flatMap(Endpoint.client({ pay }), ({ pay }) => pay({ number: Redacted.make(number) }))
  const halves = [number.slice(0, 8), number.slice(8)] as const

  it.scopedLive("over code and message stays hidden", () =>
    Effect.map(
      shownBy(Script.reply(400, JSON.stringify({ code: `card_${halves[0]}`, message: `${halves[1]} is bad` })), paying),
      (text) => hides(text, ...halves)
    )
  )

  it.scopedLive("over the items of a list in a user's own error stays hidden, and nothing is made up", () =>
    Effect.gen(function* () {
      const body = { parts: number.match(/..../g), note: "declined", message: "m".repeat(100_000), attempts: 77 }
      const text = yield* shownBy(Script.reply(422, JSON.stringify(body)), paying)
      assert.include(text, "Refused")
      hides(text, "4929", "6123", '"attempts":77', "m".repeat(3_000))
    })
  )
})
