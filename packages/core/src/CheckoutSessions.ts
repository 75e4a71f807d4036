/**
 * The service: create, read, fill and delete Checkout Sessions.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as HttpMethod from "@effect/platform/HttpMethod"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { CheckoutSession } from "./CheckoutSession.js"
import { CheckoutSessionId } from "./CheckoutSession.js"
import * as Endpoints from "./Endpoints.js"
import { Generic, NotFound, RequestFailed, type Unauthorized } from "./Errors.js"
import { attemptsOf, Gr4vyHttpClient } from "./Gr4vyHttpClient.js"
import { kindOf, parseJson, toError } from "./internal/answer.js"
import { explain } from "./internal/explain.js"
import { spanned } from "./internal/span.js"
import * as RetryAfter from "./RetryAfter.js"
import type { CheckoutSessionSecureFieldsUpdate } from "./SecureFields.js"

/**
 * The four operations as typed programs.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionsService {
  /**
   * Creates a Checkout Session, which lives for 1 hour. Sent at most once unless the retry policy says otherwise: a
   * second request could create a second session.
   */
  readonly add: () => Effect.Effect<CheckoutSession, Unauthorized | Generic | RequestFailed>
  /** Reads a Checkout Session. */
  readonly get: (
    id: CheckoutSessionId
  ) => Effect.Effect<CheckoutSession, Unauthorized | NotFound | Generic | RequestFailed>
  /**
   * Stores secure fields on a Checkout Session, which then lives for 5 minutes more; `get` tells its new expiry. Without
   * `update` the request has no body.
   */
  readonly updateFields: (
    id: CheckoutSessionId,
    update?: CheckoutSessionSecureFieldsUpdate
  ) => Effect.Effect<void, Unauthorized | NotFound | Generic | RequestFailed>
  /** Deletes a Checkout Session. */
  readonly delete: (id: CheckoutSessionId) => Effect.Effect<void, Unauthorized | NotFound | Generic | RequestFailed>
}

/**
 * Gr4vy Checkout Sessions. Its layers: {@link CheckoutSessions.layer} over any `Gr4vyHttpClient`, `Gr4vy.layer` of
 * `@effect-gr4vy/node` with everything wired, and `CheckoutSessionsMemory.layer` for tests.
 *
 * @example
 * ```ts
 * import { CheckoutSessions } from "@effect-gr4vy/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const sessions = yield* CheckoutSessions
 *   const session = yield* sessions.add()
 *   return yield* sessions.get(session.id)
 * })
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export class CheckoutSessions extends Context.Tag("@effect-gr4vy/core/CheckoutSessions")<
  CheckoutSessions,
  CheckoutSessionsService
>() {
  /**
   * The service over a `Gr4vyHttpClient`.
   *
   * @since 0.1.0
   */
  static readonly layer: Layer.Layer<CheckoutSessions, never, Gr4vyHttpClient> = Layer.suspend(() =>
    Layer.effect(CheckoutSessions, Effect.map(Gr4vyHttpClient, make))
  )
}

/**
 * The service over a client that is addressed and authenticated.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (client: HttpClient.HttpClient.With<RequestFailed>): CheckoutSessionsService => ({
  add: () => inSpan.add(Effect.suspend(() => send(client, addOperation, addOperation.request("")))),
  get: (id) => inSpan.get(withId(id, () => send(client, getOperation, getOperation.request(id)))),
  updateFields: (id, update) =>
    inSpan.updateFields(
      withId(id, () =>
        Effect.flatMap(encodeUpdate(update), (body) => {
          const request = updateOperation.request(id)
          return body === undefined
            ? send(client, updateOperation, request)
            : send(
                client,
                updateOperation,
                HttpClientRequest.bodyText(request, body, "application/json"),
                secretsOf(update)
              )
        })
      )
    ),
  delete: (id) => inSpan.delete(withId(id, () => send(client, deleteOperation, deleteOperation.request(id))))
})

/**
 * Wraps each operation in its span, `CheckoutSessions.{name}`.
 *
 * @internal
 */
export const inSpan = {
  add: spanned("CheckoutSessions.add"),
  get: spanned("CheckoutSessions.get"),
  updateFields: spanned("CheckoutSessions.updateFields"),
  delete: spanned("CheckoutSessions.delete")
} satisfies Record<keyof CheckoutSessionsService, unknown>

/**
 * Runs `f` unless the id was forced past its type.
 *
 * @internal
 */
export const withId = <A, E>(
  id: CheckoutSessionId,
  f: () => Effect.Effect<A, E>
): Effect.Effect<A, E | RequestFailed> =>
  Effect.suspend(
    (): Effect.Effect<A, E | RequestFailed> =>
      isId(id) ? f() : invalidRequest("the id of a Checkout Session must be 1 to 64 letters, digits, '_' or '-'")
  )

const isId = Schema.is(CheckoutSessionId)

/**
 * The JSON body of an update, or `undefined` where there is none.
 *
 * @internal
 */
export const encodeUpdate = (
  update: CheckoutSessionSecureFieldsUpdate | undefined
): Effect.Effect<string | undefined, RequestFailed> => {
  if (update === undefined) return Effect.succeed(undefined)
  const encoded = encodePayload(update)
  return Either.isRight(encoded)
    ? Effect.succeed(JSON.stringify(encoded.right))
    : invalidRequest(explain(encoded.left, "update"))
}

// A property of another name would be lost on the way: better said than lost.
const encodePayload = Schema.encodeUnknownEither(Endpoints.updateFields.payload, {
  errors: "all",
  onExcessProperty: "error"
})

const invalidRequest = (problem: string) =>
  Effect.fail(
    new RequestFailed({
      reason: "InvalidRequest",
      delivered: "no",
      attempts: 0,
      message: `Nothing was sent: ${problem}.`
    })
  )

const secretsOf = (update: CheckoutSessionSecureFieldsUpdate | undefined): ReadonlyArray<string> =>
  update?.paymentMethod === undefined
    ? []
    : [Redacted.value(update.paymentMethod.number), Redacted.value(update.paymentMethod.securityCode)]

/** An operation of the contract, made ready to be called. */
interface Operation<A, E> {
  readonly request: (id: string) => HttpClientRequest.HttpClientRequest
  /** Reads an answer with a 2xx; `undefined` where it is not what the contract says. */
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

const session = (endpoint: {
  readonly success: typeof CheckoutSession
}): Operation<CheckoutSession, never>["success"] => {
  const decode = Schema.decodeUnknownEither(endpoint.success)
  return (_, text) =>
    Either.mapLeft(Either.flatMap(parseJson(text), decode), () => `${kindOf(text)} instead of a Checkout Session`)
}

const noContent: Operation<void, never>["success"] = (status, text) =>
  status === 204 ? Either.void : Either.left(`${kindOf(text)} instead of 204 without a body`)

const addOperation: Operation<CheckoutSession, Unauthorized | Generic> = {
  request: requestOf(Endpoints.add),
  success: session(Endpoints.add),
  error: (answer) => {
    const error = toError(answer)
    if (!(error instanceof NotFound)) return error
    // The contract knows no 404 here: nothing was asked for that could be missing.
    const { code, details, message, status } = error
    return new Generic({ status, message, details, ...(code === undefined ? {} : { code }) })
  }
}

const getOperation: Operation<CheckoutSession, Unauthorized | NotFound | Generic> = {
  request: requestOf(Endpoints.get),
  success: session(Endpoints.get),
  error: toError
}

const updateOperation: Operation<void, Unauthorized | NotFound | Generic> = {
  request: requestOf(Endpoints.updateFields),
  success: noContent,
  error: toError
}

const deleteOperation: Operation<void, Unauthorized | NotFound | Generic> = {
  request: requestOf(Endpoints.delete),
  success: noContent,
  error: toError
}

const send = <A, E>(
  client: HttpClient.HttpClient.With<RequestFailed>,
  operation: Operation<A, E>,
  request: HttpClientRequest.HttpClientRequest,
  secrets: ReadonlyArray<string> = []
): Effect.Effect<A, E | RequestFailed> =>
  Effect.flatMap(client.execute(request), (response) =>
    Effect.matchEffect(response.text, {
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
  )

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
  const header = response.request.headers["authorization"]
  return header === undefined ? [] : [header.replace(/^Bearer /, "")]
}
