#!/usr/bin/env node
/**
 * `gr4vy-sandbox`: a local Gr4vy API for any language's client. Bundled into one file by
 * `scripts/bundle-sandbox.mjs`, so that the package needs nothing more at runtime for it.
 */

import { readFile } from "node:fs/promises"
import { parseArgs, styleText } from "node:util"
import type * as HttpServerError from "@effect/platform/HttpServerError"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { parseFault } from "../src/internal/faults.js"
import { durationFrom, maxDelay, maxLifetime } from "../src/internal/options.js"
import { StartError } from "../src/internal/startError.js"
import * as Sandbox from "../src/Sandbox.js"

/** The version of the package, written by `scripts/bundle-sandbox.mjs`. */
declare const VERSION: string

const options = {
  port: { type: "string", default: "8787" },
  host: { type: "string", default: "127.0.0.1" },
  "session-life": { type: "string", default: "1 hour" },
  "public-key": { type: "string" },
  fault: { type: "string", multiple: true },
  webhooks: { type: "string" },
  "webhook-secret": { type: "string" },
  latency: { type: "string", default: "0 millis" },
  quiet: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
  version: { type: "boolean", default: false }
} as const

const help = `A local Gr4vy API, with faults on request.

gr4vy-sandbox [options]

  --port NUMBER             The port to listen on; 0 is a free one. Default: ${options.port.default}
  --host ADDRESS            The address to listen on; 0.0.0.0 lets other machines in. Default: ${options.host.default}
  --session-life DURATION   The lifetime of a new session without \`expires_in\`; at most 36500 days.
                            Default: "${options["session-life"].default}"
  --public-key FILE         Checks tokens with this P-521 public key (PEM or JWK). Default: any token is accepted
  --fault FAULT             A fault and its rate: "503 10%", "429 retry-after=2 5%", "reset 1%",
                            "reset-before 1%", "truncate 1%", "delay=2s 5%". May be repeated. Default: none
  --webhooks URL            Sends events of what happens to this URL. It needs a secret. Default: none
  --webhook-secret SECRET   Signs the events, as Gr4vy does
  --latency DURATION        The minimum duration of every response, at most 7 days.
                            Default: "${options.latency.default}"
  --quiet                   Writes no line for each request. Default: one line each
  --help                    Shows this text.
  --version                 Shows the version.
`

const duration = (name: "session-life" | "latency", text: string) => {
  const max = name === "latency" ? maxDelay : maxLifetime
  return Either.mapLeft(durationFrom(text, max), (found) =>
    found === "too long"
      ? `--${name} "${text}" is longer than ${Duration.toDays(max)} days.`
      : `--${name} "${text}" is not a duration. Write "500 millis", "2 seconds", "1 hour".`
  )
}

const webhooksFrom = (url: string | undefined, secret: string | undefined) => {
  if (url === undefined && secret === undefined) return Either.right([])
  if (url === undefined) return Either.left("--webhook-secret needs --webhooks URL.")
  if (secret === undefined || secret === "") return Either.left("--webhooks needs --webhook-secret SECRET.")
  return /^https?:\/\//i.test(url) && URL.canParse(url)
    ? Either.right([{ url, secret }])
    : Either.left("--webhooks must be an http: or https: URL.")
}

const portFrom = (text: string) =>
  /^\d{1,5}$/.test(text) && Number(text) <= 65_535
    ? Either.right(Number(text))
    : Either.left(`--port must be a number from 0 to 65535, not "${text}".`)

/** `503 retry-after=2 10%`: a fault in the words of the script header, and its rate; every request without one. */
const parseRated = (text: string): Either.Either<{ readonly rate: number; readonly fault: Sandbox.Fault }, string> => {
  const [, words = text, percent = "100"] = /^(.*?)\s+(\d{1,3}(?:\.\d+)?)%$/.exec(text.trim()) ?? []
  if (/\s(\d{1,2}|1\d\d)(\.\d+)?$/.test(words))
    return Either.left(`"${text}" ends with a number: write a rate as "${words}%".`)
  if (Number(percent) > 100) return Either.left(`"${percent}%" is above 100%.`)
  return Either.flatMap(parseFault(words), (fault) =>
    fault === undefined ? Either.left('"ok" is not a fault.') : Either.right({ rate: Number(percent) / 100, fault })
  )
}

type Style = Parameters<typeof styleText>[0]
const styled = (style: Style, text: string) => (process.stdout.isTTY ? styleText(style, text) : text)

const line = (seen: Sandbox.Seen) =>
  Effect.flatMap(DateTime.now, (now) => {
    const style: Style =
      seen.status === undefined || seen.status >= 500 ? "red" : seen.status >= 400 ? "yellow" : "green"
    const time = DateTime.formatIso(now).slice(11, 23)
    const status = styled(style, seen.status === undefined ? "cut" : String(seen.status))
    // A path outside the contract is shown without what a terminal would act on.
    const path = seen.route ?? JSON.stringify(seen.path).slice(1, -1)
    return Console.log(
      `${styled("dim", time)}  ${seen.method.padEnd(6)} ${path}  ${status}  ${seen.millis.toFixed(1)} ms`
    )
  })

const welcome = (baseUrl: string) => `${styled("bold", "Gr4vy sandbox")} at ${baseUrl}
  page     ${baseUrl}/   test cards, transactions, webhooks
  docs     ${baseUrl}/docs
  openapi  ${baseUrl}/openapi.json
  try      curl -X POST -H "Authorization: Bearer any" ${baseUrl}/checkout/sessions
Ctrl-C stops it.`

/** Parses the arguments; a `Left` describes the problem with them. */
const settings = Effect.gen(function* () {
  const { values } = yield* Either.try({
    try: () => parseArgs({ options, args: process.argv.slice(2) }),
    // Node's first sentence names the option; the rest is about positional arguments, which this command does not accept.
    catch: (error) =>
      `${(error instanceof Error ? error.message : String(error)).split(/\.\s/, 1)}. See gr4vy-sandbox --help.`
  })
  const file = values["public-key"]
  return {
    asks: values.help ? "help" : values.version ? "version" : "to serve",
    quiet: values.quiet,
    port: yield* portFrom(values.port),
    host: values.host,
    sessionLifetime: yield* duration("session-life", values["session-life"]),
    webhooks: yield* webhooksFrom(values.webhooks, values["webhook-secret"]),
    latency: yield* duration("latency", values.latency),
    faultRates: yield* Either.mapLeft(
      Either.all((values.fault ?? []).map(parseRated)),
      (message) => `--fault: ${message}`
    ),
    publicKey:
      file === undefined
        ? undefined
        : yield* Effect.tryPromise({
            try: () => readFile(file, "utf8"),
            catch: () => `--public-key: ${file} cannot be read.`
          })
  } as const
})

const serve = (given: Effect.Effect.Success<typeof settings>) => {
  const { asks: _, publicKey, quiet, ...rest } = given
  return Effect.gen(function* () {
    const { baseUrl } = yield* Sandbox.Sandbox
    yield* Console.log(welcome(baseUrl))
    yield* Effect.addFinalizer(() => Console.log("The sandbox has stopped."))
    return yield* Effect.never
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Sandbox.layer({
        ...rest,
        ...(publicKey === undefined ? {} : { publicKey }),
        ...(quiet ? {} : { onRequest: line })
      })
    ),
    Effect.mapError((error) => explain(error, rest))
  )
}

/** Why it could not start, in terms of the command's options. */
const explain = (
  error: HttpServerError.ServeError,
  { host, port }: { readonly host: string; readonly port: number }
) => {
  switch (error instanceof StartError ? error.reason : undefined) {
    case "PortInUse":
      return `Port ${port} is in use: stop what listens there, or choose another with --port (0 is a free one).`
    case "PortNotAllowed":
      return `Port ${port} is not allowed for this user: choose one above 1023 with --port.`
    case "NoSuchHost":
      return `${host} is no address of this machine: choose another with --host.`
    default:
      return error.message
  }
}

const main = Effect.flatMap(settings, (given) =>
  given.asks === "help" ? Console.log(help) : given.asks === "version" ? Console.log(VERSION) : serve(given)
)

NodeRuntime.runMain(
  Effect.tapError(main, (problem) => Console.error(problem)),
  // The error is already printed.
  { disableErrorReporting: true }
)
