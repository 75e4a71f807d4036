/**
 * The operations as the client carries them out: how a request is built, and what its answer means.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as HttpMethod from "@effect/platform/HttpMethod"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type CheckoutSession, fromWire } from "../CheckoutSession.js"
import * as Endpoints from "../Endpoints.js"
import { Generic, NotFound, RequestFailed, type Unauthorized } from "../Errors.js"
import { attemptsOf, BufferedResponse } from "../unstable/Response.js"
import * as RetryAfter from "../unstable/RetryAfter.js"
import { kindOf, parseJson, toError } from "./answer.js"
import { settled } from "./settled.js"

/** An operation of the contract, made ready to be called. */
export interface Operation<A, E> {
  readonly request: (id: string) => HttpClientRequest.HttpClientRequest
  /** Reads an answer with a 2xx, or tells what came where it is not what the contract says. */
  readonly success: (status: number, text: string) => Either.Either<A, string>
  readonly error: (answer: Parameters<typeof toError>[0]) => E
}

const requestOf = (endpoint: {
  readonly method: HttpMethod.HttpMethod
  readonly path: string
}): Operation<never, never>["request"] => {
  const template = HttpClientRequest.make(endpoint.method)("", { acceptJson: true })
  const [before = "", after = ""] = endpoint.path.split(":checkout_session_id")
  return (id) => HttpClientRequest.setUrl(template, before + id + after)
}

const session: Operation<CheckoutSession, never>["success"] = (_, text) =>
  Either.mapLeft(Either.flatMap(parseJson(text), fromWire), () => `${kindOf(text)} instead of a Checkout Session`)

const noContent: Operation<void, never>["success"] = (status, text) =>
  status === 204 ? Either.void : Either.left(`${kindOf(text)} instead of 204 without a body`)

export const addOperation: Operation<CheckoutSession, Unauthorized | Generic> = {
  request: requestOf(Endpoints.add),
  success: session,
  error: (answer) => {
    const error = toError(answer)
    if (!(error instanceof NotFound)) return error
    // The contract knows no 404 here: nothing was asked for that could be missing.
    const { code, details, message, status } = error
    return new Generic({ status, message, details, ...(code === undefined ? {} : { code }) })
  }
}

export const getOperation: Operation<CheckoutSession, Unauthorized | NotFound | Generic> = {
  request: requestOf(Endpoints.get),
  success: session,
  error: toError
}

export const updateOperation: Operation<void, Unauthorized | NotFound | Generic> = {
  request: requestOf(Endpoints.updateFields),
  success: noContent,
  error: toError
}

export const deleteOperation: Operation<void, Unauthorized | NotFound | Generic> = {
  request: requestOf(Endpoints.delete),
  success: noContent,
  error: toError
}

/** Sends a request of an operation, and reads its answer. */
export const send = <A, E>(
  client: HttpClient.HttpClient.With<RequestFailed>,
  operation: Operation<A, E>,
  request: HttpClientRequest.HttpClientRequest,
  secrets: ReadonlyArray<string> = []
): Effect.Effect<A, E | RequestFailed> =>
  Effect.flatMap(client.execute(request), (response) => {
    const whole = response.text
    const exit = settled(whole)
    if (exit?._tag === "Success") return decode(operation, response, exit.value, secrets)
    return Effect.matchEffect(whole, {
      onSuccess: (text) => decode(operation, response, text, secrets),
      onFailure: () =>
        Effect.fail(
          new RequestFailed({
            reason: "Disconnected",
            delivered: "unknown",
            attempts: attemptsOf(response),
            message:
              "The connection was lost before a whole answer had arrived. Whether the API acted on the request is unknown."
          })
        )
    })
  })

const decode = <A, E>(
  operation: Operation<A, E>,
  response: HttpClientResponse.HttpClientResponse,
  text: string,
  secrets: ReadonlyArray<string>
): Effect.Effect<A, E | RequestFailed> => {
  if (response.status >= 200 && response.status < 300) {
    const result = operation.success(response.status, text)
    return Either.isRight(result)
      ? Effect.succeed(result.right)
      : Effect.fail(
          new RequestFailed({
            reason: "InvalidResponse",
            delivered: "yes",
            attempts: attemptsOf(response),
            message: `The API answered ${response.status} with ${result.left}. Check the base URL, and what stands between you and the API.`
          })
        )
  }
  return Clock.clockWith((clock) =>
    Effect.fail(
      operation.error({
        status: response.status,
        text,
        retryAfter: RetryAfter.parse(response.headers["retry-after"], clock.unsafeCurrentTimeMillis()),
        secrets: [...secrets, ...tokenOf(response)]
      })
    )
  )
}

const tokenOf = (response: HttpClientResponse.HttpClientResponse): ReadonlyArray<string> => {
  const header = BufferedResponse.authorizationOf(response)
  return header === undefined ? [] : [header.replace(/^Bearer /, "")]
}
