/**
 * Resources by id in the order of their creation, newest first, and their pages.
 */
import { ErrorDetail, Generic, NotFound } from "@effect-gr4vy/core/Errors"
import * as Effect from "effect/Effect"

export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly limit: number
  readonly nextCursor?: string
  readonly previousCursor?: string
}

export interface PageQuery {
  readonly cursor?: string | null | undefined
  readonly limit?: number | undefined
}

const defaultLimit = 20

/** The most resources that are kept; the oldest is forgotten first. */
const maxKept = 10_000

/** Resources of one kind. */
export class Collection<A extends { readonly id: string }> {
  private readonly all = new Map<string, A>()

  get(id: string): Effect.Effect<A, NotFound> {
    return Effect.suspend(() => {
      const found = this.all.get(id.toLowerCase())
      return found === undefined ? Effect.fail(notFound()) : Effect.succeed(found)
    })
  }

  /** Adds a resource, or replaces it. */
  put(resource: A): A {
    this.all.set(resource.id.toLowerCase(), resource)
    const [oldest] = this.all.keys()
    if (this.all.size > maxKept && oldest !== undefined) this.drop(oldest)
    return resource
  }

  delete(id: string): Effect.Effect<A, NotFound> {
    return Effect.tap(this.get(id), () => Effect.sync(() => this.drop(id)))
  }

  /** Newest first. */
  get values(): ReadonlyArray<A> {
    return [...this.all.values()].reverse()
  }

  /** The page after a cursor, of the resources that `matches` keeps. */
  page({ cursor, limit = defaultLimit }: PageQuery, matches: (resource: A) => boolean = () => true) {
    return pageOf(this.values.filter(matches), { cursor, limit })
  }

  private drop(id: string): void {
    this.all.delete(id.toLowerCase())
  }
}

/** A page of a list. A cursor is opaque to a client; here it holds the position of an item. */
export const pageOf = <A>(
  all: ReadonlyArray<A>,
  { cursor, limit = defaultLimit }: PageQuery
): Effect.Effect<Page<A>, Generic> =>
  Effect.suspend(() => {
    const start = cursor === undefined || cursor === null ? 0 : positionOf(cursor)
    if (start === undefined) return Effect.fail(badCursor())
    const end = start + limit
    return Effect.succeed({
      items: all.slice(start, end),
      limit,
      ...(end < all.length ? { nextCursor: cursorAt(end) } : {}),
      ...(start > 0 ? { previousCursor: cursorAt(Math.max(0, start - limit)) } : {})
    })
  })

const cursorAt = (position: number): string => Buffer.from(`after ${position}`).toString("base64url")

const positionOf = (cursor: string): number | undefined => {
  const position = /^after (\d{1,9})$/.exec(Buffer.from(cursor, "base64url").toString())?.[1]
  return position === undefined ? undefined : Number(position)
}

const badCursor = (): Generic =>
  new Generic({
    status: 400,
    code: "bad_request",
    message: "Request failed validation",
    details: [
      new ErrorDetail({
        location: "query",
        type: "value_error",
        pointer: "cursor",
        message: "must be a cursor of this list"
      })
    ]
  })

export const notFound = (): NotFound => new NotFound({ code: "not_found", message: "The resource could not be found" })
