/**
 * The body of a response or of a request, as text.
 */
import * as Either from "effect/Either"

/** `JSON.parse`, with the failure as a value. Skips a byte order mark, as RFC 8259 allows. */
export const parseJson = (text: string): Either.Either<unknown, void> => {
  try {
    return Either.right(JSON.parse(text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text))
  } catch {
    return Either.left(undefined)
  }
}

const byteOrderMark = 0xfeff

/** Describes a body in two or three words, without quoting it. */
export const kindOf = (text: string): string => {
  const start = text
    .replace(/^\uFEFF/, "")
    .trimStart()
    .slice(0, 64)
    .toLowerCase()
  if (start === "") return "an empty body"
  if (start.startsWith("<!doctype html") || start.startsWith("<html")) return "an HTML page"
  if (Either.isRight(parseJson(text))) return "JSON of an unexpected shape"
  return start.startsWith("{") || start.startsWith("[") ? "broken JSON" : "plain text"
}
