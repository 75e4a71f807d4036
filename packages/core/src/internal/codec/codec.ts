/**
 * Every payload and every response passes here, once. Compiled steps convert what is valid; Effect's interpreter decides
 * about everything else, and explains.
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import type * as Schema from "effect/Schema"
import { compilerOf, compilers, interpreted, openly, strictly } from "./compile.js"
import { failed, type Inner, type Lossy, needsTime, type Step, Walk } from "./step.js"

type AnySchema = Schema.Schema.AnyNoContext

/** What is sent, and the secrets that were read on the way, in the program's form and in the wire's. */
export interface Encoded {
  readonly value: unknown
  readonly secrets: ReadonlySet<string>
}

/**
 * The reason why a value cannot be converted: the schema's, JSON's, or that the schema throws or needs time.
 */
export type Refusal =
  | { readonly _tag: "Invalid"; readonly issue: ParseResult.ParseIssue }
  | { readonly _tag: "Lossy"; readonly lossy: Lossy }
  | { readonly _tag: "Undecided" }

/** `sendsUnknown` keeps properties that the schema does not have, as JSON. */
export type Encoder = (value: unknown, sendsUnknown?: boolean) => Either.Either<Encoded, Refusal>
export type Decoder = (value: unknown) => Either.Either<unknown, Refusal>

export const makeCodec = (compile: Inner) => ({
  /** Converts a value to what is sent. */
  encoder: (schema: AnySchema): Encoder => {
    const step = lazily(() => compile(schema.ast, "wire"))
    const explain = lazily(() => ParseResult.encodeUnknownEither(schema, strictly))
    const explainOpenly = lazily(() => ParseResult.encodeUnknownEither(schema, openly))
    const byInterpreter = lazily(() => interpreted(schema.ast, "wire", compile))
    return (value, sendsUnknown = false) => {
      const walk = new Walk()
      const encoded = guarded(() => step()(value, walk))
      if (encoded !== failed) return encodedBy(walk, encoded)
      const open = new Walk(sendsUnknown)
      if (sendsUnknown) {
        const encodedOpenly = guarded(() => step()(value, open))
        if (encodedOpenly !== failed) return encodedBy(open, encodedOpenly)
      }
      const error = refusal(() => (sendsUnknown ? explainOpenly : explain)()(value))
      if (error !== undefined) return Either.left(error)
      const { lossy } = sendsUnknown ? open : walk
      if (lossy !== undefined) return Either.left({ _tag: "Lossy", lossy })
      const again = new Walk(sendsUnknown)
      const accepted = guarded(() => byInterpreter()(value, again))
      if (accepted !== failed) return encodedBy(again, accepted)
      return Either.left(again.lossy === undefined ? { _tag: "Undecided" } : { _tag: "Lossy", lossy: again.lossy })
    }
  },

  /** Converts what came from the wire. */
  decoder: (schema: AnySchema): Decoder => {
    const step = lazily(() => compile(schema.ast, "decode"))
    const explain = lazily(() => ParseResult.decodeUnknownEither(schema, { errors: "all" }))
    return (value) => {
      const decoded = guarded(() => step()(value, new Walk()))
      if (decoded !== failed) return Either.right(decoded)
      try {
        const explained = explain()(value)
        return Either.mapLeft(explained, refusalOf)
      } catch {
        return Either.left({ _tag: "Undecided" })
      }
    }
  }
})

export const { decoder, encoder } = makeCodec(compilerOf(compilers))

const noSecrets: ReadonlySet<string> = new Set()

const encodedBy = ({ secrets }: Walk, value: unknown): Either.Either<Encoded, Refusal> =>
  Either.right({ value, secrets: secrets ?? noSecrets })

/** Nothing is compiled before it is used: an import stays cheap, and a schema may refer to a later one. */
const lazily = <A>(make: () => A): (() => A) => {
  let made: A | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** A getter or a schema throws, or a value is nested deeper than the stack. */
const guarded = (f: () => ReturnType<Step>): unknown => {
  try {
    return f()
  } catch {
    return failed
  }
}

const refusal = (f: () => Either.Either<unknown, ParseResult.ParseIssue>): Refusal | undefined => {
  try {
    const result = f()
    return Either.isLeft(result) ? refusalOf(result.left) : undefined
  } catch {
    return { _tag: "Undecided" }
  }
}

const refusalOf = (issue: ParseResult.ParseIssue): Refusal =>
  needsTime(issue) ? { _tag: "Undecided" } : { _tag: "Invalid", issue }
