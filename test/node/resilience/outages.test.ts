/**
 * Whatever stops the client's process, its server or its network, the server's ledger agrees with the end of each call.
 * `npm run soak` tries many more cases.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { outages } from "../../support/outages/run.js"

describe("stalls, freezes, dropped connections, early responses and uploads", () => {
  it.scopedLive(
    "send no payment twice, and every call says truly whether its request arrived",
    () =>
      Effect.gen(function* () {
        const { calls, failures, freezes, outcomes, stalls } = yield* outages({
          seed: 1,
          cases: 10,
          concurrency: 4
        })
        assert.strictEqual(JSON.stringify(failures, null, 2), "[]")
        // The cases are of many kinds, or they would prove little.
        assert.isAbove(calls, 100)
        assert.isAbove(stalls, 0)
        assert.isAbove(freezes, 0)
        assert.isAbove(Object.keys(outcomes["once"] ?? {}).length, 3)
      }),
    120_000
  )
})
