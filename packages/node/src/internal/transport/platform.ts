/**
 * A transport over any `HttpClient`, with the same guarantees: complete body, size limit, time limit, no second span. One is
 * the other client's alone: Node's `fetch` takes a reset for the end of a body that has neither a length nor chunks.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as PlatformClient from "@effect-gr4vy/core/spi/PlatformClient"
import { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import { protocolViolation } from "@effect-gr4vy/core/spi/TransportFailure"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Stream from "effect/Stream"
import { suppressInstrumentation } from "../otel/context.js"
import { Limited } from "../pending.js"
import {
  Body,
  type Exchange,
  encoded,
  hasBody,
  incomplete,
  isIdentity,
  isPlainTransfer,
  type Lease,
  type Received,
  type Settings,
  type Transport,
  tooLarge,
  type WireRequest
} from "./transport.js"

/** The `HttpClient` of the context as a transport. It manages its own connections, so one is always free. */
export const make = ({
  counted,
  maxResponseBytes,
  requestIdNames
}: Settings): Effect.Effect<Transport, never, HttpClient.HttpClient> =>
  Effect.map(PlatformClient.fromContext, (foreign): Transport => {
    const client = HttpClient.withScope(foreign)

    const send: Lease["send"] = (request, { fiber }, millis): Exchange => {
      let received: Received | undefined
      const exchange = client.execute(toPlatform(request)).pipe(
        Effect.flatMap((response) => {
          // Node's own client accepts an unrequested upgrade as a response.
          if (response.status < 200) return Effect.fail(protocolViolation())
          received = { status: response.status, headers: response.headers }
          return Effect.map(
            readBody(request, response, maxResponseBytes),
            (text) => new BufferedResponse(request, response.status, response.headers, text, requestIdNames)
          )
        }),
        Effect.scoped,
        PlatformClient.mapFailures,
        suppressInstrumentation(counted)
      )
      const limited = new Limited(exchange, fiber, millis, () => incomplete(millis, true))
      return {
        begin: (resume) => limited.begin(resume),
        cancel: () => limited.cancel(),
        get received() {
          return received
        }
      }
    }

    const lease: Lease = { send, release: constVoid }
    return { acquire: () => lease, wait: () => ({ begin: (resume) => resume(Exit.succeed(lease)), cancel: constVoid }) }
  })

const toPlatform = ({ body, headers, method, url }: WireRequest): HttpClientRequest.HttpClientRequest => {
  const request = HttpClientRequest.make(method)(url, { headers })
  return body === undefined
    ? request
    : HttpClientRequest.setBody(request, HttpBody.uint8Array(body, headers["content-type"]))
}

const readBody = (request: WireRequest, response: HttpClientResponse.HttpClientResponse, maxBytes: number) => {
  if (!hasBody(request.method, response.status)) return Effect.succeed("")
  if (!isPlainTransfer(response.headers["transfer-encoding"])) return Effect.fail(protocolViolation())
  const encoding = response.headers["content-encoding"] ?? ""
  if (!isIdentity(encoding)) {
    // `fetch` decodes known encodings, and the size limit would only see the decoded bytes.
    return response.status < 300 ? Effect.fail(encoded(encoding)) : Effect.succeed("")
  }
  if (Number(response.headers["content-length"]) > maxBytes) return Effect.fail(tooLarge(maxBytes))
  const body = new Body(maxBytes)
  return response.stream.pipe(
    Stream.runForEach((chunk) =>
      body.add(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
        ? Effect.void
        : Effect.fail(tooLarge(maxBytes))
    ),
    // A response without a body has an empty stream in some clients, and an error in others.
    Effect.catchIf(
      (error) => error._tag === "ResponseError" && error.reason === "EmptyBody",
      () => Effect.void
    ),
    Effect.map(() => body.text)
  )
}
