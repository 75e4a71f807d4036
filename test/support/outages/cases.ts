/**
 * Outages as values, so that a seed gives the same plan again: what a client does, what stops its process, and what
 * its server and its network do to it. The timing of two processes is not repeatable.
 */
import { FastCheck } from "effect"

export const operations = [
  "get",
  "add",
  "update",
  "updateFields",
  "delete",
  "once",
  "keyed",
  "uploadOnce",
  "uploadPut"
] as const
export type Operation = (typeof operations)[number]

export const schedulers = ["effect", "setImmediate", "setTimeout", "any order"] as const

export const limits = { attemptTimeout: 300, deadline: 900 } as const

/** Milliseconds of the case's time. */
type Millis = number

/** One call of the client. */
export interface PlannedCall {
  readonly operation: Operation
  readonly after: Millis
  /** The size of an upload. */
  readonly bytes: number
  /** The program's own time limit. */
  readonly interruptedAfter: Millis | undefined
}

/** The event loop stops: while the nth connection is being made, after the nth request was written, or at a time. */
export interface Stall {
  readonly on: "connecting" | "written" | "time"
  readonly at: number
  readonly millis: Millis
}

/** What the client's process is told. */
export interface Plan {
  readonly scheduler: (typeof schedulers)[number]
  /** Decides the order of fibers under `"any order"`. */
  readonly seed: number
  readonly connections: number
  readonly calls: ReadonlyArray<PlannedCall>
  readonly stalls: ReadonlyArray<Stall>
}

/** What the server does to one request that it has received. */
export type Fate =
  | {
      readonly kind: "answer"
      /** 200 is the success of the operation. */
      readonly status: number
      readonly retryAfter: string | undefined
      readonly after: Millis
      /** Whether the bytes go out in several writes. */
      readonly inPieces: boolean
      /** What happens to the connection right after, unannounced. */
      readonly ending: "open" | "end" | "reset"
    }
  /** A 413 as soon as the head has arrived. The rest of the upload is read, left unread, or the connection ends. */
  | { readonly kind: "early"; readonly rest: "read" | "unread" | "end" }
  /** The connection ends without a response, or inside one. */
  | { readonly kind: "lost"; readonly at: "head" | "request" | "response"; readonly ending: "end" | "reset" }

/** The whole process is stopped for a while. */
export interface Freeze {
  readonly at: Millis
  readonly millis: Millis
}

/** The network drops every connection of the moment: later bytes vanish, or are answered with a reset. */
export interface Drop {
  readonly at: Millis
  readonly answer: "nothing" | "reset"
}

export interface Outage {
  readonly plan: Plan
  /** For each request in the order of arrival; later ones are answered at once. */
  readonly fates: ReadonlyArray<Fate>
  readonly freezes: ReadonlyArray<Freeze>
  readonly drops: ReadonlyArray<Drop>
  /** When the server closes its idle connections, unannounced. */
  readonly closes: ReadonlyArray<Millis>
}

type Any<A> = FastCheck.Arbitrary<A>

const { array, constant, constantFrom, integer, oneof, record } = FastCheck

const weighted = <A>(...choices: ReadonlyArray<readonly [weight: number, arbitrary: Any<A>]>): Any<A> =>
  oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })))

/** The time in which calls begin. */
const span = 700
const time = integer({ min: 0, max: span })

const call: Any<PlannedCall> = record({
  operation: weighted<Operation>([4, constantFrom(...operations)], [4, constantFrom("once", "keyed", "add")]),
  // Many at once, some into a quiet pool.
  after: weighted([2, constant(0)], [3, time]),
  bytes: weighted([3, integer({ min: 20_000, max: 300_000 })], [1, integer({ min: 1_000_000, max: 3_000_000 })]),
  interruptedAfter: weighted<Millis | undefined>([12, constant(undefined)], [1, integer({ min: 0, max: 400 })])
})

const stall: Any<Stall> = oneof(
  record({
    on: constantFrom<Stall["on"]>("connecting", "written"),
    at: integer({ min: 0, max: 4 }),
    millis: integer({ min: 20, max: 500 })
  }),
  record({ on: constant<Stall["on"]>("time"), at: time, millis: integer({ min: 20, max: 500 }) })
)

const delay = weighted(
  [6, constant(0)],
  [3, integer({ min: 1, max: 60 })],
  // Around the attempt's limit, and beyond it.
  [1, integer({ min: limits.attemptTimeout - 40, max: limits.attemptTimeout + 60 })]
)

const answer = (statuses: Any<{ readonly status: number; readonly retryAfter: string | undefined }>): Any<Fate> =>
  record({
    status: statuses,
    after: delay,
    inPieces: constantFrom(false, false, true),
    ending: weighted<"open" | "end" | "reset">([10, constant("open")], [2, constant("end")], [1, constant("reset")])
  }).map(({ status, ...rest }): Fate => ({ kind: "answer", ...status, ...rest }))

const fate: Any<Fate> = weighted(
  [10, answer(constant({ status: 200, retryAfter: undefined }))],
  [
    3,
    answer(
      constantFrom(
        { status: 429, retryAfter: undefined },
        { status: 503, retryAfter: "0" },
        { status: 503, retryAfter: undefined },
        { status: 500, retryAfter: undefined },
        { status: 502, retryAfter: undefined },
        { status: 409, retryAfter: undefined },
        { status: 422, retryAfter: undefined }
      )
    )
  ],
  [2, constantFrom("read" as const, "unread" as const, "end" as const).map((rest): Fate => ({ kind: "early", rest }))],
  [
    2,
    record({
      at: constantFrom("head" as const, "request" as const, "response" as const),
      ending: constantFrom("end" as const, "reset" as const)
    }).map((lost): Fate => ({ kind: "lost", ...lost }))
  ]
)

export const anyOutage: Any<Outage> = record({
  plan: record({
    scheduler: constantFrom(...schedulers),
    seed: integer({ min: 1, max: 1_000_000 }),
    connections: weighted([1, constant(1)], [1, constant(3)], [2, constant(16)]),
    calls: array(call, { minLength: 6, maxLength: 24, size: "max" }),
    stalls: array(stall, { maxLength: 3, size: "max" })
  }),
  fates: array(fate, { maxLength: 16, size: "max" }),
  freezes: array(record({ at: time, millis: integer({ min: 50, max: 1_200 }) }), { maxLength: 1 }),
  drops: array(record({ at: time, answer: constantFrom("nothing", "reset") }), { maxLength: 1 }),
  closes: array(time, { maxLength: 2 })
})

// What the two processes tell each other.

export interface Ended {
  /** When the call began and ended, in milliseconds since 1970. */
  readonly began: number
  readonly ended: number
  readonly outcome: "success" | "interrupted" | "failure" | "defect"
  /** The tag and the fields of a failure. */
  readonly tag: string | undefined
  readonly reason: string | undefined
  readonly delivered: "no" | "unknown" | "yes" | undefined
  readonly status: number | undefined
  readonly attempts: number | undefined
  /** Which call a response was for, as far as the response says. */
  readonly answered: string | undefined
  /** Where an error shows a secret. */
  readonly shows: string | undefined
  /** The message, for a reader. */
  readonly message: string | undefined
}

export type ToClient = { readonly baseUrl: string; readonly plan: Plan }

export type FromClient =
  | { readonly name: "ready" }
  | { readonly name: "began" }
  | { readonly name: "ended"; readonly calls: ReadonlyArray<Ended>; readonly stalls: number; readonly left: number }

/** Milliseconds since 1970, with fractions and the same in every process. */
export const now = (): number => performance.timeOrigin + performance.now()

/** The name of a call wherever it goes. */
export const nameOf = (call: number): string => `call-${call}`
