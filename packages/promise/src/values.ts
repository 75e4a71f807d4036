/**
 * The values of requests and responses that are none of a session.
 */

/**
 * A duration: milliseconds, or a number with its unit, e.g. `"10 seconds"`.
 *
 * @since 0.1.0
 * @category models
 */
export type Duration = number | `${number} ${"milli" | "second" | "minute" | "hour" | "day"}${"" | "s"}`

/**
 * Headers in any form: a record (names in any case), a `Headers`, a `Map`, or pairs.
 *
 * @since 0.1.0
 * @category models
 */
export type HeadersInput =
  | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  | Iterable<readonly [name: string, value: string | ReadonlyArray<string> | undefined]>
  // `Headers`: its iterator is not part of every runtime's types.
  | { readonly get: (name: string) => string | null }

/**
 * A dispatcher of undici 7 or later, e.g. `ProxyAgent`, `Agent`, `Pool` or `MockAgent`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Dispatcher {
  /** Sends a request and reports to the handler. */
  dispatch(options: object, handler: object): boolean
}

/**
 * A query: a list repeats its name, `null` and `undefined` are absent.
 *
 * @since 0.1.0
 * @category models
 */
export type Query = Readonly<Record<string, QueryValue | ReadonlyArray<QueryValue> | null | undefined>>

type QueryValue = string | number | boolean

/**
 * A list of the API. Awaited it is its first page, with a `nextCursor` if there are more; iterated with `for await` it is
 * every item of every page, one page in memory. Nothing is sent before. A `break` or the call's `signal` stops it.
 *
 * @since 0.1.0
 * @category models
 */
export interface List<Page, Item> extends Promise<Page>, AsyncIterable<Item> {}
