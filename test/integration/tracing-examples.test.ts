import { readFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, describe, it } from "@effect/vitest"
import { tracing } from "@effect-gr4vy/examples/10-tracing"
import { microservices } from "@effect-gr4vy/examples/11-microservices"
import { operations } from "@effect-gr4vy/examples/14-operations"
import { Effect } from "effect"
import { unregister } from "../support/setUps.js"

afterEach(unregister)

describe("the tracing examples", () => {
  it.live("a plain OpenTelemetry process prints its trace as a tree", () =>
    Effect.gen(function* () {
      const printed: Array<string> = []
      yield* Effect.promise(() => tracing((text) => printed.push(text)))
      assert.lengthOf(printed, 1)
      const lines = (printed[0] ?? "").split("\n").map((line) => line.replace(/ {2,}shop .*$/, ""))
      assert.deepStrictEqual(lines.slice(1), [
        "POST /pay",
        "├─ SELECT cart",
        "├─ CheckoutSessions.add",
        "│  └─ POST /checkout/sessions",
        "└─ CheckoutSessions.get",
        "   ├─ GET /checkout/sessions/{checkout_session_id}",
        lines[7] ?? "",
        "   └─ GET /checkout/sessions/{checkout_session_id}"
      ])
      assert.match(lines[7] ?? "", /^ {3}│ {2}retried after \d+ ms$/)
    })
  )

  it.live("a person on call sees a trace, metrics and a log that say why a request was not sent again", () =>
    Effect.gen(function* () {
      const printed: Array<string> = []
      yield* Effect.promise(() => operations((text) => printed.push(text)))
      const [trace = "", metrics = "", log = ""] = (printed[0] ?? "").split(/\n\n/)
      assert.match(trace, /^Trace\ncheckout /)
      assert.match(trace, /POST \/checkout\/sessions +shop +502/)
      for (const line of [
        /^http\.client\.request\.duration {2}POST \/checkout\/sessions 502 502 +1 in 0\.\d+ s$/m,
        /^gr4vy\.client\.retries {2}POST \/checkout\/sessions 502 unsafe +1$/m,
        /^http\.client\.open_connections {2}idle +1$/m,
        /^gr4vy\.client\.retry_budget +\d+$/m
      ]) {
        assert.match(metrics, line)
      }
      assert.match(log, /^WARN {2}POST \/checkout\/sessions is not retried after 502: /m)
    })
  )

  it.live(
    "one request is one trace across three processes, and a picture of it",
    () =>
      Effect.gen(function* () {
        const file = join(tmpdir(), `effect-gr4vy-trace-${process.pid}.svg`)
        const spans = yield* Effect.promise(() => microservices(file))
        assert.strictEqual(new Set(spans.map((_) => _.traceId)).size, 1)
        assert.deepStrictEqual(new Set(spans.map((_) => _.service)), new Set(["storefront", "checkout", "gr4vy"]))
        const ids = new Set(spans.map((_) => _.id))
        const roots = spans.filter((_) => _.parentId === undefined || !ids.has(_.parentId))
        assert.deepStrictEqual(
          roots.map((_) => _.name),
          ["POST /pay"]
        )
        // Three requests of the SDK, of which two come through to the sandbox's own handlers.
        const clients = spans.filter((_) => _.service === "checkout" && _.kind === "client")
        assert.deepStrictEqual(
          clients.map((_) => Number(_.attributes["http.response.status_code"])).sort(),
          [200, 201, 503]
        )
        const servers = spans.filter((_) => _.service === "gr4vy" && _.kind === "server")
        assert.lengthOf(servers, 2)
        for (const { parentId } of servers)
          assert.include(
            clients.map((_) => _.id),
            parentId
          )
        assert.match(yield* Effect.promise(() => readFile(file, "utf8")), /^<svg .*<\/svg>\n$/s)
      }),
    60_000
  )
})
