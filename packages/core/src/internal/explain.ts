/**
 * Says what is wrong with a value by paths and expectations alone: the value itself may be a card.
 */
import * as ParseResult from "effect/ParseResult"

export interface Problem {
  /** The way to the value, by the names of the side that was read. */
  readonly path: ReadonlyArray<string>
  readonly message: string
}

export const problems = (error: ParseResult.ParseError): ReadonlyArray<Problem> =>
  ParseResult.ArrayFormatter.formatErrorSync(error).map(({ _tag, message, path }) =>
    // The name of a property that should not be there is a value too.
    _tag === "Unexpected"
      ? { message: "has a property of an unknown name", path: path.slice(0, -1).map(String) }
      : { message, path: path.map(String) }
  )

/** The problems in one sentence, with TypeScript's names for the fields. */
export const explain = (error: ParseResult.ParseError, root: string): string =>
  problems(error)
    .map(
      ({ message, path }) =>
        `${[root, ...path].join(".").replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())} ${message}`
    )
    .join("; ")
