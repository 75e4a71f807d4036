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
 * The event of a webhook.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebhookEvent {
  /** Always `"event"` today. */
  readonly type: string
  /** The id of the event: the same for each delivery. Store it to handle an event once. */
  readonly id: string
  /** The name of the event, e.g. `"transaction.captured"`; an open set. */
  readonly name: string
  /** The time of the event; absent if the API sent no date and time with an offset. */
  readonly createdAt?: Date
  /** The merchant account of the event, e.g. `"default"`. */
  readonly merchantAccountId?: string
  /** The resource of the event, as the API sent it, with names in snake_case, e.g. `target["id"]`. */
  readonly target: Readonly<Record<string, unknown>>
}

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
