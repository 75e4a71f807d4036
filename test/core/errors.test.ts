import { inspect } from "node:util"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  CheckoutSessionId,
  CheckoutSessions,
  Credentials,
  Endpoint,
  Generic,
  Gr4vyHttpClient,
  NotFound,
  type RequestFailed,
  type Unauthorized
} from "@effect-gr4vy/core"
import { fromExecute } from "@effect-gr4vy/core/Gr4vyHttpClient"
import { Cause, Duration, Effect, Exit, FastCheck, Layer, Option, Redacted, Ref, Schema } from "effect"
import { decodeError } from "../../packages/core/dist/internal/decodeError.js"
import { card, visa } from "../support/cards.js"
import { clients, token } from "../support/layers.js"
import { type Answer, droppedMidBody, reply, script, sessionJson } from "../support/script.js"

const id = CheckoutSessionId.make("8724fd24-5489-4a5d-90fd-0604df7d3b83")

const json = (code: number, body: unknown, headers?: Readonly<Record<string, string>>) =>
  reply(code, JSON.stringify(body), { "content-type": "application/json", ...headers })

const apiError = (status: number, code: string, message: string) => ({
  type: "error",
  code,
  status,
  message,
  details: []
})

const checkToken =
  "Check the token, or the private key that signs it: it must be valid, not expired, and belong to this instance (id) and environment (sandbox or production)."

const html = "<!DOCTYPE html><html><body>Not here</body></html>"
const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`

interface Row {
  readonly what: string
  readonly answer: Answer
  readonly expected: Partial<Unauthorized> | Partial<NotFound> | Partial<Generic> | Partial<RequestFailed>
}

const detail = { location: "body", type: "value_error", pointer: "/payment_method/number", message: "Bad number" }

const rows: ReadonlyArray<Row> = [
  {
    what: "the API's own 401 is Unauthorized",
    answer: json(401, apiError(401, "unauthorized", "No valid API authentication found")),
    expected: {
      _tag: "Unauthorized",
      status: 401,
      code: "unauthorized",
      message: `No valid API authentication found. ${checkToken}`
    }
  },
  { what: "an HTML 401 is Unauthorized", answer: reply(401, html), expected: { _tag: "Unauthorized", status: 401 } },
  {
    what: "the API's own 404 is NotFound",
    answer: json(404, apiError(404, "not_found", "The resource could not be found")),
    expected: { _tag: "NotFound", status: 404, code: "not_found", message: "The resource could not be found" }
  },
  {
    what: "a gateway's HTML 404 is NotFound and says what came",
    answer: reply(404, html),
    expected: {
      _tag: "NotFound",
      message:
        "The API responded with status 404 and an HTML page instead of its own error. GET /checkout/sessions/{checkout_session_id} found nothing: the resource is unknown, deleted or expired. Check its id, and the base URL."
    }
  },
  { what: "a 404 whose body says 500 is NotFound", answer: json(404, { status: 500 }), expected: { _tag: "NotFound" } },
  {
    what: "an empty 404 is NotFound",
    answer: reply(404, ""),
    expected: { _tag: "NotFound", status: 404, details: [] }
  },
  {
    what: "a gateway's HTML 502 is Generic",
    answer: reply(502, html),
    expected: {
      _tag: "Generic",
      status: 502,
      message:
        "The API responded with status 502 and an HTML page instead of its own error. The service or a gateway in front of it has a problem: retry later."
    }
  },
  ...(
    [
      ["broken JSON", '{"code":'],
      ["JSON of an unexpected shape", "null"],
      ["JSON of an unexpected shape", "[1]"],
      ["JSON of an unexpected shape", deep],
      ["JSON of an unexpected shape", '{"code":7,"message":{"toString":1},"details":"no"}'],
      ["plain text", "upstream connect error"],
      ["an empty body", ""]
    ] as const
  ).map(
    ([kind, body]): Row => ({
      what: `a 500 with ${kind} (${body.slice(0, 12)}) is Generic and says what came`,
      answer: reply(500, body),
      expected: {
        _tag: "Generic",
        status: 500,
        details: [],
        message: `The API responded with status 500 and ${kind} instead of its own error. The service or a gateway in front of it has a problem: retry later.`
      }
    })
  ),
  {
    what: "the API's own 403 names the scope",
    answer: json(403, apiError(403, "forbidden", "Invalid credentials")),
    expected: {
      _tag: "Generic",
      status: 403,
      code: "forbidden",
      message: "Invalid credentials. Check that the token has the scope checkout-sessions.read, which this call needs."
    }
  },
  {
    what: "an error body without a message still has a sentence",
    answer: json(403, { type: "error", code: "forbidden" }),
    expected: {
      _tag: "Generic",
      code: "forbidden",
      message:
        "The API responded with status 403 and no message. Check that the token has the scope checkout-sessions.read, which this call needs."
    }
  },
  {
    what: "a redirect is Generic and not followed",
    answer: reply(302, "", { location: "/elsewhere" }),
    expected: { _tag: "Generic", status: 302 }
  },
  {
    what: "the API's details are kept",
    answer: json(400, { ...apiError(400, "bad_request", "Request failed validation"), details: [detail, 7, null] }),
    expected: {
      _tag: "Generic",
      status: 400,
      code: "bad_request",
      details: [detail] as never
    }
  },
  {
    what: "a 422's other shape becomes details",
    answer: json(422, {
      detail: [
        { loc: ["body", "payment_method", "number"], msg: "Bad number", type: "value_error" },
        { loc: ["query", "limit", 0], msg: "Bad limit", type: "type_error" }
      ]
    }),
    expected: {
      _tag: "Generic",
      status: 422,
      details: [detail, { location: "query", type: "type_error", pointer: "limit.0", message: "Bad limit" }] as never
    }
  },
  {
    what: "hostile JSON is a typed error",
    answer: reply(
      422,
      '{"__proto__":{"code":"x"},"constructor":1,"detail":[{"loc":[{"toString":1}]},{"loc":{"length":9}},{}]}'
    ),
    expected: { _tag: "Generic", status: 422 }
  },
  {
    what: "Retry-After in seconds becomes retryAfter",
    answer: json(429, apiError(429, "too_many_requests", "Slow down"), { "retry-after": "7" }),
    expected: { _tag: "Generic", status: 429, retryAfter: Duration.seconds(7) }
  },
  {
    what: "a Retry-After that asks for no wait is as if absent",
    answer: json(429, apiError(429, "too_many_requests", "Slow down"), { "retry-after": "-5" }),
    expected: { _tag: "Generic", status: 429, retryAfter: undefined as never }
  },
  ...(
    [
      ["HTML", 200, html, "an HTML page"],
      ["an empty body", 200, "", "an empty body"],

      ["half a JSON", 200, sessionJson.slice(0, 20), "broken JSON"]
    ] as const
  ).map(
    ([what, status, body, kind]): Row => ({
      what: `${what} with a 200 is never a success`,
      answer: reply(status, body),
      expected: {
        _tag: "RequestFailed",
        reason: "InvalidResponse",
        delivered: "yes",
        attempts: 1,
        message: `The API responded with status 200 and ${kind} instead of the expected CheckoutSession. Check the base URL, and any proxy between you and the API.`
      }
    })
  ),
  ...(
    [
      ["null", "null", "body must be an object"],
      ["a session without an id", '{"expires_at":"2022-01-01T00:00:00Z"}', "body.id is missing"],
      [
        "a session with a number for an address",
        '{"id":"1","expires_at":"2022-01-01T00:00:00Z","buyer":{"display_name":"Ada","billing_details":4111111111111111}}',
        "body.buyer.billing_details must be an object or null"
      ]
    ] as const
  ).map(
    ([what, body, problem]): Row => ({
      what: `${what} with a 200 names the property that does not fit`,
      answer: reply(200, body),
      expected: {
        _tag: "RequestFailed",
        reason: "InvalidResponse",
        delivered: "yes",
        message: `The API responded with status 200 and JSON of an unexpected shape instead of the expected CheckoutSession: ${problem}. The API may have acted on the request, but this version cannot read its response.`
      }
    })
  ),
  {
    what: "a byte order mark before an error is skipped",
    answer: reply(422, `\uFEFF{"code":"bad_request","message":"No"}`),
    expected: { _tag: "Generic", status: 422, code: "bad_request", message: "No" }
  },
  {
    what: "the resource that a 409 names is kept",
    answer: json(409, { ...apiError(409, "duplicate_record", "It exists"), resource_id: "buyer-1" }),
    expected: { _tag: "Generic", status: 409, code: "duplicate_record", resourceId: "buyer-1" }
  },
  {
    what: "an answer that ends early is Disconnected",
    answer: droppedMidBody,
    expected: { _tag: "RequestFailed", reason: "Disconnected", delivered: "unknown", attempts: 1 }
  }
]

const matches = (error: object, expected: object) => {
  for (const [key, value] of Object.entries(expected)) {
    const actual: unknown = Reflect.get(error, key)
    const plain = key === "details" && Array.isArray(actual) ? actual.map((_) => ({ ..._ })) : actual
    assert.deepStrictEqual(plain, value, key)
  }
}

const everyway = (error: unknown): string =>
  [
    inspect(error, { depth: 20, showHidden: true }),
    JSON.stringify(error),
    String(error),
    error instanceof Error ? (error.stack ?? "") : "",
    Cause.pretty(Cause.fail(error))
  ].join("\n")

for (const [name, client] of Object.entries(clients)) {
  describe(`through ${name}`, () => {
    const failing = <A, E>(answer: Answer, call: (sessions: CheckoutSessions["Type"]) => Effect.Effect<A, E>) =>
      Effect.flatMap(script(answer), ({ baseUrl }) =>
        Effect.flip(Effect.provide(Effect.flatMap(CheckoutSessions, call), client(baseUrl)))
      )

    for (const { answer, expected, what } of rows) {
      it.scopedLive(what, () =>
        Effect.map(
          failing(answer, (sessions) => sessions.get(id)),
          (error) => matches(error, expected)
        )
      )
    }

    it.scopedLive("a 404 to add is Generic: nothing was asked for that could be missing", () =>
      Effect.gen(function* () {
        const error = yield* failing(json(404, apiError(404, "not_found", "Nothing here")), (_) => _.add())
        assert.instanceOf(error, Generic)
        matches(error, { status: 404, code: "not_found", message: "Nothing here" })
      })
    )

    it.scopedLive("a refused connection is Connect, and nothing was delivered", () =>
      Effect.gen(function* () {
        const { baseUrl } = yield* Effect.scoped(script(reply(200, "")))
        const error = yield* Effect.flip(
          Effect.provide(
            Effect.flatMap(CheckoutSessions, (_) => _.get(id)),
            client(baseUrl)
          )
        )
        matches(error, { _tag: "RequestFailed", reason: "Connect", delivered: "no", attempts: 1 })
      })
    )

    it.scopedLive("a 200 with a body where 204 was due is an InvalidResponse", () =>
      Effect.map(
        failing(reply(200, "{}"), (sessions) => sessions.delete(id)),
        (error) => matches(error, { _tag: "RequestFailed", reason: "InvalidResponse", delivered: "yes" })
      )
    )

    it.scopedLive("a huge message is cut", () =>
      Effect.gen(function* () {
        const { message } = yield* failing(json(500, { code: "c", message: "eyJ".repeat(300_000) }), (_) => _.get(id))
        assert.isAtMost(message.length, 2001)
      })
    )

    it.scopedLive("a card or a token that the API echoes is scrubbed from every part of the error", () =>
      Effect.gen(function* () {
        const grouped = "4111 1111-1111 1111"
        const echo = `number ${visa.number} (${grouped}) code ${visa.security_code} Bearer ${token} ${token}`
        const error = yield* failing(
          json(400, {
            code: echo,
            message: echo,
            details: [{ location: echo, type: echo, pointer: echo, message: echo }]
          }),
          (sessions) => sessions.updateFields(id, { paymentMethod: card() })
        )
        assert.instanceOf(error, Generic)
        const shown = everyway(error)
        for (const secret of [visa.number, grouped, visa.security_code, token, token.slice(-12)]) {
          // A stack has line numbers of its own, which may hold the security code's three digits.
          const text = secret === visa.security_code ? JSON.stringify(error) : shown
          assert.notInclude(text, secret)
        }
      })
    )

    it.scopedLive("a secret that the API echoes in a 422 is scrubbed in every place", () =>
      Effect.gen(function* () {
        const error = yield* failing(
          json(422, { detail: [{ loc: ["body", visa.number, 4111111111111111], msg: visa.number, type: token }] }),
          (sessions) => sessions.updateFields(id, { paymentMethod: card() })
        )
        assert.instanceOf(error, Generic)
        assert.notInclude(everyway(error), visa.number)
        assert.notInclude(everyway(error), token)
      })
    )

    it.scopedLive("every status and every body end as a typed error, never a defect", () =>
      Effect.gen(function* () {
        const answer = yield* Ref.make(reply(500, ""))
        const { baseUrl } = yield* script((request, response) => Effect.runSync(Ref.get(answer))(request, response))
        yield* Effect.gen(function* () {
          const sessions = yield* CheckoutSessions
          for (const { body, retryAfter, status } of FastCheck.sample(anyAnswer, 60)) {
            yield* Ref.set(answer, reply(status, body, { "retry-after": retryAfter }))
            const error = yield* Effect.flip(sessions.get(id))
            // `fetch` makes a network error of a 407 (https://fetch.spec.whatwg.org/#http-network-or-cache-fetch).
            if (status === 407 && error._tag === "RequestFailed") continue
            const expected = status === 401 ? "Unauthorized" : status === 404 ? "NotFound" : "Generic"
            assert(error._tag === expected && error.status === status, `${status} ${body}`)
            assert.notStrictEqual(error.message, "")
          }
        }).pipe(Effect.provide(client(baseUrl)))
      })
    )
  })
}

const anyText = FastCheck.oneof(FastCheck.jsonValue(), FastCheck.string())

const anyAnswer = FastCheck.record({
  status: FastCheck.oneof(FastCheck.integer({ min: 300, max: 599 }), FastCheck.constantFrom(401, 404)).filter(
    // 304 has no body by HTTP's own rules.
    (status) => status !== 304
  ),
  body: FastCheck.oneof(
    FastCheck.string(),
    FastCheck.json(),
    FastCheck.record(
      {
        type: anyText,
        code: anyText,
        status: anyText,
        message: anyText,
        details: FastCheck.array(FastCheck.record({ location: anyText, pointer: anyText }, { requiredKeys: [] })),
        detail: FastCheck.array(FastCheck.record({ loc: anyText, msg: anyText }, { requiredKeys: [] }))
      },
      { requiredKeys: [] }
    ).map((body) => JSON.stringify(body))
  ),
  retryAfter: FastCheck.oneof(FastCheck.integer().map(String), FastCheck.stringMatching(/^[ -~]{0,20}$/))
})

describe("core's plain client", () => {
  it.scopedLive("takes paths only: the token goes to one origin", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(reply(200, ""))
      const elsewhere = yield* script(reply(200, ""))
      const client = yield* Effect.provide(
        Gr4vyHttpClient,
        Gr4vyHttpClient.layer({ baseUrl }).pipe(
          Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make(token))])
        )
      )
      for (const url of [elsewhere.baseUrl, elsewhere.baseUrl.replace("http://", "@"), ".evil.com/"]) {
        const error = yield* Effect.flip(client.get(url))
        assert.strictEqual(error.reason, "InvalidRequest")
      }
      assert.strictEqual(requests.length + elsewhere.requests.length, 0)
    })
  )
})

/** A response's error as a plain object, with exactly the fields that it has. */
const decoded = (endpoint: Parameters<typeof decodeError>[0], status: number, body: unknown, requestId?: string) => {
  const error = decodeError(endpoint)({
    status,
    text: typeof body === "string" ? body : JSON.stringify(body),
    attempts: 1,
    requestId,
    retryAfter: Option.none(),
    secrets: []
  })
  return Object.fromEntries(Object.getOwnPropertyNames(error).map((name) => [name, Reflect.get(Object(error), name)]))
}

const endpoint = Endpoint.get("Own.get", "/own", { success: Schema.Unknown })

describe("the message of a response without one names its status, its body and what to do", () => {
  const retryLater = "The service or a gateway in front of it has a problem: retry later."
  const check = "Check the request and the base URL."
  const redirect = "Redirects are never followed: check the base URL."
  it.each([
    [202, "", "an empty body", check],
    [300, "", "an empty body", redirect],
    [399, "", "an empty body", redirect],
    [400, "", "an empty body", check],
    [
      401,
      "",
      "an empty body",
      "Check the token, or the private key that signs it: it must be valid, not expired, and belong to this instance (id) and environment (sandbox or production)."
    ],
    [403, "", "an empty body", "Check that the token has the scopes this call needs."],
    [429, "", "an empty body", "Too many requests: wait before the next call."],
    [499, "", "an empty body", check],
    [500, "", "an empty body", retryLater],
    [400, "\n <!doctype html>", "an HTML page", check],
    [400, "<HTML><body>", "an HTML page", check],
    [400, "a page of <html", "plain text", check],
    [400, "[1,", "broken JSON", check],
    [400, "{", "broken JSON", check]
  ])("%d %j", (status, body, kind, advice) => {
    assert.strictEqual(
      decoded(endpoint, status, body)["message"],
      `The API responded with status ${status} and ${kind} instead of its own error. ${advice}`
    )
  })
})

describe("the API's own message about a 401", () => {
  it("is followed by what to do, as long as both stay within 2,000 characters", () => {
    const messageOf = (length: number) => String(decoded(endpoint, 401, { message: "m".repeat(length) })["message"])
    const added = messageOf(1).length - 1
    assert.isAbove(added, 0)
    assert.lengthOf(messageOf(2000 - added), 2000)
    assert.strictEqual(messageOf(2001 - added), "m".repeat(2001 - added))
  })
})

describe("the API's own error", () => {
  const plain = (body: object) => {
    const { code, details, message } = decoded(endpoint, 400, body)
    assert(Array.isArray(details))
    return { code, message, details: details.map((detail) => ({ ...detail })) }
  }
  const noMessage = "The API responded with status 400 and no message. Check the request and the base URL."

  it.each([
    [{ type: "error" }, { message: noMessage }],
    [{ type: "error", code: "", message: "" }, { message: noMessage }],
    [{ code: "no" }, { code: "no", message: noMessage }],
    [{ message: "No." }, { message: "No." }],
    [{ message: "m".repeat(2000) }, { message: "m".repeat(2000) }],
    [{ message: "m".repeat(2001) }, { message: `${"m".repeat(2000)}…` }],
    [
      { message: "No.", details: [{ pointer: "/a" }, 7] },
      { message: "No.", details: [{ pointer: "/a" }] }
    ]
  ])("is read by its code, its message or its type: %#", (body, expected) => {
    assert.deepStrictEqual(plain(body), { code: undefined, details: [], ...expected })
  })

  it.each([
    [{ msg: "No." }, { pointer: "", message: "No." }],
    [
      { loc: ["body", "a", "b"], type: "t" },
      { location: "body", pointer: "/a/b", type: "t" }
    ],
    [{ loc: ["body", {}, 1] }, { location: "body", pointer: "//1" }],
    [{ loc: ["query", "a", "b"] }, { location: "query", pointer: "a.b" }],
    [{ loc: [1, 2] }, { pointer: "1.2" }],
    [{ loc: ["1a", "b"] }, { pointer: "1a.b" }],
    [{ loc: ["a1", "b"] }, { pointer: "a1.b" }],
    [{ loc: ["body", ...Array(150).fill("a")] }, { location: "body", pointer: "/a".repeat(99) }]
  ])("of a failed validation tells the place of each problem: %j", (detail, expected) => {
    assert.deepStrictEqual(plain({ detail: [7, detail] }), {
      code: undefined,
      message: "Request failed validation",
      details: [expected]
    })
  })

  it("has at most 100 details", () => {
    assert.lengthOf(plain({ message: "No.", details: Array(101).fill({}) }).details, 100)
    assert.lengthOf(plain({ detail: Array(101).fill({}) }).details, 100)
  })
})

describe("a 404", () => {
  const fields = { status: 404, message: "No.", details: [], attempts: 1 }
  class Conflict extends Schema.TaggedError<Conflict>()("Conflict", { message: Schema.String }, Endpoint.status(409)) {}
  const declares = (...errors: ReadonlyArray<typeof NotFound | typeof Conflict>) =>
    Endpoint.get("Own.get", "/own", { success: Schema.Unknown, errors })

  it("is NotFound where the endpoint declares it, whose message is cut like any other", () => {
    assert.deepInclude(decoded(declares(NotFound), 404, { message: "No." }), { ...fields, _tag: "NotFound" })
    const { message } = decoded(declares(NotFound), 404, { message: "m".repeat(2001) })
    assert.strictEqual(message, `${"m".repeat(2000)}…`)
  })

  it("is Generic elsewhere, with the fields that the response has and no others", () => {
    for (const other of [endpoint, declares(Conflict)]) {
      const bare = decoded(other, 404, { message: "No." })
      assert.deepInclude(bare, { ...fields, _tag: "Generic" })
      assert.notProperty(bare, "code")
      assert.notProperty(bare, "requestId")
      const full = decoded(other, 404, { code: "not_found", message: "No." }, "request-1")
      assert.deepInclude(full, { ...fields, _tag: "Generic", code: "not_found", requestId: "request-1" })
    }
  })
})

describe("an error class of one's own", () => {
  const Own = Schema.Struct({ message: Schema.String, more: Schema.Unknown }).annotations(Endpoint.status(409))
  const own = Endpoint.get("Own.get", "/own", { success: Schema.Unknown, errors: [Own] })
  const nested = (depth: number, wrap: (inner: unknown) => unknown): unknown =>
    depth === 0 ? 1 : wrap(nested(depth - 1, wrap))

  it("gets the body scrubbed, at every depth", () => {
    const number = "4111111111111111"
    const more = [number, Number(number), 7, true, null, { a: { [number]: [`card ${number}`] } }]
    assert.deepStrictEqual(decoded(own, 409, { message: "No.", more }), {
      message: "No.",
      more: ["<redacted>", "<redacted>", 7, true, null, { a: { "<redacted>": ["card <redacted>"] } }]
    })
  })

  // The keys count, and the message.
  it.each([
    ["2,000 values", Array(1997).fill(1), Array(1998).fill(1)],
    ["64 lists in each other", nested(63, (inner) => [inner]), nested(64, (inner) => [inner])],
    ["64 objects in each other", nested(63, (a) => ({ a })), nested(64, (a) => ({ a }))]
  ])("may hold %s, and one more is a Generic", (_, most, tooMuch) => {
    assert.deepStrictEqual(decoded(own, 409, { message: "No.", more: most }), { message: "No.", more: most })
    assert.deepInclude(decoded(own, 409, { message: "No.", more: tooMuch }), { _tag: "Generic", message: "No." })
  })

  it("keeps the server's _tag where its own is not fixed", () => {
    const Tagged = Schema.Struct({ _tag: Schema.String }).annotations(Endpoint.status(409))
    const tagged = Endpoint.get("Own.get", "/own", { success: Schema.Unknown, errors: [Tagged] })
    assert.deepStrictEqual(decoded(tagged, 409, { _tag: "theirs" }), { _tag: "theirs" })
  })
})

describe("a client from a function", () => {
  it.effect("calls it for each run of a request, and its exception is a defect", () =>
    Effect.gen(function* () {
      let runs = 0
      const client = fromExecute(() => {
        runs++
        throw new Error("broken")
      })
      const request = client.get("/things")
      assert.strictEqual(runs, 0)
      for (const _ of [1, 2]) {
        const exit = yield* Effect.exit(request)
        assert(Exit.isFailure(exit) && Cause.isDieType(exit.cause), inspect(exit))
      }
      assert.strictEqual(runs, 2)
    })
  )
})
