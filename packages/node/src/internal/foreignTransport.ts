/**
 * Any `HttpClient` as the carrier of requests, with the same promises: a whole body, a cap, a time limit, no second span.
 */

import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { fromHttpClientError, protocolViolation, TransportFailure } from "@effect-gr4vy/core/TransportFailure"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { BufferedResponse } from "./BufferedResponse.js"
import { withoutInstrumentationEffect } from "./otelContext.js"
import { type Exchange, encoded, type Received, type Transport, timedOut, tooLarge } from "./transport.js"
import { within } from "./within.js"

export const make = (httpClient: HttpClient.HttpClient, maxResponseBytes: number): Transport => {
  const client = httpClient.pipe(
    HttpClient.withTracerDisabledWhen(() => true),
    HttpClient.withScope
  )

  const send = ({ millis, onEnd, request }: Exchange) => {
    let received: Received | undefined
    return client.execute(request.whole).pipe(
      // A client may have been made to fail for what is no 2xx: it is an answer all the same.
      Effect.catchTag("ResponseError", (error) =>
        error.reason === "StatusCode" ? Effect.succeed(error.response) : Effect.fail(error)
      ),
      Effect.flatMap((response) => {
        // An upgrade nobody asked for: Node's own client takes it for an answer.
        if (response.status < 200) return Effect.fail(protocolViolation())
        received = { status: response.status }
        return Effect.map(
          readBody(response, maxResponseBytes),
          (body) => new BufferedResponse(request, response.status, response.headers, body)
        )
      }),
      Effect.mapError((error) => (error instanceof TransportFailure ? error : fromHttpClientError(error))),
      Effect.scoped,
      Effect.mapErrorCause(withoutText),
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
      withoutInstrumentationEffect,
      (effect) => within(effect, millis, () => timedOut(`No whole answer within ${Math.round(millis)} ms.`, true)),
      Effect.onExit((exit) =>
        Effect.sync(() =>
          onEnd(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause) ? undefined : exit, received)
        )
      )
    )
  }
  return (begin) => Effect.suspend(() => send(begin()))
}

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

/**
 * A defect stays one: nobody can tell what it means for the request. But it may hold or quote the request, so what is
 * kept of it is its name and where it was made.
 */
const withoutText = (cause: Cause.Cause<TransportFailure>) =>
  Cause.match<typeof cause, TransportFailure>(cause, {
    onEmpty: Cause.empty,
    onFail: Cause.fail,
    onDie: (defect) => Cause.die(renamed(defect)),
    onInterrupt: Cause.interrupt,
    onSequential: Cause.sequential,
    onParallel: Cause.parallel
  })

const renamed = (defect: unknown): Error => {
  const name = defect instanceof Error && /^\w{1,64}$/.test(defect.name) ? defect.name : `thrown ${typeof defect}`
  const error = new Error(
    `The HttpClient beneath Gr4vy died of a ${name}. What it said is left out, because it may quote the request: look at that client by itself.`
  )
  const frames = defect instanceof Error ? /(?:\n {4}at [^\n]+)+$/.exec(defect.stack ?? "") : null
  error.stack = `Error: ${error.message}${frames?.[0] ?? ""}`
  return error
}
