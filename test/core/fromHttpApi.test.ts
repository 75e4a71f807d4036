/** An endpoint that was declared for the platform: what it declares is what a call of it gives. */
import type { IncomingMessage, ServerResponse } from "node:http"
import { FetchHttpClient, HttpApiEndpoint, HttpApiSchema } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Credentials, Endpoint, Generic, Gr4vyHttpClient, NotFound, Unauthorized } from "@effect-gr4vy/core"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { ErrorBody } from "@effect-gr4vy/sandbox/CheckoutSessionsApi"
import { Cause, Effect, Layer, Redacted, Schema } from "effect"
import { script } from "../support/script.js"

const Thing = Schema.Struct({ id: Schema.String })

const conflict = Endpoint.status(409)
class Taken extends Schema.TaggedError<Taken>()("Taken", { message: Schema.String }, conflict) {}
class Limited extends Schema.TaggedError<Limited>()(
  "Limited",
  { message: Schema.String, limit: Schema.Int },
  conflict
) {}
class Broken extends Schema.TaggedError<Broken>()("Broken", { message: Schema.String }) {}
class Missing extends Schema.TaggedError<Missing>()("Missing", { message: Schema.String }, Endpoint.status(404)) {}
class Gone extends HttpApiSchema.EmptyError<Gone>()({ tag: "Gone", status: 410 }) {}

const answer = (status: number, type: string, text: string) => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(status, { "content-type": type })
  response.end(text)
}
const html = (status: number) => answer(status, "text/html", "<!doctype html><title>No</title>")
const json = (status: number, body: unknown) => answer(status, "application/json", JSON.stringify(body))
const empty = (status: number) => (_: IncomingMessage, response: ServerResponse) =>
  void response.writeHead(status).end()

const get = () => HttpApiEndpoint.get("thing", "/things").addSuccess(Thing)

/** Calls an endpoint without arguments. */
const called = (endpoint: Endpoint.Any, server: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.gen(function* () {
    const { baseUrl } = yield* script(server)
    const layer = Gr4vyHttpClient.layer({ baseUrl }).pipe(
      Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make("token"))])
    )
    const { call } = yield* Effect.provide(Endpoint.client({ call: endpoint }), layer)
    // The types of the endpoints in a table are all different.
    return yield* (call as () => Effect.Effect<unknown, unknown>)()
  })

const converted = (endpoint: HttpApiEndpoint.HttpApiEndpoint.Any) =>
  Endpoint.fromHttpApi(endpoint as ReturnType<typeof get>, { resend: "idempotent" })

const own = (errors: ReadonlyArray<Schema.Schema.AnyNoContext>) =>
  Endpoint.get("Things.get", "/things", { success: Thing, errors })

type Server = ReturnType<typeof answer>
type Instance = abstract new (...args: never) => unknown

describe("a declared error is what a call fails with", () => {
  const table: ReadonlyArray<readonly [name: string, Endpoint.Any, Server, Instance, message?: RegExp]> = [
    ["NotFound, from a page of HTML", converted(get().addError(NotFound)), html(404), NotFound, /HTML page/],
    ["NotFound with a status", converted(get().addError(NotFound, { status: 404 })), html(404), NotFound, /HTML page/],
    ["NotFound in its wire form", converted(get().addError(ErrorBody.NotFound)), html(404), NotFound, /HTML page/],
    ["NotFound in a union", converted(get().addError(Schema.Union(Taken, NotFound))), empty(404), NotFound, /empty/],
    ["NotFound in a union of its own", own([Schema.Union(Taken, NotFound)]), html(404), NotFound, /HTML page/],
    ["an own 404, from a page of HTML", converted(get().addError(Missing)), html(404), Missing, /HTML page/],
    ["an own 404 of an endpoint of ours", own([Missing]), html(404), Missing, /HTML page/],
    ["an empty error", converted(get().addError(Gone)), empty(410), Gone],
    ["a member of a union", converted(get().addError(Schema.Union(Taken, Gone))), json(409, { message: "m" }), Taken],
    [
      "the member that the tag names",
      converted(get().addError(Schema.Union(Taken, Limited))),
      json(409, { _tag: "Limited", message: "m", limit: 3 }),
      Limited
    ],
    [
      "the member that fits",
      converted(get().addError(Schema.Union(Limited, Taken))),
      json(409, { message: "m" }),
      Taken
    ],
    [
      "a member of a union of an endpoint of ours",
      own([Schema.Union(Taken, Gone)]),
      json(409, { message: "m" }),
      Taken
    ],
    [
      "a member with the union's status",
      own([Schema.Union(Broken, Taken).annotations(Endpoint.status(422))]),
      json(422, { message: "m" }),
      Broken
    ],
    ["one without a status, which is 500", converted(get().addError(Broken)), json(500, { message: "m" }), Broken],
    [
      "one without a status beside one with",
      converted(get().addError(Taken).addError(Broken)),
      html(500),
      Broken,
      /500/
    ],
    [
      "Unauthorized in its wire form",
      converted(get().addError(ErrorBody.Unauthorized)),
      html(401),
      Unauthorized,
      /HTML/
    ],
    ["Generic in its wire form", converted(get().addError(ErrorBody.Generic)), html(500), Generic, /HTML/]
  ]
  for (const [name, endpoint, server, expected, message] of table) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(called(endpoint, server))
        assert.isTrue(error instanceof expected, String(error))
        if (message !== undefined) assert.match(Object(error).message, message)
        if (error instanceof NotFound || error instanceof Generic) assert.strictEqual(error.attempts, 1)
      })
    )
  }

  it.scopedLive("an undeclared 404 is a Generic", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(called(converted(get().addError(Taken)), html(404)))
      assert.instanceOf(error, Generic)
    })
  )
})

describe("a success without a body", () => {
  const ok = HttpApiSchema.asEmpty(Schema.Struct({ ok: Schema.Boolean }), { status: 202, decode: () => ({ ok: true }) })
  const start = HttpApiEndpoint.get("start", "/start").addSuccess(ok)

  it.scopedLive("has the value of its schema", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* called(converted(start), empty(202)), { ok: true })
    })
  )

  it.scopedLive("without a value is undefined", () =>
    Effect.gen(function* () {
      for (const [schema, status] of [
        [HttpApiSchema.NoContent, 204],
        [HttpApiSchema.Accepted, 202]
      ] as const) {
        const endpoint = converted(HttpApiEndpoint.get("none", "/none").addSuccess(schema))
        assert.strictEqual(endpoint.status, status)
        assert.isUndefined(yield* called(endpoint, empty(status)))
      }
      assert.strictEqual(converted(HttpApiEndpoint.del("none", "/none")).status, 204)
    })
  )

  it.scopedLive("is served without one, and so is an empty error", () =>
    Effect.gen(function* () {
      const endpoints = {
        start: Endpoint.fromHttpApi(start, { resend: "idempotent" }),
        stop: Endpoint.fromHttpApi(HttpApiEndpoint.del("stop", "/start").addError(Gone), { resend: "idempotent" })
      }
      const implementation = Endpoint.implement(endpoints, {
        start: () => Effect.succeed({ ok: true }),
        stop: () => Effect.fail(new Gone())
      })
      const statuses = yield* Effect.provide(
        Effect.flatMap(Sandbox.Sandbox, ({ baseUrl }) =>
          Effect.promise(() =>
            Promise.all(
              ["GET", "DELETE"].map(async (method) => {
                const response = await fetch(`${baseUrl}/start`, { method, headers: { authorization: "Bearer any" } })
                return [response.status, await response.text()]
              })
            )
          )
        ),
        Sandbox.layer({ endpoints: [implementation] })
      )
      assert.deepStrictEqual(statuses, [
        [202, ""],
        [410, ""]
      ])
    })
  )
})

describe("an endpoint of the platform's that cannot be called", () => {
  const id = Schema.Struct({ id: Schema.String })
  const at = (path: `/${string}`) => HttpApiEndpoint.get("thing", path).addSuccess(Thing)
  const table: ReadonlyArray<readonly [string, HttpApiEndpoint.HttpApiEndpoint.Any, RegExp]> = [
    ["a regular expression", at("/things/:id(\\d+)").setPath(id), /without a wildcard, a regular expression/],
    ["a wildcard", at("/files/*"), /without a wildcard/],
    ["an optional name", at("/things/:id?").setPath(id), /without a wildcard/],
    ["an escaped colon", at("/things/a::b"), /without a wildcard/],
    ["braces", at("/things/{id}"), /without a wildcard/],
    ["a query in its path", at("/things?all=true"), /without a wildcard/],
    ["a fragment in its path", at("/things#all"), /without a wildcard/],
    ["a name without a schema", at("/things/:id"), /exactly the names of its path: \/things\/:id$/],
    ["a schema without a name", at("/things").setPath(id), /exactly the names of its path/],
    ["another name in its schema", at("/things/:key").setPath(id), /exactly the names/],
    [
      "a path that is no plain struct",
      at("/things/:id").setPath(Schema.rename(Schema.Struct({ key: Schema.String }), { key: "id" })),
      /a struct for setPath/
    ],
    ["headers of its own", at("/things").setHeaders(id), /no headers of its own/],
    ["an error that is a text", at("/things").addError(Schema.String), /errors that are objects on the wire, or empty/],
    ["an error that is a list", at("/things").addError(Schema.Array(Schema.String)), /errors that are objects/],
    [
      "an error in another encoding",
      at("/things").addError(HttpApiSchema.Text({ contentType: "text/plain" })),
      /JSON for its payload, success and errors/
    ]
  ]
  for (const [name, endpoint, says] of table) {
    it(`is refused in one sentence: ${name}`, () => {
      const error = (() => {
        try {
          return converted(endpoint)
        } catch (error) {
          return error
        }
      })()
      assert(Cause.isIllegalArgumentException(error))
      assert.match(error.message, /^Endpoint\.fromHttpApi: thing must have [^\n]+$/)
      assert.match(error.message, says)
    })
  }

  it("is no path of texts and names", () => {
    const endpoint = HttpApiEndpoint.get("both", "/a/:one/b/:two_3.json")
      .setPath(Schema.Struct({ two_3: Schema.String, one: Schema.NumberFromString }))
      .addSuccess(Thing)
    assert.strictEqual(Endpoint.fromHttpApi(endpoint, { resend: "idempotent" }).path, "/a/{one}/b/{two_3}.json")
  })
})
