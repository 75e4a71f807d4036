/**
 * Resources as the API sends them: JSON with its own names. A request has passed its endpoint's schemas before.
 */
import type { Generic, NotFound } from "@effect-gr4vy/core/Errors"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

/** A request of an endpoint. */
export interface Request {
  /** The parameters of the path. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  /** The body as it was sent; an empty object for none. */
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The idempotency key; a new one for a request without. */
  readonly key: string
}

/** Answers a request with JSON, or with nothing. */
export type Handler = (request: Request) => Effect.Effect<unknown, Generic | NotFound>

/** Handlers by the names of their endpoints, nested as these are. */
export interface Handlers {
  readonly [name: string]: Handler | Handlers
}

/** The only parameter of a path, or the last. */
export const one = ({ params }: Request): string => Object.values(params).at(-1) ?? ""

/** The first of several parameters. */
export const owner = ({ params }: Request): string => Object.values(params)[0] ?? ""

/** A text of a body or a query. */
export const textOf = (value: unknown): string | undefined => (Predicate.isString(value) ? value : undefined)

/** A number of a body or a query. */
export const numberOf = (value: unknown): number | undefined =>
  Predicate.isNumber(value) ? value : Predicate.isString(value) && /^\d+$/.test(value) ? Number(value) : undefined

/** The time, as the API writes it. */
export const now: Effect.Effect<string> = Effect.map(DateTime.now, DateTime.formatIso)

/** These properties of a body; an absent one is `null`. */
export const pick = (body: Readonly<Record<string, unknown>>, names: ReadonlyArray<string>): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, body[name] ?? null]))

/** Whether a filter of a list lets a value pass: it is absent, the value itself, or a list with the value. */
export const passes = (asked: unknown, value: unknown): boolean =>
  asked === undefined || (Array.isArray(asked) ? asked.includes(value) : asked === value)

/** The ID of a resource that stands inside another one, or is `null`. */
export const idIn = (resource: unknown): string | undefined =>
  Predicate.isRecord(resource) ? textOf(resource["id"]) : undefined
