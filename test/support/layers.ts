/**
 * The service over the two clients that there are: core's plain one, and node's pipeline with one request a call.
 */
import { FetchHttpClient } from "@effect/platform"
import { CheckoutSessions, Credentials, Gr4vyHttpClient } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { type ConfigError, Layer, Redacted } from "effect"

export const token = "eyJhbGciOiJFUzUxMiJ9.eyJpc3MiOiJ0ZXN0In0.c2lnbmF0dXJl"

export const clients: Readonly<
  Record<string, (baseUrl: string) => Layer.Layer<CheckoutSessions, ConfigError.ConfigError>>
> = {
  "core's plain layer": (baseUrl) =>
    CheckoutSessions.layer.pipe(
      Layer.provide(Gr4vyHttpClient.layer({ baseUrl })),
      Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make(token))])
    ),
  "Gr4vy.layer": (baseUrl) => Gr4vy.layer({ baseUrl, token: Redacted.make(token), retry: RetryPolicy.none })
}
