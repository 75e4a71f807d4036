/**
 * Testing code that uses endpoints of your own: no network. The fake has the functions that the test needs, and checks
 * their arguments as the real service does.
 *
 *   npx vitest run examples/16-own-endpoints.test.ts
 */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect } from "effect"
import { AlreadyClosed, type Dispute, Disputes } from "./16-own-endpoints/disputes.js"
import { acceptSmall } from "./16-own-endpoints/smallDisputes.js"

const dispute = (id: string, amount: number): Dispute => ({ id, amount, status: "open" })

/** Two pages of disputes; `d3` was closed in between. */
const TwoPages = Disputes.fake({
  list: ({ cursor } = {}) =>
    Effect.succeed(
      cursor === undefined
        ? { items: [dispute("d1", 500), dispute("d2", 90_000)], next_cursor: "p2" }
        : { items: [dispute("d3", 700)], next_cursor: null }
    ),
  accept: (id, { status }) =>
    id === "d3"
      ? Effect.fail(new AlreadyClosed({ code: "dispute_closed", message: "The dispute is closed" }))
      : Effect.succeed({ ...dispute(id, 500), status })
})

describe("acceptSmall", () => {
  it.effect("accepts what is small and still open, over all pages", () =>
    Effect.gen(function* () {
      const accepted = yield* acceptSmall(1000)
      assert.deepStrictEqual(Chunk.toReadonlyArray(accepted), [{ id: "d1", amount: 500, status: "accepted" }])
    }).pipe(Effect.provide(TwoPages))
  )
})
