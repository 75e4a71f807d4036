import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { connect } from "node:net"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect } from "effect"
import { slowServer } from "../support/slowServer.js"

const folder = fileURLToPath(new URL("../../examples/", import.meta.url))

const start = (name: string, args: ReadonlyArray<string> = [], env: Record<string, string> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, [`${folder}dist/${name}`, ...args], {
        env: { PATH: process.env["PATH"] ?? "", ...env },
        stdio: ["ignore", "pipe", "pipe"]
      })
      const output: Array<string> = []
      child.stdout.on("data", (chunk: Buffer) => output.push(chunk.toString()))
      child.stderr.on("data", (chunk: Buffer) => output.push(chunk.toString()))
      return {
        child,
        exitCode: once(child, "close").then(([code]: Array<unknown>) => code),
        output: () => output.join("")
      }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** What each program prints, line by line; a line of the log counts as one. */
const outcomes: Record<string, ReadonlyArray<RegExp>> = {
  "02-errors": [
    /^all is well +Pay now\.$/,
    /ERROR .*The sandbox was asked to fail/,
    /^401 +Payment is closed for the moment\.$/,
    /ERROR .*The sandbox was asked to fail/,
    /^403 +Something went wrong \(403\)\.$/,
    /^429, Retry-After: 20 +Busy: try again in 20s\.$/,
    /^503 +Busy: try again in 1m\.$/,
    /^connection lost +The connection is bad: try again\. \[Disconnected, delivered: unknown\]$/,
    /^no response in time +The connection is bad: try again\. \[Timeout, delivered: unknown\]$/,
    /^unknown session +Your session has expired: enter your card again\.$/
  ],
  "03-retries": [
    /is retried +fine +GET 503, GET 200$/,
    /is not +Generic +POST 503$/,
    /is +fine +POST 429, POST 201$/,
    /^none, for one call +Generic +GET 503$/,
    /whole program +fine +POST cut, POST 500, POST 201, GET 200$/
  ],
  "05-http-service": [
    /Listening on http/,
    /^open +[0-9a-f-]{36}, 3\d\d\d s left$/,
    /WARN .*Generic: The sandbox was asked to fail/,
    /^read +CheckoutUnavailable: \{ "secondsToWait": 60 \}$/,
    /^cancelled +CheckoutOver/
  ],
  "06-gateway": [
    /Listening on http/,
    /^till-7 +[0-9a-f-]{36}$/,
    /^till-8 +This till has no key, or an old one\. Check the token, /,
    /ERROR .*Gr4vy refused the gateway's own token: /,
    /^till-7 +The gateway cannot reach Gr4vy\. Call its team\.$/,
    /^Gr4vy saw 2 requests$/
  ],
  "07-promises": [
    /^promise +expires at 20/,
    /^promise +gone: The resource could not be found$/,
    /^runtime +renewed: true, again: NotFound$/,
    /^runtime +interrupted: true$/
  ],
  // Nobody watches: no progress bar.
  "09-own-credentials": [/^20 calls at once +1 token read$/, /^after a token refused +2 tokens read$/],
  "08-many-sessions": [/^opened: 188$/, /^Generic: 8$/, /^RequestFailed: 4$/]
}

/** Without what the SDK logs of a failure or a retry that was not made, and the annotations below it. */
const withoutRetryLog = (output: string): string =>
  output.replace(/^\[.*(?:is not retried after|failed with).*\n(?: {2}.*\n)*/gm, "")

describe("the examples", () => {
  it.scopedLive("07-commonjs runs to its end and prints the expected lines", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Sandbox.Sandbox
      const { exitCode, output } = yield* start("../07-commonjs.cjs", [], {
        GR4VY_BASE_URL: baseUrl,
        GR4VY_TOKEN: "any"
      })
      assert.strictEqual(yield* Effect.promise(() => exitCode), 0, output())
      assert.match(output(), /^open +expires at 20.*\ngone +The resource could not be found\n$/)
    }).pipe(Effect.provide(Sandbox.layer()))
  )

  for (const [name, lines] of Object.entries(outcomes)) {
    it.scopedLive(`${name} runs to its end and prints the expected lines`, () =>
      Effect.gen(function* () {
        const { exitCode, output } = yield* start(`${name}.js`)
        const code = yield* Effect.promise(() => exitCode)
        const printed = withoutRetryLog(output()).trimEnd().split("\n")
        assert.strictEqual(code, 0, output())
        assert.lengthOf(printed, lines.length, output())
        lines.forEach((line, n) => {
          assert.match(printed[n] ?? "", line)
        })
      })
    )
  }

  it("are one file each, so that a copy runs anywhere", () => {
    const files = readdirSync(folder).filter((name) => /^0[2-8]-.*\.ts$/.test(name))
    assert.lengthOf(files, 7)
    for (const file of files) {
      assert.notMatch(readFileSync(folder + file, "utf8"), /from "\.\.?\//, file)
    }
  })

  it.scopedLive("05-http-service finishes a running request when it is stopped", () =>
    Effect.gen(function* () {
      const gr4vy = yield* slowServer
      const service = yield* start("05-http-service.js", ["serve"], {
        PORT: "0",
        GR4VY_BASE_URL: gr4vy.baseUrl,
        GR4VY_TOKEN: "any"
      })
      const port = yield* Effect.promise(() => listening(service))
      const answer = fetch(`http://127.0.0.1:${port}/checkout`, { method: "POST", headers: { connection: "close" } })
      const response = yield* gr4vy.asked
      service.child.kill("SIGTERM")
      yield* Effect.eventually(Effect.flip(Effect.delay(knock(port), "10 millis")))
      response
        .writeHead(201, { "content-type": "application/json" })
        .end(JSON.stringify({ id: "some-session", expires_at: "2099-01-01T00:00:00Z" }))
      assert.strictEqual((yield* Effect.promise(() => answer)).status, 201)
      assert.strictEqual(yield* Effect.promise(() => service.exitCode), 0, service.output())
    })
  )
})

const listening = async ({ child, output }: Effect.Effect.Success<ReturnType<typeof start>>): Promise<number> => {
  for await (const _ of child.stdout) {
    const address = /Listening on http:\/\/[^:]+:(\d+)/.exec(output())
    if (address !== null) return Number(address[1])
  }
  throw new Error(output())
}

const knock = (port: number) =>
  Effect.async<void, Error>((resume) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("error", (error) => resume(Effect.fail(error)))
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.void)
    })
  })
