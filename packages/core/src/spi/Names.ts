/**
 * Misspelt names of options and properties. TypeScript refuses them; plain JavaScript would drop them silently.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"

/** The most names in one message. */
const maxNames = 20

/** A longer name, or one with other characters, may be a secret in the wrong place: it is not shown. */
const isShown = (name: string): boolean => /^[A-Za-z][A-Za-z_-]{0,39}$/.test(name)

/** Ignores case, separators and the plural, so that `retries` is `retry`. */
const plain = (name: string): string => name.replace(/[_-]/g, "").toLowerCase().replace(/ies$/, "y").replace(/s$/, "")

/** The Levenshtein distance: the number of characters to insert, delete or replace. */
const distance = (one: string, other: string): number => {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[other.length] ?? 0
}

/** A name that lacks a word of the other, as `attempts` for `maxAttempts`, counts as two characters apart. */
const apart = (one: string, other: string): number =>
  Math.min(one.length > 3 && other.includes(one) ? 2 : Number.POSITIVE_INFINITY, distance(one, other))

const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const given = plain(name.slice(0, 64))
  return known
    .map((each) => ({ each, apart: apart(given, plain(each)) }))
    .filter(({ apart }) => apart <= Math.max(given.length > 3 ? 2 : 1, given.length / 3))
    .sort((one, other) => one.apart - other.apart)[0]?.each
}

/**
 * Returns the advice for a name that is not known: the nearest known name, or all of them.
 *
 * @since 0.1.0
 * @category messages
 */
export const advice = (name: string, known: ReadonlyArray<string>): string => {
  const near = nearest(name, known)
  if (near !== undefined) return `did you mean ${near}?`
  return `known: ${known.slice(0, maxNames).join(", ")}${known.length > maxNames ? ", …" : ""}`
}

/**
 * The names of an object's properties, with those it inherits and the getters of its class: `Object.keys` does not list them.
 *
 * @since 0.1.0
 * @category names
 */
export const namesIn = (given: object): ReadonlyArray<string> => {
  const names = new Set(Object.keys(given))
  for (
    let prototype = Object.getPrototypeOf(given);
    prototype !== null && Object.getPrototypeOf(prototype) !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const [name, { enumerable, get, value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (get !== undefined || (enumerable === true && !Predicate.isFunction(value))) names.add(name)
    }
  }
  return [...names]
}

/**
 * Returns a message about the first property that is not one of the `known` names, or `undefined` if there is none. It
 * never contains a value. A property that is `undefined` counts as absent. `"near"` reports only a name that resembles a
 * known one that is missing, for options that may be shared with other functions. Anything but an object gets a message, too.
 *
 * @since 0.1.0
 * @category messages
 */
export const unknownName = (
  given: object,
  known: object,
  which: "any" | "near" = "any"
): { readonly name: string; readonly message: string } | undefined => {
  // Plain JavaScript may give anything: the instance's id alone, a Promise without its await, a Map.
  if (!Predicate.isRecord(given) || Object.prototype.toString.call(given) !== "[object Object]")
    return { name: "options", message: "give an object of options" }
  const names = Object.keys(known)
  const has = (key: string) => Reflect.get(given, key) !== undefined
  const isMisspelt = (key: string) => {
    const near = nearest(key, names)
    return near !== undefined && !has(near)
  }
  const name = namesIn(given).find(
    (key) => !Object.hasOwn(known, key) && has(key) && (which === "any" || isMisspelt(key))
  )
  if (name === undefined) return undefined
  const shown = isShown(name)
  return {
    name: shown ? name : "options",
    message: `there is no option ${shown ? `"${name}"` : "of this name"} (${advice(name, names)})`
  }
}
