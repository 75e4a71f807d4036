// Run where the packages were installed: an error that node's layer fails with is an instance of core's class.
import { CheckoutSessionId, CheckoutSessions, NotFound } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Effect } from "effect"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const error = await CheckoutSessions.pipe(
  Effect.flatMap((sessions) => sessions.get(id)),
  Effect.flip,
  Effect.provide(Gr4vy.layerConfig()),
  Effect.runPromise
)
if (!(error instanceof NotFound)) throw new Error(`There are two cores: ${error}`)
