/** Core with the runtime's own `fetch`. */
import { FetchHttpClient } from "@effect/platform"
import { CheckoutSessions, Credentials, Gr4vyHttpClient } from "@effect-gr4vy/core"
import { Effect, Layer } from "effect"
import { acceptance, token } from "./acceptance.js"

export const core = (baseUrl: string): Promise<ReadonlyArray<string>> =>
  Effect.runPromise(
    Effect.provide(
      acceptance,
      CheckoutSessions.layer.pipe(
        Layer.provide(Gr4vyHttpClient.layer({ baseUrl })),
        Layer.provide([Credentials.layerToken(token), FetchHttpClient.layer])
      )
    )
  )
