/**
 * A list of the API as a stream: pages follow one another by a cursor.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { RequestFailed } from "../Errors.js"

/** See `Page` of `Endpoint`. */
interface Page {
  readonly nextCursor?: string | null | undefined
  readonly next_cursor?: string | null | undefined
}

/** The pages that begin at a cursor. Each is asked for when the one before it was taken. */
export const pagesFrom = <P extends Page, E, R>(
  read: (cursor: string | undefined) => Effect.Effect<P, E, R>,
  first: string | undefined
): Stream.Stream<P, E | RequestFailed, R> =>
  Stream.suspend(() => {
    const seen = new Set<string>()
    return Stream.paginateChunkEffect(first, (cursor): Effect.Effect<Taken<P>, E | RequestFailed, R> => {
      if (cursor !== undefined) {
        if (seen.has(cursor)) return Effect.fail(repeats)
        seen.add(cursor)
      }
      return Effect.map(read(cursor), (page) => [Chunk.of(page), next(page)])
    })
  })

type Taken<P> = readonly [Chunk.Chunk<P>, Option.Option<string | undefined>]

/** An empty cursor would be the list's beginning. */
const next = ({ nextCursor, next_cursor }: Page): Option.Option<string> =>
  Option.filter(
    Option.fromNullable(nextCursor ?? next_cursor),
    Predicate.and(Predicate.isString, (cursor) => cursor !== "")
  )

const repeats = new RequestFailed({
  reason: "InvalidResponse",
  delivered: "yes",
  attempts: 1,
  message:
    "A page of this list leads back to an earlier page: its next cursor was there before, so the list would never end. Start again from the beginning."
})
