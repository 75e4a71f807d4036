import { inspect } from "node:util"
import { assert, describe, it, layer } from "@effect/vitest"
import { create, embedToken, type Options, RequestFailed } from "@effect-gr4vy/promise"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect } from "effect"
import { newPair, parts, pkcs8 } from "../support/keys.js"

const privateKey = pkcs8(newPair().privateKey)
const number = "4111111111111111"
const paymentMethod = { method: "card", number, expirationDate: "11/29", securityCode: "987" } as const

const shown = (value: unknown) =>
  [inspect(value, { depth: 9, showHidden: true }), JSON.stringify(value), String(value)].join("\n")

layer(Sandbox.layer(), { excludeTestServices: true })("a secret", (it) => {
  const using = (options: Options) =>
    Effect.flatMap(Sandbox.Sandbox, ({ baseUrl }) =>
      Effect.acquireRelease(
        Effect.promise(() => create({ baseUrl, ...options } as Options)),
        (client) => Effect.promise(client.close)
      )
    )

  it.scoped("is in no client and in no error, however they are printed", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      for (const options of [
        { token: "opaque-secret-token" },
        { privateKey },
        { getToken: async () => ({ token: "opaque-secret-token", expiresAt: new Date(Date.now() + 60_000) }) },
        { getToken: () => Promise.reject(new Error("opaque-secret-token")) },
        { getToken: async () => ({ token: "opaque-secret-token", expiresAt: new Date("never") }) }
      ] satisfies ReadonlyArray<Options>) {
        const client = yield* using(options)
        yield* failNext({
          status: 400,
          message: `card ${number} 987 ${"privateKey" in options ? "" : "opaque-secret-token"}`
        })
        const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"
        const error = yield* Effect.promise(() =>
          client.updateFields(id, { paymentMethod }).then(
            () => assert.fail("it resolved"),
            (error: unknown) => error
          )
        )
        const all = shown(client) + shown(error)
        for (const secret of [number, "987", "opaque-secret-token", "-----BEGIN"]) assert.notInclude(all, secret)
      }
    })
  )
})

describe("getToken", () => {
  it.scopedLive("is asked once for many calls, and again after a 401", () =>
    Effect.gen(function* () {
      const { baseUrl, failNext, seen } = yield* Sandbox.Sandbox
      let asked = 0
      const client = yield* Effect.acquireRelease(
        Effect.promise(() =>
          create({
            baseUrl,
            getToken: async () => ({ token: `token-${++asked}`, expiresAt: new Date(Date.now() + 60_000) })
          })
        ),
        (client) => Effect.promise(client.close)
      )
      assert.strictEqual(asked, 0)
      yield* Effect.promise(() => Promise.all(Array.from({ length: 20 }, () => client.add())))
      assert.strictEqual(asked, 1)
      yield* failNext({ status: 401 })
      yield* Effect.promise(() => client.add())
      assert.strictEqual(asked, 2)
      assert.lengthOf(yield* seen, 22)
    }).pipe(Effect.provide(Sandbox.layer()))
  )

  it.scopedLive("that fails or returns no token is a RequestFailed without a secret, and sends nothing", () =>
    Effect.gen(function* () {
      const { baseUrl, seen } = yield* Sandbox.Sandbox
      const sources: ReadonlyArray<[unknown, RegExp]> = [
        [() => Promise.reject(new TypeError("secret")), /source of the credentials failed \(TypeError\)/],
        [
          () => {
            throw new RangeError("secret")
          },
          /source of the credentials failed \(RangeError\)/
        ],
        [async () => undefined, /must resolve to \{ token, expiresAt \}/],
        [async () => ({ token: 5, expiresAt: new Date() }), /must resolve to/],
        [async () => ({ token: "secret", expiresAt: "2030-01-01" }), /must resolve to/],
        [async () => ({ token: "secret\n", expiresAt: new Date(Date.now() + 60_000) }), /white space/]
      ]
      for (const [getToken, says] of sources) {
        const client = yield* Effect.promise(() => create({ baseUrl, getToken } as Options))
        const error = yield* Effect.promise(() => client.add().catch((error: unknown) => error))
        yield* Effect.promise(client.close)
        assert.instanceOf(error, RequestFailed)
        assert.deepInclude(error, { reason: "Credentials", delivered: "no", attempts: 0 })
        assert.match(error.message, says)
        assert.notInclude(error.message, "secret")
      }
      assert.deepStrictEqual(yield* seen, [])
    }).pipe(Effect.provide(Sandbox.layer()))
  )
})

describe("a client", () => {
  it.scopedLive("prints nothing, also where the pipeline has something to log", () =>
    Effect.gen(function* () {
      const { baseUrl, failNext } = yield* Sandbox.Sandbox
      const printed: Array<unknown> = []
      const { log } = console
      yield* Effect.acquireRelease(
        Effect.sync(
          () => void Object.assign(console, { log: (...args: ReadonlyArray<unknown>) => printed.push(args) })
        ),
        () => Effect.sync(() => void Object.assign(console, { log }))
      )
      let failing = false
      const getToken = async () => {
        if (failing) throw new Error("no token")
        return { token: "own", expiresAt: new Date(Date.now() + 60_000) }
      }
      const client = yield* Effect.promise(() => create({ baseUrl, getToken, retry: { baseDelay: 1 } }))
      yield* Effect.promise(() => client.add())
      failing = true
      yield* failNext({ status: 401 }, { status: 500 }, { status: 500 }, { status: 500 })
      yield* Effect.promise(() => client.add().catch(() => {}))
      yield* Effect.promise(() => client.get("unknown").catch(() => {}))
      yield* Effect.promise(client.close)
      assert.deepStrictEqual(printed, [])
    }).pipe(Effect.provide(Sandbox.layer()))
  )
})

describe("an embed token", () => {
  it("is signed for the form, and pinned to a session", async () => {
    const checkoutSessionId = "8724fd24-5489-4a5d-90fd-0604df7d3b83"
    const token = await embedToken({
      privateKey,
      checkoutSessionId,
      embed: { amount: 1299, currency: "USD", metadata: { camelCase: "kept" } },
      lifetime: "2 minutes"
    })
    const { claims } = parts(token)
    assert.deepInclude(claims, {
      scopes: ["embed"],
      checkout_session_id: checkoutSessionId,
      embed: { amount: 1299, currency: "USD", metadata: { camelCase: "kept" } }
    })
    assert.strictEqual(Number(claims["exp"]) - Number(claims["iat"]), 125)
  })

  const embed = { amount: 1299, currency: "USD" }
  const cases: ReadonlyArray<[unknown, RegExp]> = [
    [undefined, /options\.privateKey must be a string/],
    [{}, /options\.privateKey must be a string/],
    [{ privateKey: 5 }, /options\.privateKey must be a string/],
    [{ privateKey: "tell-nobody" }, /P-521/],
    [{ privateKey, lifetime: "1 second" }, /30 seconds to 24 hours/],
    [{ privateKey, embed: "tell-nobody" }, /options\.embed must be an object/],
    [{ privateKey, checkoutSessionId: 5 }, /options\.checkoutSessionId must be a string/],
    [{ privateKey, checkoutSessionId: "" }, /1 to 64 letters/],
    [{ privateKey, checkoutSessionId: "../../tell-nobody\n" }, /1 to 64 letters/],
    [{ privateKey, embed: { ...embed, buyerExternalId: "tell-nobody" } }, /did you mean buyerExternalIdentifier\?/],
    [{ privateKey, embed: { ...embed, metaData: { a: "tell-nobody" } } }, /did you mean metadata\?/],
    [{ privateKey, embed: { ...embed, buyerId: undefined } }, /must be a string/],
    [{ privateKey, embed: undefined }, /options\.embed must be an object, or left out: it is undefined/],
    [{ privateKey, embed: null }, /options\.embed must be an object, or left out: it is null/],
    [
      { privateKey, embed, checkoutSessionId: undefined },
      /options\.checkoutSessionId must be a string, or left out: it is/
    ],
    [{ privateKey, embed, checkoutSessionId: null }, /options\.checkoutSessionId must be a string, or left out: it is/],
    [
      { privateKey, embed: { ...embed, cartItems: [Promise.resolve({ name: "tell-nobody" })] } },
      /cartItems\.0 must be a JSON value, not a Promise/
    ],
    [{ privateKey, embed: { ...embed, metadata: new Map([["a", "tell-nobody"]]) } }, /not a Map/],
    [{ privateKey, embed: { ...embed, metadata: ["tell-nobody"] } }, /embed\.metadata must be an object/],
    [{ privateKey, embed: { ...embed, metadata: { a: 5 } } }, /must be a string/],
    [{ privateKey, embed: { ...embed, amount: Number.NaN } }, /whole number/],
    [{ privateKey, embed: { ...embed, cartItems: [{ name: "a", unitAmout: 5 }] } }, /did you mean unitAmount\?/]
  ]
  it.each(cases)("is refused with a sentence that shows no key: %#", async (options, says) => {
    const error = await embedToken(options as Parameters<typeof embedToken>[0]).catch((error: unknown) => error)
    assert.instanceOf(error, RequestFailed)
    assert.strictEqual(error.reason, "InvalidRequest")
    assert.match(error.message, says)
    for (const secret of ["tell-nobody", "-----BEGIN PRIVATE"]) assert.notInclude(shown(error), secret)
  })
})
