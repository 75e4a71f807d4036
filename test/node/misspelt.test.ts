/**
 * A misspelt option is an error that names it and suggests the nearest one. TypeScript refuses it; plain JavaScript gets here.
 */
import { inspect } from "node:util"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Credentials, Gr4vyHttpClient } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy, SignedCredentials } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Cause, ConfigError, ConfigProvider, Effect, Exit, Layer, Redacted } from "effect"

const value = "s3cr3t-value"
const token = Redacted.make(value)
const baseUrl = "http://127.0.0.1:9"
const built = <A, E>(layer: Layer.Layer<A, E>) => Effect.scoped(Layer.build(layer))

/** Calls a function past its types. */
const untyped = <A>(f: (options: never) => A, options: object): A => Reflect.apply(f, undefined, [options])

const others = Layer.merge(FetchHttpClient.layer, Credentials.layerToken(token))

const constructors: Readonly<Record<string, (options: object) => Effect.Effect<unknown, unknown>>> = {
  layer: (options) => built(untyped(Gr4vy.layer, { baseUrl, token, ...options })),
  layerClient: (options) => built(untyped(Gr4vy.layerClient, { baseUrl, token, ...options })),
  layerConfig: (options) => built(untyped(Gr4vy.layerConfig, { baseUrl, token, ...options })),
  layerWithoutTransport: (options) =>
    built(Layer.provide(untyped(Gr4vy.layerWithoutTransport, { baseUrl, token, ...options }), others)),
  layerWithoutCredentials: (options) =>
    built(Layer.provide(untyped(Gr4vy.layerWithoutCredentials, { baseUrl, ...options }), others)),
  make: (options) => Effect.scoped(untyped(Gr4vy.make, { baseUrl, token, ...options })),
  makeClient: (options) => Effect.scoped(untyped(Gr4vy.makeClient, { baseUrl, token, ...options }))
}

const failureOf = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(effect)
    assert(Exit.isFailure(exit), "it was accepted")
    assert.notInclude(inspect(exit.cause, { depth: 20 }) + JSON.stringify(exit.cause), value)
    return Cause.squash(exit.cause)
  })

describe("a misspelt option", () => {
  for (const [name, construct] of Object.entries(constructors)) {
    it.live(`of Gr4vy.${name} is a ConfigError that suggests the nearest name`, () =>
      Effect.gen(function* () {
        const error = yield* failureOf(construct({ dedline: value }))
        assert(ConfigError.isConfigError(error))
        assert.strictEqual(
          String(error),
          '(Invalid data at dedline: "There is no option "dedline" (did you mean deadline?).")'
        )
        yield* construct({ deadline: "5 seconds", dedline: undefined })
      })
    )
  }

  it.live("in the plural is reported with the singular, not with a name that has as many letters", () =>
    Effect.gen(function* () {
      const error = yield* failureOf(constructors["layer"]?.({ retries: value }) ?? Effect.void)
      assert.include(String(error), "did you mean retry?")
    })
  )

  it.live("of another kind is reported with all known names", () =>
    Effect.gen(function* () {
      const error = yield* failureOf(constructors["layer"]?.({ sandbox: value }) ?? Effect.void)
      assert.include(String(error), 'There is no option "sandbox" (known: id, environment, baseUrl, ')
    })
  )

  it.live("is reported before a missing token or id", () =>
    Effect.gen(function* () {
      const missing = yield* failureOf(built(untyped(Gr4vy.layer, { baseUrl, tokne: value })))
      assert.include(String(missing), "did you mean token?")
      const configured = yield* failureOf(built(untyped(Gr4vy.layerConfig, { merchant_account_id: value })))
      assert.include(String(configured), "did you mean merchantAccountId?")
    })
  )

  it.live("whose name may be a secret is not shown", () =>
    Effect.gen(function* () {
      for (const name of ["4111111111111111", "eyJhbGciOiJFUzUxMiJ9.e30.c2ln"]) {
        const error = yield* failureOf(constructors["layer"]?.({ [name]: value }) ?? Effect.void)
        assert.include(String(error), "There is no option of this name (known: id, ")
        assert.notInclude(inspect(error), name)
      }
    })
  )

  it.live("is not an option that belongs to another layer: one object may serve several", () =>
    Effect.gen(function* () {
      const options: Gr4vy.Options = { baseUrl, token, deadline: "5 seconds" }
      yield* built(Layer.provide(Gr4vyHttpClient.layer(options), others))
      yield* built(Layer.provide(Gr4vy.layerWithoutCredentials(options), others))
      // `kid` resembles `id`, which is given: it is an option of something else.
      const shared = { id: "plantly", environment: "sandbox", kid: value } as const
      yield* built(Layer.provide(Gr4vyHttpClient.layer(shared), others))
    })
  )

  it.live("of the plain client and of signed tokens is a ConfigError", () =>
    Effect.gen(function* () {
      const privateKey = Redacted.make(value)
      const plain = untyped(Gr4vyHttpClient.layer, { baseUrl, merchantAccount: value })
      const errors = [
        yield* failureOf(built(Layer.provide(plain, others))),
        yield* failureOf(built(untyped(SignedCredentials.layer, { privateKey, tokenLifetime: value }))),
        yield* failureOf(untyped(SignedCredentials.embedToken, { privateKey, checkoutSession: value }))
      ]
      assert(errors.every(ConfigError.isConfigError))
      const [first, second, third] = errors.map(String)
      assert.include(first, "did you mean merchantAccountId?")
      assert.include(second, "known: privateKey, scopes, lifetime")
      assert.include(third, "did you mean checkoutSessionId?")
    })
  )

  it.live("of a retry policy throws, and is a ConfigError in a layer", () =>
    Effect.gen(function* () {
      const error = yield* failureOf(Effect.sync(() => untyped(RetryPolicy.make, { maxAttemps: value })))
      assert(Cause.isIllegalArgumentException(error))
      assert.strictEqual(error.message, 'RetryPolicy: there is no option "maxAttemps" (did you mean maxAttempts?)')
      const inLayer = yield* failureOf(constructors["layer"]?.({ retry: { base_dealy: value } }) ?? Effect.void)
      assert.match(String(inLayer), /^\(Invalid data at retry: .*did you mean baseDelay\?/)
      const none = yield* failureOf(Effect.sync(() => Reflect.apply(RetryPolicy.make, undefined, ["none"])))
      assert.include(String(none), "give an object of options")
    })
  )

  for (const [name, options, says] of [
    ["an option", { latancy: value }, 'there is no option "latancy" (did you mean latency?)'],
    ["a fault", { faults: [undefined, { satus: value }] }, "did you mean status?"],
    ["a random fault", { faultRates: [{ rate: 1, fault: { delay: value } }] }, "did you mean delayMillis?"]
  ] as const) {
    it.live(`of the sandbox, in ${name}, is a ServeError`, () =>
      Effect.gen(function* () {
        const error = yield* failureOf(built(untyped(Sandbox.layer, options)))
        assert.deepInclude(error, { _tag: "ServeError" })
        assert.include(inspect(error), says)
      })
    )
  }

  it.live("of a fault for the next request is a defect, and no fault is set", () =>
    Effect.gen(function* () {
      const { baseUrl, failNext } = yield* Sandbox.Sandbox
      const error = yield* failureOf(failNext({ status: 503 }, Object({ retryAfter: value })))
      assert(Cause.isIllegalArgumentException(error))
      assert.include(error.message, "did you mean retryAfterSeconds?")
      const { status } = yield* Effect.promise(() =>
        fetch(`${baseUrl}/checkout/sessions`, { method: "POST", headers: { authorization: "Bearer any" } })
      )
      assert.strictEqual(status, 201)
    }).pipe(Effect.provide(Sandbox.layer()))
  )
})

describe("options that are no object", () => {
  /** Calls a function past its types. */
  const refused = <A>(f: (options: never) => A, options: unknown): A => Reflect.apply(f, undefined, [options])

  for (const options of [null, value, [value]]) {
    it.live(`are a ConfigError: ${options === null ? "null" : typeof options}`, () =>
      Effect.gen(function* () {
        const errors = [
          yield* failureOf(built(refused(Gr4vy.layer, options))),
          yield* failureOf(built(refused(Gr4vy.layerConfig, options))),
          yield* failureOf(built(Layer.provide(refused(Gr4vy.layerWithoutCredentials, options), others))),
          yield* failureOf(built(Layer.provide(refused(Gr4vyHttpClient.layer, options), others))),
          yield* failureOf(built(refused(SignedCredentials.layer, options)))
        ]
        for (const error of errors) {
          assert(ConfigError.isConfigError(error))
          assert.match(String(error), /give an object of options/i)
        }
        const inSandbox = yield* failureOf(built(refused(Sandbox.layer, options)))
        assert.deepInclude(inSandbox, { _tag: "ServeError" })
      })
    )
  }
})

describe("a misspelt variable", () => {
  const providers: Readonly<Record<string, (variables: Record<string, string>) => ConfigProvider.ConfigProvider>> = {
    "the environment": (variables) => {
      for (const [name, text] of Object.entries(variables)) process.env[name] = text
      return ConfigProvider.fromEnv()
    },
    "a map": (variables) => ConfigProvider.fromMap(new Map(Object.entries(variables)))
  }
  const cases = Object.keys(providers).flatMap((provider) => [
    { provider, variables: { GR4VY_BASEURL: value, GR4VY_TOKEN: value }, near: "GR4VY_BASE_URL" },
    { provider, variables: { GR4VY_ID: "plantly", GR4VY_TOKN: value }, near: "GR4VY_TOKEN" }
  ])
  it.effect.each(cases)("in $provider is named, with $near", ({ near, provider, variables }) =>
    Effect.gen(function* () {
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          for (const name of Object.keys(variables)) delete process.env[name]
        })
      )
      const from = (providers[provider] ?? assert.fail(provider))(variables)
      const error = yield* failureOf(Effect.withConfigProvider(built(Gr4vy.layerConfig()), from))
      assert.match(
        String(error),
        new RegExp(
          `${Object.keys(variables).find((name) => !/_(ID|TOKEN)$/.test(name))} is set: did you mean ${near}\\?`
        )
      )
    }).pipe(Effect.scoped)
  )

  it.effect("is none where every variable in the environment has the right name", () =>
    Effect.gen(function* () {
      const variables = { GR4VY_BASE_URL: "http://127.0.0.1:8787", GR4VY_MERCHANT_ACCOUNT_ID: "default" }
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          for (const name of Object.keys(variables)) delete process.env[name]
        })
      )
      Object.assign(process.env, variables)
      const error = yield* failureOf(Effect.withConfigProvider(built(Gr4vy.layerConfig()), ConfigProvider.fromEnv()))
      assert.include(String(error), "GR4VY_TOKEN")
      assert.notInclude(String(error), "did you mean")
    }).pipe(Effect.scoped)
  )

  it.effect("that is far from every known one, or a known one in small letters, is none", () =>
    Effect.gen(function* () {
      const from = ConfigProvider.fromMap(
        new Map([
          ["GR4VY_WEBHOOK_SECRET", value],
          ["gr4vy_token", "ey"]
        ])
      )
      const error = yield* failureOf(Effect.withConfigProvider(built(Gr4vy.layerConfig()), from))
      assert.notInclude(String(error), "is set")
    })
  )
})
