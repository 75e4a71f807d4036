/**
 * Resources by id in the order of their creation, newest first, and their pages.
 */
import { ErrorDetail, Generic, NotFound } from "@effect-gr4vy/core/Errors"
import * as Effect from "effect/Effect"
import { numberOf, type Request, textOf } from "./wire.js"

/** A resource on the wire. */
export interface Resource {
  readonly id: string
  readonly [name: string]: unknown
}

export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly limit: number
  readonly next_cursor: string | null
  readonly previous_cursor: string | null
}

const defaultLimit = 20

/** The most resources that are kept; the oldest is forgotten first. */
const maxKept = 10_000

/** Resources of one kind. */
export class Collection<A extends Resource> {
  private readonly all = new Map<string, A>()

  get(id: string): Effect.Effect<A, NotFound> {
    return this.find(id, () => true)
  }

  /** The resource with this id, if it is one that `matches`. */
  find(id: string, matches: (resource: A) => boolean): Effect.Effect<A, NotFound> {
    return Effect.suspend(() => {
      const found = this.all.get(id.toLowerCase())
      return found === undefined || !matches(found) ? Effect.fail(notFound()) : Effect.succeed(found)
    })
  }

  /** Adds a resource, or replaces it. */
  put(resource: A): A {
    this.all.set(resource.id.toLowerCase(), resource)
    const [oldest] = this.all.keys()
    if (this.all.size > maxKept && oldest !== undefined) this.all.delete(oldest)
    return resource
  }

  delete(id: string): Effect.Effect<A, NotFound> {
    return Effect.tap(this.get(id), (resource) => Effect.sync(() => this.all.delete(resource.id.toLowerCase())))
  }

  /** Newest first. */
  get values(): ReadonlyArray<A> {
    return [...this.all.values()].reverse()
  }

  /** The page after a cursor, of the resources that `matches` keeps. A cursor is opaque; it holds the position of an item. */
  page(query: Request["query"], matches: (resource: A) => boolean = () => true): Effect.Effect<Page<A>, Generic> {
    return Effect.suspend(() => {
      const limit = numberOf(query["limit"]) ?? defaultLimit
      const cursor = textOf(query["cursor"])
      const start = cursor === undefined ? 0 : positionOf(cursor)
      if (start === undefined) return Effect.fail(badCursor())
      const matching = this.values.filter(matches)
      const end = start + limit
      return Effect.succeed({
        items: matching.slice(start, end),
        limit,
        next_cursor: end < matching.length ? cursorAt(end) : null,
        previous_cursor: start > 0 ? cursorAt(Math.max(0, start - limit)) : null
      })
    })
  }
}

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

export const notFound = (message = "The resource could not be found"): NotFound =>
  new NotFound({ code: "not_found", message })

/** Of a payment, the resource that is absent is not the one in the path. */
export const noSession = (): NotFound => notFound("The checkout session of the payment does not exist, or has expired")

export const noPaymentMethod = (): NotFound => notFound("The stored payment method of the payment does not exist")

export const emptySession =
  "The session holds no payment method. Store one first: PUT /checkout/sessions/{checkout_session_id}/fields"
