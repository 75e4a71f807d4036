import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionsMemory } from "@effect-gr4vy/core"
import { quickstart } from "@effect-gr4vy/examples/01-quickstart"
import { SessionsInSandbox } from "@effect-gr4vy/examples/support/run"
import { Effect } from "effect"

describe("the quickstart has the same outcome", () => {
  it.live("through Gr4vy.layer", () =>
    Effect.map(quickstart, (outcome) => assert.strictEqual(outcome, "gone: The resource could not be found")).pipe(
      Effect.provide(SessionsInSandbox)
    )
  )

  it.live("through the in-memory service", () =>
    Effect.map(quickstart, (outcome) => assert.strictEqual(outcome, "gone: The resource could not be found")).pipe(
      Effect.provide(CheckoutSessionsMemory.layer)
    )
  )
})
