import { Endpoint } from "@effect-gr4vy/core"
import { Effect, Stream } from "effect"
import { type Dispute, Disputes } from "./disputes.js"

/** Accepts every open dispute below an amount, one after the other, and returns those that were still open. */
export const acceptSmall = (below: number) =>
  Effect.gen(function* () {
    const disputes = yield* Disputes
    const accept = ({ id }: Dispute) =>
      disputes.accept(id, { status: "accepted" }).pipe(
        Effect.asSome,
        Effect.catchTag("AlreadyClosed", () => Effect.succeedNone)
      )
    return yield* Endpoint.items(disputes.list, { limit: 50, status: ["open"] }).pipe(
      Stream.filter(({ amount }) => amount < below),
      Stream.mapEffect(accept),
      Stream.filterMap((accepted) => accepted),
      Stream.runCollect
    )
  })
