/**
 * A local Gr4vy Checkout Sessions API: the contract served on loopback over the in-memory service, with faults on
 * request. It keeps no card number and no security code anywhere.
 *
 * @since 0.1.0
 */

import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServer from "@effect/platform/HttpServer"
import type * as HttpServerError from "@effect/platform/HttpServerError"
import { CheckoutSessions } from "@effect-gr4vy/core/CheckoutSessions"
import { BearerAuth } from "@effect-gr4vy/core/CheckoutSessionsApi"
import * as CheckoutSessionsMemory from "@effect-gr4vy/core/CheckoutSessionsMemory"
import * as CheckoutSessionsServer from "@effect-gr4vy/core/CheckoutSessionsServer"
import { Unauthorized } from "@effect-gr4vy/core/Errors"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { serve } from "./internal/webServer.js"

/**
 * What goes wrong with one request.
 *
 * - `status`: answers with this status and the API's own error, without carrying out the request
 * - `reset`: carries out the request, then cuts the connection before an answer
 * - `delayMillis`: waits before it carries out the request
 *
 * @since 0.1.0
 * @category models
 */
export interface Fault {
  readonly status?: number
  readonly retryAfterSeconds?: number
  readonly reset?: boolean
  readonly delayMillis?: number
}

/**
 * One request as the sandbox saw it: never its body, never a token.
 *
 * @since 0.1.0
 * @category models
 */
export interface Seen {
  readonly method: string
  readonly path: string
  /** Header names in lower case; `authorization` is left out. */
  readonly headers: Readonly<Record<string, string>>
  /** The status of the answer; absent when the connection was cut. */
  readonly status?: number
}

/**
 * A running sandbox.
 *
 * @since 0.1.0
 * @category services
 */
export class Sandbox extends Context.Tag("@effect-gr4vy/node/Sandbox")<
  Sandbox,
  {
    /** `http://127.0.0.1:{port}` */
    readonly baseUrl: string
    /** What it has seen so far, oldest first. */
    readonly seen: Effect.Effect<ReadonlyArray<Seen>>
    /** Lets the next requests go wrong, one fault each, in order; `undefined` is a request that goes well. */
    readonly failNext: (...faults: ReadonlyArray<Fault | undefined>) => Effect.Effect<void>
  }
>() {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** A free port by default. */
  readonly port?: number
  /** `127.0.0.1` by default. */
  readonly host?: string
  /** How long a new session lives; 1 hour by default. */
  readonly sessionLifetime?: Duration.DurationInput
  /** Whether it makes server spans, by the tracer of whoever builds the layer; `false` by default. */
  readonly tracing?: boolean
  /** Faults for the first requests, one each, in order. */
  readonly faults?: ReadonlyArray<Fault | undefined>
}

/**
 * A sandbox that runs as long as the layer lives. Fails with a `ServeError` when the port is in use.
 *
 * @example
 * ```ts
 * import { Gr4vy, Sandbox } from "@effect-gr4vy/node"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * const Sessions = Layer.unwrapEffect(
 *   Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("any") }))
 * ).pipe(Layer.provide(Sandbox.layer()))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Sandbox, HttpServerError.ServeError> =>
  Layer.scoped(
    Sandbox,
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const tracer = yield* Effect.tracer
      const memory = yield* CheckoutSessionsMemory.make(
        options.sessionLifetime === undefined ? {} : { lifetime: options.sessionLifetime }
      )
      const seen: Array<Seen> = []
      const script = [...(options.faults ?? [])]

      const { dispose, handler } = HttpApiBuilder.toWebHandler(
        Layer.mergeAll(CheckoutSessionsServer.layer, CheckoutSessionsServer.errors, HttpServer.layerContext).pipe(
          Layer.provide(Layer.succeed(CheckoutSessions, memory)),
          Layer.provide(anyBearer),
          // Sessions expire by the clock of whoever started the sandbox, a `TestClock` too.
          Layer.provideMerge(Layer.setClock(clock)),
          // Its spans would stand in the caller's own trace, which knows nothing of another process.
          Layer.provideMerge(options.tracing === true ? Layer.setTracer(tracer) : Layer.setTracerEnabled(false))
        )
      )
      yield* Effect.addFinalizer(() => Effect.promise(dispose))

      const port = yield* serve(
        async (request, body, response) => {
          const fault = script.shift()
          const url = new URL(request.url ?? "/", "http://127.0.0.1")
          const { authorization: _, ...headers } = Object.fromEntries(
            Object.entries(request.headers).map(([key, value]) => [key, String(value)])
          )
          const entry = { method: request.method ?? "GET", path: url.pathname, headers }
          if (fault?.delayMillis !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delayMillis))
          if (fault?.status !== undefined) {
            seen.push({ ...entry, status: fault.status })
            response.writeHead(fault.status, {
              "content-type": "application/json",
              ...(fault.retryAfterSeconds === undefined ? {} : { "retry-after": String(fault.retryAfterSeconds) })
            })
            response.end(
              JSON.stringify({
                type: "error",
                code: "sandbox_fault",
                status: fault.status,
                message: "The sandbox was asked to fail.",
                details: []
              })
            )
            return
          }
          const answer = await handler(
            new Request(url, {
              method: entry.method,
              headers: Object.entries(request.headers).map(([key, value]): [string, string] => [key, String(value)]),
              body: body.length === 0 ? null : body
            })
          )
          if (fault?.reset === true) {
            seen.push(entry)
            request.socket.resetAndDestroy()
            return
          }
          seen.push({ ...entry, status: answer.status })
          response.writeHead(answer.status, Object.fromEntries(answer.headers))
          response.end(Buffer.from(await answer.arrayBuffer()))
        },
        { host: options.host ?? "127.0.0.1", port: options.port ?? 0 }
      )

      return {
        baseUrl: `http://${options.host ?? "127.0.0.1"}:${port}`,
        seen: Effect.sync(() => [...seen]),
        failNext: (...faults) => Effect.sync(() => void script.push(...faults))
      }
    })
  )

const anyBearer = Layer.succeed(
  BearerAuth,
  BearerAuth.of({
    BearerAuth: (token) =>
      Redacted.value(token) === ""
        ? Effect.fail(new Unauthorized({ code: "unauthorized", message: "No valid API authentication found" }))
        : Effect.void
  })
)
