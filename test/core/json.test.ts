/**
 * What JSON would change in silence is refused with a sentence that names its place, and never its value.
 */
import { Readable } from "node:stream"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { copyJson } from "@effect-gr4vy/core/spi/Json"
import { Data, Effect, Either, FastCheck as fc, Redacted } from "effect"

class Money {
  readonly currency = "USD"
  constructor(private readonly value: number) {}
  get amount() {
    return this.value
  }
}

class Hidden {
  readonly #amount = 4111
  read() {
    return this.#amount
  }
}

class Amount extends Data.Class<{ readonly amount: number }> {}

const cycle: Record<string, unknown> = {}
cycle["self"] = { again: cycle }

const lossy: Readonly<Record<string, () => unknown>> = {
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  "-Infinity": () => Number.NEGATIVE_INFINITY,
  undefined: () => undefined,
  "a bigint": () => 4111n,
  "a symbol": () => Symbol("4111"),
  "a function": () => () => 4111,
  "a class": () => Money,
  "a Promise": () => Promise.resolve({ amount: 4111 }),
  "a Promise of another realm": () => runInNewContext("Promise.resolve(4111)"),
  "a thenable": () => Object.fromEntries(["then"].map((name) => [name, () => undefined])),
  "an Effect": () => Effect.succeed({ amount: 4111 }),
  "a Map": () => new Map([["amount", 4111]]),
  "a Map of another realm": () => runInNewContext("new Map([['amount', 4111]])"),
  "a Set": () => new Set([4111]),
  "a WeakMap": () => new WeakMap(),
  "a FormData": () => new FormData(),
  "a URLSearchParams": () => new URLSearchParams({ amount: "4111" }),
  "a Headers": () => new Headers({ amount: "4111" }),
  "a Blob": () => new Blob(["4111"]),
  "bytes in an ArrayBuffer": () => new ArrayBuffer(4),
  "a typed array": () => new Uint16Array([4111]),
  "a Buffer": () => Buffer.from("4111"),
  "a DataView": () => new DataView(new ArrayBuffer(4)),
  "a stream": () => Readable.from(["4111"]),
  "a web stream": () => new ReadableStream(),
  "a generator": () =>
    (function* () {
      yield 4111
    })(),
  "an iterator": () => [4111].values(),
  "an iterable": () => ({ *[Symbol.iterator]() {} }),
  "an asynchronous iterable": () => ({ async *[Symbol.asyncIterator]() {} }),
  "an invalid Date": () => new Date(Number.NaN),
  "an Error": () => new Error("4111"),
  "a RegExp": () => /4111/,
  "a Redacted": () => Redacted.make("4111"),
  "a boxed number": () => Object(4111),
  "a boxed string": () => Object("4111"),
  "a boxed bigint": () => Object(4111n),
  "an instance with getters": () => new Money(4111),
  "an instance with private fields alone": () => new Hidden(),
  "an object that inherits its properties": () => Object.assign(Object.create({ amount: 4111 }), { currency: "USD" }),
  "a cycle": () => cycle,
  "a WeakRef": () => new WeakRef({ amount: 4111 }),
  "a Proxy that throws": () =>
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("4111")
        }
      }
    ),
  "a getter that throws": () => ({
    get amount() {
      throw new Error("4111")
    }
  }),
  "a toJSON that throws": () => ({
    toJSON: () => {
      throw new Error("4111")
    }
  }),
  "a toJSON that returns NaN": () => ({ toJSON: () => Number.NaN }),
  "a sparse array": () => Object.assign([], { 0: 1, 2: 3 }),
  "an array with undefined": () => [1, undefined],
  "an array with a property": () => Object.assign([1], { amount: 4111 })
}

const problemOf = (value: unknown) => {
  const copied = copyJson(value, "body")
  return Either.isLeft(copied) ? copied.left : undefined
}

describe("copyJson", () => {
  for (const [what, make] of Object.entries(lossy)) {
    it(`refuses ${what}, wherever it stands, and shows no value`, () => {
      for (const [value, place] of [
        [make(), "body"],
        [{ amount: make() }, "body.amount"],
        [[{ refunds: [make()] }], "body.0.refunds.0"]
      ] as const) {
        const problem = problemOf(value)
        assert.isDefined(problem)
        assert.isTrue(problem?.startsWith(what.includes("throws") ? "body must be" : place), problem)
        assert.notInclude(problem ?? "", "4111")
      }
    })
  }

  it("names the way to a property, but no key that may be a secret", () => {
    assert.strictEqual(
      problemOf({ amount: undefined }),
      "body.amount must be present, or left out: JSON has no undefined"
    )
    assert.strictEqual(problemOf({ amount: Number.NaN }), "body.amount must be a finite number")
    assert.strictEqual(
      problemOf({ items: [{ "4111111111111111": Number.NaN }] }),
      "body.items.0.… must be a finite number"
    )
  })

  it("copies what JSON holds: dates, instances with properties, toJSON, minus zero, null", () => {
    const shared = { a: 1 }
    const value = {
      at: new Date(0),
      url: new URL("https://example.com"),
      amount: new Amount({ amount: 1 }),
      zero: -0,
      nothing: null,
      twice: [shared, shared],
      bare: Object.assign(Object.create(null), { b: 2 }),
      foreign: runInNewContext("({ c: [3] })")
    }
    const copied = Either.getOrThrow(copyJson(value, "body"))
    assert.strictEqual(JSON.stringify(copied), JSON.stringify(value))
  })

  it("reads each property once, so that what is sent is what was checked", () => {
    let reads = 0
    const value = {
      get amount() {
        return ++reads === 1 ? 1299 : undefined
      }
    }
    assert.deepStrictEqual(Either.getOrThrow(copyJson(value, "body")), { amount: 1299 })
  })

  it("refuses a value that is deeper than the stack, and copies __proto__ as a property", () => {
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    assert.match(problemOf(deep) ?? "", /^body must be what JSON can hold/)
    const copied = Either.getOrThrow(copyJson(JSON.parse('{"__proto__":{"a":1}}'), "body"))
    assert.strictEqual(JSON.stringify(copied), '{"__proto__":{"a":1}}')
  })

  it.prop("copies every JSON value as it is", [fc.json()], ([json]) => {
    const value: unknown = JSON.parse(json)
    assert.strictEqual(JSON.stringify(Either.getOrThrow(copyJson(value, "body"))), JSON.stringify(value))
  })
})
