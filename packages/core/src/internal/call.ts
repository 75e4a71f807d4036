/**
 * One call of an endpoint: sends its request and converts the response to a success or a typed error.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Endpoint from "../Endpoint.js"
import { RequestFailed } from "../Errors.js"
import type { Unusable } from "../unstable/EndpointRequest.js"
import { attemptsOf, BufferedResponse, requestIdOf } from "../unstable/Response.js"
import * as RetryAfter from "../unstable/RetryAfter.js"
import { decodeError } from "./decodeError.js"
import { encodeRequest } from "./encodeRequest.js"
import { secretsIn } from "./scrub.js"

/** The function of an endpoint, without its span. */
export const call = (
  client: HttpClient.HttpClient.With<RequestFailed>,
  endpoint: Endpoint.Any
): ((args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>) => {
  const encode = encodeRequest(endpoint)
  const toError = decodeError(endpoint)

  return (args) => {
    const request = encode(args)
    if (Either.isLeft(request)) return Effect.fail(request.left)
    const read = (response: HttpClientResponse.HttpClientResponse, text: string): Effect.Effect<unknown, unknown> => {
      if (response.status >= 200 && response.status < 300) {
        const success =
          response instanceof BufferedResponse
            ? response.decodedBy(request.right)
            : request.right.decode(response.status, text)
        return Either.isRight(success)
          ? Effect.succeed(success.right)
          : Effect.fail(invalidResponse(response, success.left))
      }
      return Clock.clockWith((clock) =>
        Effect.fail(
          toError({
            status: response.status,
            text,
            attempts: attemptsOf(response),
            requestId: requestIdOf(response),
            retryAfter: RetryAfter.fromHeaders(response.headers, clock.unsafeCurrentTimeMillis()),
            // Secrets are collected on the error path only: walking the payload costs more than a successful call.
            secrets: [...secretsIn(args), ...BufferedResponse.tokenOf(response)]
          })
        )
      )
    }
    return Effect.flatMap(client.execute(request.right), (response) =>
      Effect.matchEffect(response.text, {
        onSuccess: (text) => read(response, text),
        onFailure: () => Effect.fail(lostBody(response))
      })
    )
  }
}

const invalidResponse = (response: HttpClientResponse.HttpClientResponse, { found }: Unusable): RequestFailed => {
  const requestId = requestIdOf(response)
  return new RequestFailed({
    reason: "InvalidResponse",
    delivered: "yes",
    attempts: attemptsOf(response),
    ...(requestId === undefined ? {} : { requestId }),
    message: `The API responded with status ${response.status} and ${found}. Check the base URL, and any proxy between you and the API.`
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
