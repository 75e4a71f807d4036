/**
 * What JSON would change in silence is refused: a number it cannot hold becomes `null`, a `Map` or a `Promise` becomes
 * `{}`, `undefined` disappears. An amount that is lost that way refunds everything.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { failed, redactedsIn, type Step, type Walk } from "./step.js"

/** Copies a value as JSON has it. Every property is read once, so that what is checked is what is sent. */
export const jsonValue: Step = (value, walk) => copy(value, walk, [])

const copy = (value: unknown, walk: Walk, within: ReadonlyArray<object>): unknown => {
  if (value === null || Predicate.isString(value) || Predicate.isBoolean(value)) return value
  if (Predicate.isNumber(value)) return finite(value, walk)
  if (value === undefined) return walk.loses("present, or left out: JSON has no undefined")
  if (!Predicate.isObject(value) || Predicate.isFunction(value)) {
    return walk.loses(`a JSON value, not a ${typeof value}`)
  }
  if (Redacted.isRedacted(value)) return walk.loses("a plain value: JSON would hold <redacted> in place of a Redacted")
  if (within.includes(value)) return walk.loses("free of cycles")
  const inside = [...within, value]
  if (Array.isArray(value)) {
    const items: Array<unknown> = []
    for (let i = 0; i < value.length; i++) {
      const item = copy(value[i], walk, inside)
      if (item === failed) return walk.failedAt(i)
      items.push(item)
    }
    if (Object.keys(value).length > value.length) return walk.loses("an array without properties of its own")
    return items
  }
  const kind = lossyKind(value)
  if (kind !== undefined) return walk.loses(`a JSON value, not ${kind}`)
  const toJSON: unknown = Reflect.get(value, "toJSON")
  if (Predicate.isFunction(toJSON)) {
    return redactedsIn(value).length > 0
      ? walk.loses("a plain value: JSON would hold <redacted> in place of the Redacted inside")
      : copy(Reflect.apply(toJSON, value, [""]), walk, inside)
  }
  if (hasInheritedState(value)) {
    return walk.loses("a plain object: JSON leaves out what it inherits, e.g. a class's getters")
  }
  const keys = Object.keys(value)
  if (Predicate.hasProperty(value, Symbol.iterator) || Predicate.hasProperty(value, Symbol.asyncIterator)) {
    return walk.loses("a JSON value, not an iterable: give an array")
  }
  if (keys.length === 0 && !isPlain(value)) {
    return walk.loses("a plain object: JSON leaves out what a class has as private fields")
  }
  // Frameworks mark objects with hidden properties, whose names begin so.
  if (Reflect.ownKeys(value).some((key) => Predicate.isSymbol(key) || (!keys.includes(key) && !key.startsWith("__")))) {
    return walk.loses("a plain object: JSON leaves out symbols and properties that are not enumerable")
  }
  const record: Record<string, unknown> = {}
  for (const key of keys) {
    const property = copy(Reflect.get(value, key), walk, inside)
    if (property === failed) return walk.failedAt(key)
    set(record, key, property)
  }
  return record
}

/** Assigns a property; `__proto__` is a property like any other. */
export const set = (record: Record<PropertyKey, unknown>, key: PropertyKey, value: unknown): void => {
  if (key === "__proto__") {
    Object.defineProperty(record, key, { value, configurable: true, enumerable: true, writable: true })
  } else {
    record[key] = value
  }
}

export const finite = (value: number, walk: Walk): unknown =>
  Number.isFinite(value) ? value : walk.loses("a finite number")

/** The kinds of objects whose content is not in their properties. */
const lossyKind = (value: object): string | undefined => {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid Date" : undefined
  if (Effect.isEffect(value) && !Option.isOption(value) && !Either.isEither(value)) {
    return "an Effect (is a yield* missing?)"
  }
  if (Predicate.isPromiseLike(value)) return "a Promise (is an await missing?)"
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return "bytes"
  if (value instanceof Map || value instanceof WeakMap) return "a Map"
  if (value instanceof Set || value instanceof WeakSet) return "a Set"
  if (value instanceof Error) return "an Error"
  if (value instanceof RegExp) return "a RegExp"
  if (value instanceof Number || value instanceof String || value instanceof Boolean) return "a boxed primitive"
  const name = Object.prototype.toString.call(value).slice(8, -1)
  return opaque.has(name) ? `a ${name}` : undefined
}

/** By their tags, because these classes exist in some runtimes only, and more than once in others. */
const opaque: ReadonlySet<string> = new Set([
  "Map",
  "Set",
  "WeakMap",
  "WeakSet",
  "Promise",
  "FormData",
  "URLSearchParams",
  "Headers",
  "Blob",
  "File",
  "ReadableStream",
  "Generator",
  "AsyncGenerator",
  "Error",
  "ArrayBuffer",
  "SharedArrayBuffer"
])

/**
 * Why the properties of an object are not what it holds: a `Promise`, a `Map` or a `Date` would be sent as `{}` where
 * every property is optional. A class of `Schema.Class` may have none.
 */
export const hiddenContent = (value: object): string | undefined => {
  if (isPlain(value)) return undefined
  const { constructor } = value
  if (Predicate.isFunction(constructor) && Schema.TypeId in constructor) return undefined
  const kind =
    value instanceof Date
      ? "a Date"
      : Redacted.isRedacted(value)
        ? "a Redacted"
        : Predicate.hasProperty(value, Symbol.iterator)
          ? "an iterable"
          : lossyKind(value)
  if (kind !== undefined) return `an object, not ${kind}`
  return Reflect.ownKeys(value).length === 0
    ? "an object with properties of its own: private fields are left out"
    : undefined
}

/** Whether an object has nothing that JSON would leave out because it is inherited. */
export const inheritsNothing = (value: object): boolean => isPlain(value) || !hasInheritedState(value)

/** Whether the prototype is an `Object.prototype`, of whatever realm, or none. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || isObjectPrototype(prototype)
}

export const isObjectPrototype = (prototype: unknown): boolean =>
  Predicate.isObject(prototype) &&
  Object.getPrototypeOf(prototype) === null &&
  Object.hasOwn(prototype, "isPrototypeOf")

/** Whether a prototype has getters, or properties that are no methods. */
const hasInheritedState = (value: object): boolean => {
  for (
    let prototype = Object.getPrototypeOf(value);
    prototype !== null && !isObjectPrototype(prototype);
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const { enumerable, get, value } of Object.values(Object.getOwnPropertyDescriptors(prototype))) {
      if (get !== undefined || (enumerable === true && !Predicate.isFunction(value))) return true
    }
  }
  return false
}
