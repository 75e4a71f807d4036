/**
 * The service over a client of somebody else's.
 */
import type { HttpClient } from "@effect/platform"
import { CheckoutSessions, type CheckoutSessionsService, Credentials, Gr4vyHttpClient } from "@effect-gr4vy/core"
import { Gr4vy, type RetryPolicy } from "@effect-gr4vy/node"
import { Context, Effect, Layer, type Redacted, type Scope } from "effect"

type Over = (
  client: Layer.Layer<HttpClient.HttpClient>
) => (options: {
  readonly baseUrl: string
  readonly token: Redacted.Redacted
  readonly attemptTimeout?: number
  readonly retry?: RetryPolicy.RetryPolicy
}) => Effect.Effect<CheckoutSessionsService, unknown, Scope.Scope>

/** Node's pipeline. */
export const pipeline: Over = (client) => (options) =>
  Effect.map(Layer.build(Layer.provide(Gr4vy.layerWithoutTransport(options), client)), (context) =>
    Context.get(context, CheckoutSessions)
  )

/** Core's plain layer. */
export const plain: Over = (client) => (options) =>
  Effect.provide(
    CheckoutSessions,
    CheckoutSessions.layer.pipe(
      Layer.provide(Gr4vyHttpClient.layer(options)),
      Layer.provide([client, Credentials.layerToken(options.token)])
    )
  )

export const either: Readonly<Record<string, Over>> = {
  "Gr4vy.layerWithoutTransport": pipeline,
  "core's plain layer": plain
}
