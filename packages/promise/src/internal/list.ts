/**
 * A list of the API: one page for who awaits it, every item of every page for who iterates. Nothing is sent before either.
 */
import * as Predicate from "effect/Predicate"
import { RequestFailed } from "../errors.js"
import type { List } from "../values.js"

/** `read` asks for the page at a cursor, `undefined` is the first. `check` throws once the caller has given up. */
export interface Source {
  readonly read: (cursor: string | undefined) => Promise<unknown>
  readonly check: () => void
  /** Whether the operation takes a cursor. */
  readonly continues: boolean
}

export class Pages implements List<unknown, unknown> {
  readonly #source: Source
  #first: Promise<unknown> | undefined

  constructor(source: Source) {
    this.#source = source
  }

  get [Symbol.toStringTag](): string {
    return "List"
  }

  // biome-ignore lint/suspicious/noThenProperty: an `await` gives the first page
  then<A = unknown, B = never>(
    onPage?: ((page: unknown) => A | PromiseLike<A>) | null,
    onFailure?: ((error: unknown) => B | PromiseLike<B>) | null
  ): Promise<A | B> {
    this.#first ??= this.#source.read(undefined)
    return this.#first.then(onPage, onFailure)
  }

  catch<B = never>(onFailure?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<unknown | B> {
    return this.then(undefined, onFailure)
  }

  finally(onEnd?: (() => void) | null): Promise<unknown> {
    return this.then().finally(onEnd)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void, undefined> {
    const { check, continues, read } = this.#source
    const seen = new Set<string>()
    let page = await read(undefined)
    for (;;) {
      for (const item of itemsOf(page)) {
        check()
        yield item
      }
      const cursor = nextOf(page)
      if (cursor === undefined) return
      if (!continues) throw unreadable("This list has a further page, but the operation takes no cursor to ask for it.")
      if (seen.has(cursor)) {
        throw unreadable(
          "A page of this list leads back to an earlier page, so the list would never end. Start again from the beginning."
        )
      }
      seen.add(cursor)
      page = await read(cursor)
    }
  }
}

const itemsOf = (page: unknown): ReadonlyArray<unknown> =>
  Predicate.hasProperty(page, "items") && Array.isArray(page.items) ? page.items : []

/** An empty cursor would be the list's beginning. */
const nextOf = (page: unknown): string | undefined =>
  Predicate.hasProperty(page, "nextCursor") && Predicate.isString(page.nextCursor) && page.nextCursor !== ""
    ? page.nextCursor
    : undefined

const unreadable = (message: string): RequestFailed =>
  new RequestFailed({ reason: "InvalidResponse", delivered: "yes", attempts: 1, message })
