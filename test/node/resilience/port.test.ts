/**
 * The port as a program may use it by itself: what fails after an answer has come.
 */
import { FetchHttpClient, type HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Credentials, Gr4vyHttpClient, type RequestFailed } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Cause, Effect, Layer, Redacted, type Scope, Stream } from "effect"
import * as Script from "../../support/script.js"
import { allClean, code, number, shown, token } from "../../support/sinks.js"

type Port = HttpClient.HttpClient.With<RequestFailed>

const ports: Readonly<Record<string, (baseUrl: string) => Effect.Effect<Port, unknown, Scope.Scope>>> = {
  "core's plain layer": (baseUrl) =>
    Effect.provide(
      Gr4vyHttpClient,
      Gr4vyHttpClient.layer({ baseUrl }).pipe(
        Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make(token))])
      )
    ),
  "node's pipeline": (baseUrl) =>
    Gr4vy.makeClient({
      baseUrl,
      token: Redacted.make(token),
      retry: RetryPolicy.none,
      maxResponseBytes: 1024,
      connections: 1
    })
}

const request = HttpClientRequest.put("/checkout/sessions/any/fields").pipe(
  HttpClientRequest.bodyText(`{"number":"${number}","security_code":"${code}"}`, "application/json")
)

const failures: Readonly<
  Record<string, (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<unknown, unknown>>
> = {
  json: (response) => response.json,
  formData: (response) => response.formData,
  filterStatusOk: HttpClientResponse.filterStatusOk
}

describe.each(Object.keys(ports))("the port of %s", (name) => {
  it.live.each(Object.keys(failures))("keeps the token and the card out of later failures: %s", (failure) =>
    Effect.gen(function* () {
      const server = yield* Script.script(Script.reply(500, "{", { "content-type": "application/json" }))
      const response = yield* Effect.flatMap(ports[name]?.(server.baseUrl) ?? assert.fail(name), (port) =>
        port.execute(request)
      )
      const error = yield* Effect.flip(failures[failure]?.(response) ?? assert.fail(failure))
      allClean(failure, shown(Cause.fail(error)))
      const { headers, body, method, url } = response.request
      assert.notInclude(Object.keys(headers), "authorization")
      assert.strictEqual(body._tag, "Empty")
      assert.strictEqual(`${method} ${url}`, `PUT ${server.baseUrl}${request.url}`)
    }).pipe(Effect.scoped)
  )

  it.live("supports every way to read a response", () =>
    Effect.gen(function* () {
      const form = { "content-type": "application/x-www-form-urlencoded", "x-any": "1" }
      const server = yield* Script.script(Script.reply(200, "a=1&b=2", form))
      const response = yield* Effect.flatMap(ports[name]?.(server.baseUrl) ?? assert.fail(name), (port) =>
        port.execute(request)
      )
      assert.strictEqual(yield* response.text, "a=1&b=2")
      assert.deepStrictEqual(yield* response.urlParamsBody, [
        ["a", "1"],
        ["b", "2"]
      ])
      assert.strictEqual((yield* response.formData).get("b"), "2")
      assert.strictEqual(Buffer.from(yield* response.arrayBuffer).toString(), "a=1&b=2")
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(response.stream)), "a=1&b=2")
      assert.strictEqual(response.headers["x-any"], "1")
    }).pipe(Effect.scoped)
  )

  it.live("sends the merchant account of the call, and nothing if no header can carry it", () =>
    Effect.gen(function* () {
      const server = yield* Script.script(Script.reply(200, "{}"))
      const port = yield* ports[name]?.(server.baseUrl) ?? assert.fail(name)
      yield* port.execute(request).pipe(Gr4vyHttpClient.withMerchantAccount("acme-eu"))
      assert.strictEqual(server.requests[0]?.headers["x-gr4vy-merchant-account-id"], "acme-eu")
      const error = yield* Effect.flip(Gr4vyHttpClient.withMerchantAccount(port.execute(request), "SECRET\r\nx: y"))
      assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
      assert.notInclude(error.message, "SECRET")
      assert.lengthOf(server.requests, 1)
    }).pipe(Effect.scoped)
  )
})
