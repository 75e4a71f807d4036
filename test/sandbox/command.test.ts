import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { card } from "./support.js"

const bin = fileURLToPath(new URL("../../packages/sandbox/dist/bin/gr4vy-sandbox.js", import.meta.url))

/** The command as a process; it is killed when the scope ends. */
const command = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const lines = yield* Queue.unbounded<string>()
    createInterface(child.stdout).on("line", (line) => Queue.unsafeOffer(lines, line))
    const output = { out: "", err: "" }
    child.stdout.on("data", (chunk) => (output.out += chunk))
    child.stderr.on("data", (chunk) => (output.err += chunk))
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
    const lineWith = (text: string): Effect.Effect<string> =>
      Effect.flatMap(Queue.take(lines), (line) => (line.includes(text) ? Effect.succeed(line) : lineWith(text)))
    return { child, output, lineWith, ended: Effect.promise(() => ended) }
  })

const started = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    // Not the default port: a sandbox of the developer may listen there.
    const running = yield* command("--port", "0", ...args)
    const baseUrl = (yield* running.lineWith("Gr4vy sandbox")).split(" ").at(-1) ?? ""
    yield* running.lineWith("Ctrl-C")
    const send = (method: string, path: string, body?: string) =>
      Effect.promise(async () => {
        const response = await fetch(`${baseUrl}${path}`, {
          method,
          headers: { authorization: "Bearer tok-3c1d9" },
          ...(body === undefined ? {} : { body })
        })
        return { status: response.status, text: await response.text() }
      })
    return { ...running, baseUrl, send }
  })

describe("gr4vy-sandbox", () => {
  it.scopedLive("serves the API and logs a readable line for each request, without a secret", () =>
    Effect.gen(function* () {
      const { lineWith, output, send } = yield* started()
      const { text } = yield* send("POST", "/checkout/sessions")
      assert.match(
        yield* lineWith("POST"),
        /^\d\d:\d\d:\d\d\.\d{3} {2}POST +\/checkout\/sessions {2}201 {2}\d+\.\d ms$/
      )
      const { id } = JSON.parse(text)
      yield* send("PUT", `/checkout/sessions/${id}/fields`, JSON.stringify({ payment_method: card }))
      assert.include(yield* lineWith("PUT"), "/checkout/sessions/{checkout_session_id}/fields  204")
      yield* send("GET", "/%1b[31m4111111111111111")
      assert.include(yield* lineWith("GET"), "404")
      assert.notMatch(output.out + output.err, /4111|\b987\b|tok-3c1d9/)
      assert.notInclude(output.out, "\u001b")
    })
  )

  it.scopedLive("serves the contract and a docs page that name this sandbox first", () =>
    Effect.gen(function* () {
      const { baseUrl, send } = yield* started("--quiet")
      const { servers } = JSON.parse((yield* send("GET", "/openapi.json")).text)
      assert.strictEqual(servers[0].url, baseUrl)
      assert.strictEqual(servers.length, 3)
      const page = yield* send("GET", "/docs")
      assert.include(page.text, "<title>Gr4vy Checkout Sessions")
      assert.notMatch(page.text, /<(script|link)[^>]+(src|href)="?https?:/)
    })
  )

  it.scopedLive("accepts faults, latency and session lifetime as options", () =>
    Effect.gen(function* () {
      const options = ["--fault", "429 retry-after=2", "--latency", "20 millis", "--session-life", "2 seconds"]
      const { lineWith, send } = yield* started(...options)
      assert.strictEqual((yield* send("POST", "/checkout/sessions")).status, 429)
      const [, millis] = /([\d.]+) ms/.exec(yield* lineWith("429")) ?? []
      assert.isAtLeast(Number(millis), 15)
    })
  )

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.scopedLive(`ends on ${signal} with one line, also while a response is pending`, () =>
      Effect.gen(function* () {
        const { baseUrl, child, ended, output } = yield* started("--latency", "1 hour")
        yield* Effect.forkScoped(Effect.tryPromise(() => fetch(baseUrl)))
        child.kill(signal)
        assert.include([0, 130], yield* ended)
        assert.isTrue(output.out.endsWith("The sandbox has stopped.\n"))
        assert.strictEqual(output.err, "")
      })
    )
  }

  it.scopedLive("says in one sentence that its port is in use", () =>
    Effect.gen(function* () {
      const port = new URL((yield* started()).baseUrl).port
      const { ended, output } = yield* command("--port", port)
      assert.strictEqual(yield* ended, 1)
      assert.strictEqual(
        output.err,
        `Port ${port} is in use: stop what listens there, or choose another with --port (0 is a free one).\n`
      )
      assert.strictEqual(output.out, "")
    })
  )

  const wrong: ReadonlyArray<readonly [string, ReadonlyArray<string>, RegExp]> = [
    ["a port that is none", ["--port", "70000"], /--port must be a number from 0 to 65535/],
    ["a port in words", ["--port", "http"], /http/],
    ["a fault it does not know", ["--fault", "explode 10%"], /--fault: "explode" is not a fault. Write/],
    ["a rate above all", ["--fault", "503 101%"], /101%/],
    ["a rate without its sign", ["--fault", "503 10"], /"503 10" ends with a number: write a rate as "503 10%"\.$/m],
    ["a duration that is none", ["--latency", "soon"], /--latency "soon" is not a duration/],
    ["a latency that no timer can wait", ["--latency", "30 days"], /^--latency "30 days" is longer than 7 days\.$/m],
    ["a latency in the past", ["--latency=-5 seconds"], /^--latency "-5 seconds" is not a duration\./m],
    ["an endless lifetime", ["--session-life", "99999999 weeks"], /^--session-life .* is longer than 36500 days\.$/m],
    ["a status that is none", ["--fault", "700 10%"], /^--fault: "700" is not a fault\. Write/m],
    ["a wait without a response", ["--fault", "retry-after=2"], /^--fault: "retry-after=2": .* needs a status\.$/m],
    ["a code without a response", ["--fault", "code=declined 5%"], /^--fault: "code=declined": .* needs a status\.$/m],
    ["a status of a closed connection", ["--fault", "503 reset"], /^--fault: "503 reset": .* leave status out\.$/m],
    ["an empty host", ["--host="], /host must be an address/],
    ["a file that is not there", ["--public-key", "nowhere.pem"], /nowhere\.pem/],
    ["a file that is no key", ["--public-key", fileURLToPath(import.meta.url)], /P-521/],
    ["an option it does not know", ["--bogus"], /^Unknown option '--bogus'\. See gr4vy-sandbox --help\.$/m],
    ["a word that is no option", ["503"], /'503'.*\. See gr4vy-sandbox --help\.$/m],
    ...["--port", "--host", "--session-life", "--public-key", "--fault", "--latency"].flatMap(
      (option): ReadonlyArray<readonly [string, ReadonlyArray<string>, RegExp]> => [
        [`${option} without a value`, [option], new RegExp(`'${option} <value>' argument missing`)],
        [`${option} with another option in place of its value`, [option, "--quiet"], new RegExp(`'${option}'`)]
      ]
    ),
    ["an empty port", ["--port="], /--port must be a number/],
    ["an empty fault", ["--fault="], /--fault: "" is not a fault/]
  ]
  for (const [name, args, said] of wrong) {
    it.scopedLive(`refuses ${name}, without a stack trace`, () =>
      Effect.gen(function* () {
        const { ended, output } = yield* command(...args)
        assert.strictEqual(yield* ended, 1)
        assert.match(output.out + output.err, said)
        assert.notMatch(output.out + output.err, /\n\s+at /)
      })
    )
  }

  it.scopedLive("explains itself with --help: options, defaults, no colour in a pipe; and tells its version", () =>
    Effect.gen(function* () {
      const help = yield* command("--help")
      assert.strictEqual(yield* help.ended, 0)
      for (const [option, byDefault] of [
        ["--port", "8787"],
        ["--host", "127.0.0.1"],
        ["--session-life", '"1 hour"'],
        ["--public-key", "any token is accepted"],
        ["--fault", "none"],
        ["--latency", '"0 millis"'],
        ["--quiet", "one line each"]
      ]) {
        assert.match(help.output.out, new RegExp(`${option} (?:(?!\\n {2}--)[^])*Default: ${byDefault}`))
      }
      assert.notInclude(help.output.out, "\u001b")
      const version = yield* command("--version")
      assert.strictEqual(yield* version.ended, 0)
      const manifest = new URL("../../packages/sandbox/package.json", import.meta.url)
      assert.strictEqual(version.output.out.trim(), JSON.parse(readFileSync(manifest, "utf8")).version)
    })
  )
})
