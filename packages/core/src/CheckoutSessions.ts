/**
 * The service: create, read, fill and delete Checkout Sessions.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CheckoutSession, CheckoutSessionId } from "./CheckoutSession.js"
import type { Generic, NotFound, RequestFailed, Unauthorized } from "./Errors.js"
import { Gr4vyHttpClient } from "./Gr4vyHttpClient.js"
import { encodeUpdate, secretsOf, withId } from "./internal/input.js"
import { addOperation, deleteOperation, getOperation, send, updateOperation } from "./internal/operation.js"
import type { CheckoutSessionSecureFieldsUpdate } from "./SecureFields.js"
import { spanned } from "./unstable/Span.js"

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
  add: () => inSpan.add(send(client, addOperation, addOperation.request(""))),
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
