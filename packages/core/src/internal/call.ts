/**
 * One call of an endpoint: sends its request and converts the response to a success or a typed error.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { RequestFailed } from "../Errors.js"
import type { EndpointRequest, Unusable } from "../spi/EndpointRequest.js"
import { onRefusedOf } from "../spi/Refused.js"
import { attemptsOf, BufferedResponse, requestIdOf } from "../spi/Response.js"
import * as RetryAfter from "../spi/RetryAfter.js"
import { decodeError } from "./decodeError.js"
import { encodeRequest } from "./encodeRequest.js"
import type * as Endpoint from "./endpoint.js"

/** The function of an endpoint, without its span. */
export const call = (
  client: HttpClient.HttpClient.With<RequestFailed>,
  endpoint: Endpoint.Any
): ((args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>) => {
  const encode = encodeRequest(endpoint)
  const toError = decodeError(endpoint)
  const onRefused = onRefusedOf(client)

  const fail = (request: EndpointRequest, response: HttpClientResponse.HttpClientResponse, text: string) => {
    const secrets = request.secrets()
    return Clock.clockWith((clock) =>
      Effect.fail(
        toError({
          status: response.status,
          text,
          attempts: attemptsOf(response),
          requestId: requestIdOf(response, secrets),
          retryAfter: RetryAfter.fromHeaders(response.headers, clock.unsafeCurrentTimeMillis()),
          secrets: [...secrets, ...BufferedResponse.tokenOf(response)]
        })
      )
    )
  }

  return (args) => {
    const encoded = encode(args)
    if (Either.isLeft(encoded)) {
      const failed = Effect.fail(encoded.left)
      return onRefused === undefined ? failed : Effect.zipRight(onRefused(endpoint, encoded.left), failed)
    }
    const request = encoded.right
    const succeed = (
      response: HttpClientResponse.HttpClientResponse,
      success: Either.Either<unknown, Unusable>
    ): Effect.Effect<unknown, unknown> => {
      if (Either.isRight(success)) return Effect.succeed(success.right)
      const fail = (reason: Unusable) => unusable(invalidResponse(response, reason, request.secrets()))
      return success.left.later === undefined ? fail(success.left) : Effect.catchAll(success.left.later, fail)
    }

    return Effect.flatMap(client.execute(request), (response) => {
      const isSuccess = response.status >= 200 && response.status < 300
      // Its text is here already, and the attempt may have decoded it.
      if (isSuccess && response instanceof BufferedResponse) return succeed(response, response.decodedBy(request))
      return Effect.matchEffect(response.text, {
        onSuccess: (text) =>
          isSuccess ? succeed(response, request.decode(response.status, text)) : fail(request, response, text),
        onFailure: () => Effect.fail(lostBody(response))
      })
    })
  }
}

/** The failure, and a line in the log that says which property does not fit. */
const unusable = (failure: RequestFailed): Effect.Effect<never, RequestFailed> =>
  Effect.zipRight(Effect.logDebug(failure.message), Effect.fail(failure))

const invalidResponse = (
  response: HttpClientResponse.HttpClientResponse,
  { found, misdirected, problem }: Unusable,
  secrets: ReadonlyArray<string>
): RequestFailed => {
  // The response to another request says nothing of this one.
  const requestId = misdirected ? undefined : requestIdOf(response, secrets)
  const came = `The API responded with status ${response.status} and ${found}`
  return new RequestFailed({
    reason: "InvalidResponse",
    delivered: misdirected ? "unknown" : "yes",
    attempts: attemptsOf(response),
    ...(requestId === undefined ? {} : { requestId }),
    message:
      problem === undefined || misdirected
        ? `${came}. ${misdirected ? "Whether the API acted on this request is unknown. " : ""}Check the base URL, and any proxy between you and the API.`
        : `${came}: ${problem}. The API may have acted on the request, but this version cannot read its response.`
  })
}

const lostBody = (response: HttpClientResponse.HttpClientResponse): RequestFailed =>
  new RequestFailed({
    reason: "Disconnected",
    delivered: "unknown",
    attempts: attemptsOf(response),
    message:
      "The connection was lost before the response was complete. Whether the API acted on the request is unknown."
  })
