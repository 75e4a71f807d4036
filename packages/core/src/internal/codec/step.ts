/**
 * A step of the codec, and the state of one walk over a value: the secrets it read, and what JSON would have changed in
 * silence.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as AST from "effect/SchemaAST"

/**
 * - `decode`: from the wire; unknown properties are left out.
 * - `check`: the type side of what is encoded; unknown properties fail, as in all that is encoded.
 * - `encode`: to a form that another step takes further.
 * - `wire`: to the form that is sent, which JSON must be able to hold.
 */
export type Mode = "decode" | "check" | "encode" | "wire"

export const isDecoding = (mode: Mode): boolean => mode === "decode" || mode === "check"

/** The result of a step that did not accept its value. Effect's interpreter then decides and explains. */
export const failed: unique symbol = Symbol("@effect-gr4vy/core/codec/failed")

/** A step reads a value and returns it converted, or {@link failed}. */
export type Step = (value: unknown, walk: Walk) => unknown

/** Compiles what is inside a node. */
export type Inner = (ast: AST.AST, mode: Mode) => Step

/** Compiles one kind of node. */
export type Compile<Node extends AST.AST = AST.AST> = (node: Node, mode: Mode, compile: Inner) => Step

/** What JSON would change in silence, and where. */
export interface Lossy {
  readonly path: ReadonlyArray<PropertyKey>
  readonly expected: string
}

export class Walk {
  /** The values of every `Redacted` that was read, and what they are on the wire. */
  secrets: Set<string> | undefined = undefined
  /** How many `Redacted` values were read so far. */
  reads = 0
  lossy: Lossy | undefined = undefined
  /** Whether the codec cannot tell if a value is valid: a function that throws, or that needs time. */
  undecided = false

  /** How many properties were kept that a schema does not have. */
  unknown = 0

  /** `sendsUnknown` keeps properties that a schema does not have. */
  constructor(readonly sendsUnknown = false) {}

  /** Fails, because JSON has no such value. */
  loses(expected: string): typeof failed {
    this.lossy = { path: [], expected }
    return failed
  }

  /** Fails like the value under this key. */
  failedAt(key: PropertyKey): typeof failed {
    if (this.lossy !== undefined) this.lossy = { path: [key, ...this.lossy.path], expected: this.lossy.expected }
    return failed
  }

  /** Keeps the content of a `Redacted`, so that it can be removed from a server's messages. */
  read(redacted: Redacted.Redacted<unknown>): void {
    this.reads++
    for (const leaf of leavesOf(Redacted.value(redacted))) this.keep(leaf)
  }

  /** Keeps what a secret has become: the leaves of `after` that are not visible in `before`. */
  became(before: unknown, after: unknown): void {
    const visible = leavesOf(before)
    for (const leaf of leavesOf(after)) if (!visible.has(leaf)) this.keep(leaf)
  }

  private keep(secret: string): void {
    this.secrets ??= new Set()
    this.secrets.add(secret)
  }
}

/** Every string, number and time in a value, as text, but for those inside a `Redacted`. */
const leavesOf = (value: unknown): Set<string> => {
  const leaves = new Set<string>()
  const seen = new Set<object>()
  const visit = (part: unknown): void => {
    if (Predicate.isString(part) || Predicate.isNumber(part) || Predicate.isBigInt(part)) {
      leaves.add(String(part))
      return
    }
    if (!Predicate.isObject(part) || Predicate.isFunction(part) || seen.has(part) || Redacted.isRedacted(part)) return
    seen.add(part)
    if (part instanceof Date) {
      if (!Number.isNaN(part.getTime())) leaves.add(part.toISOString())
    } else if (ArrayBuffer.isView(part)) {
      leaves.add(new TextDecoder().decode(part))
    } else {
      if (Predicate.isIterable(part)) for (const each of part) visit(each)
      for (const key of Object.keys(part)) visit(Reflect.get(part, key))
    }
  }
  visit(value)
  leaves.delete("")
  return leaves
}

/** The result of a function of a schema, which may be an effect that needs no time. */
export const run = (f: () => Effect.Effect<unknown, ParseResult.ParseIssue, unknown>, walk: Walk): unknown => {
  try {
    // A syntax tree does not tell that the schemas here need no services, as their types do.
    const result = f() as Effect.Effect<unknown, ParseResult.ParseIssue>
    if (Either.isEither(result)) return Either.isRight(result) ? result.right : failed
    const exit = Effect.runSyncExit(result)
    if (Exit.isSuccess(exit)) return exit.value
    return exit.cause._tag === "Fail" ? failed : undecided(walk)
  } catch {
    return undecided(walk)
  }
}

export const undecided = (walk: Walk): typeof failed => {
  walk.undecided = true
  return failed
}

/** Whether a schema's function does asynchronous work, or lacks a service. */
export const needsTime = (issue: ParseResult.ParseIssue): boolean => {
  switch (issue._tag) {
    case "Forbidden":
      return true
    case "Pointer":
    case "Refinement":
    case "Transformation":
      return needsTime(issue.issue)
    case "Composite":
      return [issue.issues].flat().some(needsTime)
    default:
      return false
  }
}

/** Every `Redacted` in a value. */
export const redactedsIn = (value: unknown): ReadonlyArray<Redacted.Redacted<unknown>> => {
  const found: Array<Redacted.Redacted<unknown>> = []
  const seen = new Set<object>()
  const visit = (part: unknown): void => {
    if (!Predicate.isObject(part) || Predicate.isFunction(part) || seen.has(part)) return
    seen.add(part)
    if (Redacted.isRedacted(part)) {
      found.push(part)
      return
    }
    if (ArrayBuffer.isView(part)) return
    if (Predicate.isIterable(part)) for (const each of part) visit(each)
    for (const key of Object.keys(part)) visit(Reflect.get(part, key))
  }
  visit(value)
  return found
}
