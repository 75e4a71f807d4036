/**
 * Any `HttpClient` as the carrier of requests, with the same promises: a whole body, a cap, a time limit, no second span.
 */

import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as PlatformClient from "@effect-gr4vy/core/unstable/PlatformClient"
import { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import { protocolViolation } from "@effect-gr4vy/core/unstable/TransportFailure"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { suppressInstrumentation } from "../otel/context.js"
import { goesToMeter } from "../otel/metric.js"
import { timeoutWithin } from "../timeoutWithin.js"
import { type Begun, encoded, type Received, type Transport, timedOut, tooLarge } from "./transport.js"

/** The `HttpClient` of the context as a transport. */
export const make = (maxResponseBytes: number): Effect.Effect<Transport, never, HttpClient.HttpClient> =>
  Effect.map(PlatformClient.fromContext, (foreign): Transport => {
    const client = HttpClient.withScope(foreign)

    const send = (begun: Begun) => {
      const { millis, request } = begun
      let received: Received | undefined
      return client.execute(request.whole).pipe(
        Effect.flatMap((response) => {
          // An upgrade nobody asked for: Node's own client takes it for an answer.
          if (response.status < 200) return Effect.fail(protocolViolation())
          received = { status: response.status }
          return Effect.map(
            readBody(response, maxResponseBytes),
            (body) => new BufferedResponse(request, response.status, response.headers, body)
          )
        }),
        Effect.scoped,
        PlatformClient.mapFailures,
        suppressInstrumentation(() => goesToMeter("auto")),
        (effect) =>
          timeoutWithin(effect, millis, () =>
            timedOut(`No whole answer timeoutWithin ${Math.round(millis)} ms.`, true)
          ),
        Effect.onExit((exit) =>
          Effect.sync(() =>
            begun.onEnd(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause) ? undefined : exit, received)
          )
        )
      )
    }
    return (begin) => Effect.suspend(() => send(begin()))
  })

const readBody = (response: HttpClientResponse.HttpClientResponse, maxBytes: number) => {
  const encoding = response.headers["content-encoding"] ?? "identity"
  if (encoding.toLowerCase() !== "identity") {
    // `fetch` decodes what it knows, but the cap could only count what comes out.
    return response.status < 300 ? Effect.fail(encoded(encoding)) : Effect.succeed("")
  }
  if (Number(response.headers["content-length"]) > maxBytes) return Effect.fail(tooLarge(maxBytes))
  let size = 0
  return response.stream.pipe(
    Stream.mapEffect((chunk) => {
      size += chunk.length
      return size > maxBytes ? Effect.fail(tooLarge(maxBytes)) : Effect.succeed(chunk)
    }),
    Stream.runCollect,
    Effect.map((chunks) => Buffer.concat(Array.from(chunks)).toString("utf8")),
    // A response without a body has an empty stream in some clients, and an error in others.
    Effect.catchIf(
      (error) => error._tag === "ResponseError" && error.reason === "EmptyBody",
      () => Effect.succeed("")
    )
  )
}
