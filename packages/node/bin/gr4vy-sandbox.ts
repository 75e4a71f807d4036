#!/usr/bin/env node
/**
 * `gr4vy-sandbox`: a local Gr4vy Checkout Sessions API for any language's client. Bundled into one file by
 * `scripts/bundle-sandbox.mjs`, so that the package needs nothing more at runtime for it.
 */

import { styleText } from "node:util"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import type * as HttpServerError from "@effect/platform/HttpServerError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { parseFault } from "../src/internal/sandbox/faults.js"
import { version } from "../src/internal/version.js"
import * as Sandbox from "../src/Sandbox.js"

const invalid = (message: string) => ValidationError.invalidValue(HelpDoc.p(message))

const duration = (name: string) =>
  Options.text(name).pipe(
    Options.withPseudoName("duration"),
    Options.mapEffect((text) =>
      Option.match(Duration.decodeUnknown(text), {
        onNone: () =>
          Effect.fail(invalid(`--${name} "${text}" is no duration. Write "500 millis", "2 seconds", "1 hour".`)),
        onSome: Effect.succeed
      })
    )
  )

/** `503 retry-after=2 10%`: a fault in the words of the script header, and its rate; every request without one. */
const parseRated = (text: string): Either.Either<{ readonly rate: number; readonly fault: Sandbox.Fault }, string> => {
  const [, words = text, percent = "100"] = /^(.*?)\s+(\d{1,3}(?:\.\d+)?)%$/.exec(text.trim()) ?? []
  if (Number(percent) > 100) return Either.left(`"${percent}%" is more than all requests.`)
  return Either.flatMap(parseFault(words), (fault) =>
    fault === undefined ? Either.left('"ok" is no fault.') : Either.right({ rate: Number(percent) / 100, fault })
  )
}

const options = {
  port: Options.integer("port").pipe(
    Options.withDescription("The port to listen on; 0 is a free one."),
    Options.withDefault(8787),
    Options.filterMap(
      (port) => (port >= 0 && port <= 65_535 ? Option.some(port) : Option.none()),
      "--port is a number from 0 to 65535."
    )
  ),
  host: Options.text("host").pipe(
    Options.withDescription("The address to listen on; 0.0.0.0 lets other machines in."),
    Options.withDefault("127.0.0.1")
  ),
  sessionLifetime: duration("session-life").pipe(
    Options.withDescription("How long a new session lives."),
    Options.withDefault(Duration.hours(1))
  ),
  publicKey: Options.fileText("public-key").pipe(
    Options.withDescription(
      "A file with the P-521 public key (PEM or JWK) that tokens are checked with; any token will do without."
    ),
    Options.optional
  ),
  faults: Options.text("fault").pipe(
    Options.withDescription(
      'What goes wrong, and how often: "503 10%", "429 retry-after=2 5%", "reset 1%", "reset-before 1%", "truncate 1%", "delay=2s 5%". Can be given more than once.'
    ),
    Options.repeated,
    Options.mapEffect((texts) =>
      Effect.mapError(Either.all(texts.map(parseRated)), (message) => invalid(`--fault: ${message}`))
    )
  ),
  latency: duration("latency").pipe(
    Options.withDescription("How long every answer takes at least."),
    Options.withDefault(Duration.zero)
  ),
  quiet: Options.boolean("quiet").pipe(Options.withDescription("No line for each request."))
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
  docs     ${baseUrl}/docs
  openapi  ${baseUrl}/openapi.json
  try      curl -X POST -H "Authorization: Bearer any" ${baseUrl}/checkout/sessions
Ctrl-C stops it.`

const command = Command.make("gr4vy-sandbox", options, ({ faults, publicKey, quiet, ...rest }) =>
  Effect.gen(function* () {
    const { baseUrl } = yield* Sandbox.Sandbox
    yield* Console.log(welcome(baseUrl))
    yield* Effect.addFinalizer(() => Console.log("The sandbox has stopped."))
    return yield* Effect.never
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Sandbox.layer({
        ...rest,
        faultRates: faults,
        ...(Option.isSome(publicKey) ? { publicKey: publicKey.value[1] } : {}),
        ...(quiet ? {} : { onRequest: line })
      })
    ),
    Effect.catchTag("ServeError", (error) => Effect.zipRight(Console.error(reason(error, rest)), Effect.fail(error)))
  )
).pipe(Command.withDescription("A local Gr4vy Checkout Sessions API, with faults on request."))

/** Why it could not start, in one sentence. */
const reason = (
  { cause }: HttpServerError.ServeError,
  { host, port }: { readonly host: string; readonly port: number }
) => {
  const { code, message } =
    cause instanceof Error && "code" in cause ? cause : { code: undefined, message: String(cause) }
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} is in use: stop what listens there, or choose another with --port (0 is a free one).`
    case "EACCES":
      return `Port ${port} is not allowed for this user: choose one above 1023 with --port.`
    case "ENOTFOUND":
    case "EADDRNOTAVAIL":
      return `${host} is no address of this machine: choose another with --host.`
    default:
      return `The sandbox cannot start: ${message}`
  }
}

const main = Command.run(command, { name: "gr4vy-sandbox", version })

NodeRuntime.runMain(
  main(process.argv).pipe(Effect.provide(NodeContext.layer)),
  // What went wrong has been said, by the command line's parser or by `reason`.
  { disableErrorReporting: true }
)
