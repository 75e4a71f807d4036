import { type KeyObject, verify } from "node:crypto"
import { createRequire } from "node:module"
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId } from "@effect-gr4vy/core"
import { SignedCredentials } from "@effect-gr4vy/node"
import { getEmbedToken } from "@gr4vy/sdk"
import { ConfigError, DateTime, Effect, Option, Redacted, TestClock } from "effect"
import { handClock } from "../../support/handClock.js"
import {
  cookbookKey,
  cookbookThumbprint,
  coordinates,
  newPair,
  type Pair,
  parts,
  pkcs8,
  thumbprint
} from "../../support/keys.js"

const pairWhere = (fits: (point: { readonly x: Buffer; readonly y: Buffer }) => boolean): Pair => {
  for (;;) {
    const pair = newPair()
    if (fits(coordinates(pair.publicKey))) return pair
  }
}

const { version } = createRequire(import.meta.url)("@effect-gr4vy/node/package.json")
const start = Date.UTC(2026, 0, 1)
const uuidV4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const mint = (privateKey: KeyObject, options: Omit<SignedCredentials.Options, "privateKey"> = {}) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start + 999)
    const credentials = yield* SignedCredentials.make({ privateKey: Redacted.make(pkcs8(privateKey)), ...options })
    return Redacted.value(yield* credentials.token)
  })

const isSignedBy = (publicKey: KeyObject, token: string): boolean => {
  const { input, signature } = parts(token)
  assert.strictEqual(signature.length, 132)
  return verify("sha512", input, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature)
}

describe("a token", () => {
  const pairs: Record<string, Pair> = {
    "whose x begins with a zero byte": pairWhere(({ x, y }) => x[0] === 0 && y[0] !== 0),
    "whose y begins with a zero byte": pairWhere(({ x, y }) => x[0] !== 0 && y[0] === 0),
    "whose x and y begin with zero bytes": pairWhere(({ x, y }) => x[0] === 0 && y[0] === 0),
    "without zero bytes in front": pairWhere(({ x, y }) => x[0] !== 0 && y[0] !== 0)
  }
  for (const [name, { privateKey, publicKey }] of Object.entries(pairs)) {
    it.scoped(`has the right header, claims and signature for a key ${name}`, () =>
      Effect.gen(function* () {
        const token = yield* mint(privateKey)
        const { claims, header } = parts(token)
        assert.deepStrictEqual(header, { alg: "ES512", typ: "JWT", kid: thumbprint(publicKey) })
        const { jti, ...others } = claims
        assert.match(String(jti), uuidV4)
        assert.deepStrictEqual(others, {
          iss: `@effect-gr4vy/node ${version}`,
          iat: start / 1000 - 5,
          nbf: start / 1000 - 5,
          exp: start / 1000 + 300,
          scopes: ["checkout-sessions.read", "checkout-sessions.write"]
        })
        assert.isTrue(isSignedBy(publicKey, token))
        assert.isFalse(isSignedBy(newPair().publicKey, token))
      })
    )
  }

  it.scoped("names the key of RFC 7520, section 3.1 by the thumbprint that is published for it", () =>
    Effect.map(mint(cookbookKey), (token) => assert.strictEqual(parts(token).header["kid"], cookbookThumbprint))
  )

  it.scoped("has the given scopes and lifetime, and a unique id", () =>
    Effect.gen(function* () {
      const options = { scopes: ["checkout-sessions.read"], lifetime: "1 hour" } as const
      const [one, two] = [yield* mint(cookbookKey, options), yield* mint(cookbookKey, options)].map(
        (token) => parts(token).claims
      )
      assert.deepStrictEqual(one?.["scopes"], ["checkout-sessions.read"])
      assert.strictEqual(one?.["exp"], start / 1000 + 3600)
      assert.notStrictEqual(one?.["jti"], two?.["jti"])
    })
  )

  it.scoped("and its key are not readable from the service", () =>
    Effect.gen(function* () {
      const pem = pkcs8(cookbookKey)
      const credentials = yield* SignedCredentials.make({ privateKey: Redacted.make(pem) })
      const token = Redacted.value(yield* credentials.token)
      const seen = inspect(credentials, { depth: null, showHidden: true }) + JSON.stringify(credentials)
      for (const secret of [...pem.split("\n").filter((line) => !line.includes("-----") && line !== ""), token]) {
        assert.notInclude(seen, secret)
      }
    })
  )
})

describe("an embed token", () => {
  const privateKey = Redacted.make(pkcs8(cookbookKey))
  const embed = {
    amount: 1299,
    currency: "USD",
    buyerExternalIdentifier: "user-1",
    merchantAccountId: "default",
    cartItems: [{ name: "Plant", quantity: 1, unitAmount: 1299, productUrl: "https://example.com/a?B=c" }],
    metadata: { order_ref: "A-1" },
    connectionOptions: { "adyen-card": { additionalData: { "threeDS.skip": true } } }
  }

  it.effect("allows embedding and nothing else, for an hour", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const { claims } = parts(Redacted.value(yield* SignedCredentials.embedToken({ privateKey })))
      const { iss: _, jti: __, ...others } = claims
      assert.deepStrictEqual(others, {
        iat: start / 1000 - 5,
        nbf: start / 1000 - 5,
        exp: start / 1000 + 3600,
        scopes: ["embed"]
      })
    })
  )

  it.effect("has the same claims as the vendor's SDK", () =>
    Effect.gen(function* () {
      const checkoutSessionId = CheckoutSessionId.make("8724fd24-5489-4a5d-90fd-0604df7d3b83")
      const ours = parts(Redacted.value(yield* SignedCredentials.embedToken({ privateKey, checkoutSessionId, embed })))
      const theirs = parts(
        yield* Effect.promise(() =>
          getEmbedToken({ privateKey: Redacted.value(privateKey), checkoutSessionId, embedParams: embed })
        )
      )
      assert.deepStrictEqual(ours.header, theirs.header)
      for (const claim of ["scopes", "checkout_session_id", "embed"]) {
        assert.deepStrictEqual(ours.claims[claim], theirs.claims[claim])
      }
    })
  )

  it.effect("does not change the keys of metadata", () =>
    Effect.gen(function* () {
      const metadata = { orderRef: "A-1", "Über-Key": "x", URL: "y" }
      const token = yield* SignedCredentials.embedToken({
        privateKey,
        embed: { amount: 1, currency: "USD", metadata }
      })
      assert.deepStrictEqual(parts(Redacted.value(token)).claims["embed"], { amount: 1, currency: "USD", metadata })
    })
  )

  it.effect("writes dates as JSON does, and omits absent properties of cart items", () =>
    Effect.gen(function* () {
      const cartItems = [{ name: "Ticket", quantity: 1, unitAmount: 1, sku: undefined, upc: null }]
      const token = yield* SignedCredentials.embedToken({
        privateKey,
        embed: { amount: 0, currency: "EUR", cartItems, connectionOptions: { a: { departsAt: new Date(start) } } }
      })
      assert.deepStrictEqual(parts(Redacted.value(token)).claims["embed"], {
        amount: 0,
        currency: "EUR",
        cart_items: [{ name: "Ticket", quantity: 1, unit_amount: 1, upc: null }],
        connection_options: { a: { departsAt: "2026-01-01T00:00:00.000Z" } }
      })
    })
  )

  it.effect("signs what a class has as getters", () =>
    Effect.gen(function* () {
      class Checkout {
        readonly amount = 1299
        get currency() {
          return "USD"
        }
        get buyerId() {
          return "buyer-1"
        }
      }
      const token = yield* SignedCredentials.embedToken({ privateKey, embed: new Checkout() })
      assert.deepStrictEqual(parts(Redacted.value(token)).claims["embed"], {
        amount: 1299,
        currency: "USD",
        buyer_id: "buyer-1"
      })
    })
  )

  const item = { name: "x", quantity: 1, unitAmount: 5 }
  class Misspelt {
    readonly amount = 1299
    readonly currency = "USD"
    get buyerExternalId() {
      return "98765"
    }
  }
  class MisspeltItem {
    readonly name = "x"
    readonly quantity = 1
    readonly unitAmount = 5
    get discount() {
      return 98765
    }
  }
  const circular: Record<string, unknown> = {}
  circular["self"] = circular
  const wrong: Record<string, readonly [options: object, path: ReadonlyArray<string>, sentence: RegExp]> = {
    ...Object.fromEntries(
      [-1, 12.34, 100_000_000, Number.NaN, Number.POSITIVE_INFINITY, "98765", 98765n, undefined, 2 ** 53].map(
        (amount) => [
          `an amount of ${amount}`,
          [{ embed: { ...embed, amount } }, ["embed", "amount"], /whole number/] as const
        ]
      )
    ),
    ...Object.fromEntries(
      ["usd", "US", "USDX", "98765", 5, undefined, null].map((currency) => [
        `the currency ${currency}`,
        [{ embed: { ...embed, currency } }, ["embed", "currency"], /three capital letters/] as const
      ])
    ),
    "an embed that is none": [{ embed: "98765" }, ["embed"], /must be an object/],
    "an embed that is null": [{ embed: null }, ["embed"], /must be an object/],
    "an embed that is undefined": [{ embed: undefined }, ["embed"], /Leave it out/],
    "a session that is undefined": [
      { embed, checkoutSessionId: undefined },
      ["checkoutSessionId"],
      /Leave it out if there is none/
    ],
    ...Object.fromEntries(
      (
        [
          [
            "a Promise",
            Promise.resolve({ ...item, name: "98765" }),
            /cartItems\.1 must be a JSON value, not a Promise/
          ],
          ["a Map", new Map([["name", "98765"]]), /cartItems\.1 must be a JSON value, not a Map/],
          ["an empty object", {}, /\.name is missing.*\.unitAmount is missing/],
          ["a price that is undefined", { ...item, unitAmount: undefined }, /\.unitAmount is missing/],
          ["a price in another unit", { ...item, unitAmount: 987.65 }, /\.unitAmount must be an integer from 0/],
          ["a price that is a text", { ...item, unitAmount: "98765" }, /\.unitAmount must be an integer from 0/],
          ["a negative price", { ...item, unitAmount: -98765 }, /\.unitAmount must be an integer from 0/],
          ["a price that is NaN", { ...item, unitAmount: Number.NaN }, /\.unitAmount must be an integer from 0/],
          ["a price that is a bigint", { ...item, unitAmount: 98765n }, /\.unitAmount must be an integer from 0/],
          [
            "a price that is too high",
            { ...item, unitAmount: 1_000_098_765 },
            /\.unitAmount must be an integer from 0/
          ],
          ["a negative tax", { ...item, taxAmount: -98765 }, /\.taxAmount must be an integer from 0/],
          ["a negative quantity", { ...item, quantity: -98765 }, /\.quantity must be an integer from 1/],
          ["a quantity of 0", { ...item, quantity: 0 }, /\.quantity must be an integer from 1/],
          ["an empty name", { ...item, name: "" }, /\.name must be a string of 1 to 255 characters/],
          ["categories in a text", { ...item, categories: "98765" }, /\.categories must be a list/],
          ["an unknown type of product", { ...item, productType: "98765" }, /\.productType must be "physical"/]
        ] as const
      ).map(([what, given, sentence]) => [
        `a cart item with or of ${what}`,
        [{ embed: { ...embed, cartItems: [item, given] } }, ["embed", "cartItems", "1"], sentence] as const
      ])
    ),
    "a getter of a class whose name is misspelt": [
      { embed: new Misspelt() },
      ["embed", "buyerExternalId"],
      /did you mean buyerExternalIdentifier\?/
    ],
    "a misspelt pin that is undefined": [
      { embed: { ...embed, buyer_id: undefined } },
      ["embed", "buyer_id"],
      /did you mean buyerId\?/
    ],
    "a getter of a cart item's class whose name is misspelt": [
      { embed: { ...embed, cartItems: [new MisspeltItem()] } },
      ["embed", "cartItems", "0", "discount"],
      /did you mean discountAmount\?/
    ],
    "an object in itself": [
      { embed: { ...embed, connectionOptions: circular } },
      ["embed", "connectionOptions"],
      /embed\.connectionOptions\.self must be free of cycles/
    ],
    ...Object.fromEntries(
      [
        ["buyerExternalId", "buyerExternalIdentifier"],
        ["metaData", "metadata"],
        ["buyer_id", "buyerId"],
        ["cartitems", "cartItems"],
        ["merchantAccount", "merchantAccountId"]
      ].map(([name = "", near]) => [
        `the unknown pin ${name}`,
        [
          { embed: { amount: 1, currency: "USD", [name]: "98765" } },
          ["embed", name],
          new RegExp(`there is no option "${name}" \\(did you mean ${near}\\?\\)`)
        ] as const
      ])
    ),
    "an unknown pin that resembles none": [
      { embed: { ...embed, q: "98765" } },
      ["embed", "q"],
      /known: amount, currency/
    ],
    "an unknown name in a cart item": [
      { embed: { ...embed, cartItems: [{ name: "x", quantity: 1, unitAmout: 98765 }] } },
      ["embed", "cartItems", "0", "unitAmout"],
      /did you mean unitAmount\?/
    ],
    "a cart that is no array": [{ embed: { ...embed, cartItems: { 0: "98765" } } }, ["embed", "cartItems"], /an array/],
    "a cart with a hole": [{ embed: { ...embed, cartItems: Array(1) } }, ["embed", "cartItems", "0"], /an object/],
    ...Object.fromEntries(
      (
        [
          ["a Map", new Map([["a", "98765"]])],
          ["an array", ["98765"]],
          ["a Promise", Promise.resolve({ a: "98765" })],
          ["numbers", { a: 98765 }],
          ["null values", { a: null }],
          ["undefined values", { a: undefined }],
          ["a string", "98765"],
          ["null", null],
          ["undefined", undefined]
        ] as const
      ).map(([what, metadata]) => [
        `metadata that is ${what}`,
        [{ embed: { ...embed, metadata } }, ["embed", "metadata"], /metadata/] as const
      ])
    ),
    "connection options in a Map": [
      { embed: { ...embed, connectionOptions: { adyen: new Map([["a", "98765"]]) } } },
      ["embed", "connectionOptions"],
      /embed\.connectionOptions\.adyen must be a JSON value, not a Map/
    ],
    ...Object.fromEntries(
      ["buyerId", "buyerExternalIdentifier", "merchantAccountId"].flatMap((name) =>
        ["", " 98765", "98765\n", 98765, null, undefined].map((id) => [
          `the ${name} ${JSON.stringify(id)}`,
          [{ embed: { ...embed, [name]: id } }, ["embed", name], /must be a string/] as const
        ])
      )
    ),
    ...Object.fromEntries(
      ["", "../../98765\n", "98765/fields", "98765\n", ".", "98765 ", 98765, null].map((checkoutSessionId) => [
        `the session ${JSON.stringify(checkoutSessionId)}`,
        [{ checkoutSessionId }, ["checkoutSessionId"], /1 to 64 letters/] as const
      ])
    ),
    "a lifetime too long": [{ lifetime: "2 days" }, ["lifetime"], /30 seconds to 24 hours/],
    "a lifetime in seconds": [{ lifetime: 300 }, ["lifetime"], /e\.g\. "5 minutes"; a number is milliseconds/],
    "a lifetime that is none": [{ lifetime: "98765" }, ["lifetime"], /30 seconds to 24 hours/]
  }
  for (const [name, [options, path, sentence]] of Object.entries(wrong)) {
    it.effect(`is refused for ${name}, without showing it`, () =>
      Effect.gen(function* () {
        // Past the types, as plain JavaScript would.
        const error = yield* Effect.flip(SignedCredentials.embedToken(Object.assign({ privateKey }, options)))
        assert(ConfigError.isConfigError(error) && error._op === "InvalidData")
        assert.deepStrictEqual(error.path, path)
        assert.match(error.message, sentence)
        assert.notInclude(inspect(error, { depth: null }), "98765")
      })
    )
  }

  it.effect("is refused for an invalid key", () =>
    Effect.map(Effect.flip(SignedCredentials.embedToken({ privateKey: Redacted.make("garbage") })), (error) =>
      assert.match(String(error), /Found a string that is not PEM/)
    )
  )
})

describe("a clock that a 401 has corrected", () => {
  const minutes = 60_000
  const nbf = (token: Redacted.Redacted) => Number(parts(Redacted.value(token)).claims["nbf"]) * 1000 + 5000

  /** Credentials on a machine whose clock is `off`, after a 401 has told the server's time. */
  const corrected = (off: number) =>
    Effect.gen(function* () {
      const time = handClock(start + off)
      const credentials = yield* SignedCredentials.make({ privateKey: Redacted.make(pkcs8(cookbookKey)) })
      const renew = credentials.renew
      assert(renew !== undefined)
      const ask = <A, E>(effect: Effect.Effect<A, E>) => Effect.withClock(effect, time.clock)
      const first = yield* ask(credentials.token)
      assert.strictEqual(nbf(first), start + off)
      const second = yield* ask(renew(first, Option.some(DateTime.unsafeMake(start))))
      const next = Effect.gen(function* () {
        time.pass("5 minutes")
        return nbf(yield* ask(credentials.token))
      })
      return { ...time, second: nbf(second), next }
    })

  for (const off of [-10 * minutes, 10 * minutes]) {
    it.scoped(`dates later tokens by the server's while it stays ${off} ms off`, () =>
      Effect.gen(function* () {
        const { next, second } = yield* corrected(off)
        assert.strictEqual(second, start)
        assert.strictEqual(yield* next, start + 5 * minutes)
        assert.strictEqual(yield* next, start + 10 * minutes)
      })
    )

    it.scoped(`dates them by its own again once it was set right, which was ${off} ms off, with no 401 to tell`, () =>
      Effect.gen(function* () {
        const { next, set } = yield* corrected(off)
        set(start)
        assert.strictEqual(yield* next, start + 5 * minutes)
        assert.strictEqual(yield* next, start + 10 * minutes)
      })
    )
  }

  it.scoped("is not corrected by a Date that is years off", () =>
    Effect.map(corrected(-366 * 24 * 60 * minutes), ({ second }) =>
      assert.strictEqual(second, start - 366 * 24 * 60 * minutes)
    )
  )

  it.scoped("gives no token that has expired by the second in its claims", () =>
    Effect.gen(function* () {
      const time = handClock(start + 999)
      const credentials = yield* SignedCredentials.make({ privateKey: Redacted.make(pkcs8(cookbookKey)) })
      const token = yield* Effect.withClock(credentials.token, time.clock)
      time.pass(300_000 - 999 - 1)
      assert.strictEqual(yield* Effect.withClock(credentials.token, time.clock), token)
      time.pass(1)
      assert.isUndefined(credentials.cachedToken?.(time.clock.unsafeCurrentTimeMillis()))
      assert.notStrictEqual(yield* Effect.withClock(credentials.token, time.clock), token)
    })
  )
})
