import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Gr4vy } from "@effect-gr4vy/node"
import { Cause, ConfigError, ConfigProvider, Effect, Exit, Layer, Redacted } from "effect"
import { fromEnvironment } from "../../packages/node/dist/internal/environment.js"

const secret = "s3cr3t-token-of-a-merchant"
const token = Redacted.make(secret)
const baseUrl = "https://api.plantly.gr4vy.app"

/** What a person reads when the layer fails: the message, however it is shown. */
const failureOf = <A, E>(layer: Layer.Layer<A, E>, environment: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(
      Effect.scoped(Layer.build(layer)).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
      )
    )
    assert(Exit.isFailure(exit), "the layer was built")
    assert(Cause.isFailType(exit.cause), Cause.pretty(exit.cause))
    const shown = [
      String(exit.cause.error),
      Cause.pretty(exit.cause),
      inspect(exit.cause, { depth: 20 }),
      JSON.stringify(exit.cause)
    ]
    assert.notInclude(shown.join("\n"), "s3cr3t")
    return String(exit.cause.error)
  })

describe("Gr4vy.layer fails with a sentence for", () => {
  const rows: ReadonlyArray<readonly [what: string, options: object, sentence: RegExp]> = [
    ["http to a host that is not loopback", { baseUrl: "http://api.plantly.gr4vy.app" }, /must begin with https:\/\//],
    ["a base URL with credentials", { baseUrl: "https://me:s3cr3t@api.plantly.gr4vy.app" }, /contains credentials/],
    ["a base URL with a query", { baseUrl: `${baseUrl}/?a=s3cr3t` }, /has a query or a fragment/],
    ["a base URL that is none", { baseUrl: "api.plantly" }, /The base URL is not a URL/],
    ["another scheme", { baseUrl: "ftp://api.plantly.gr4vy.app" }, /must begin with https:\/\//],
    [
      "a host as an id",
      { baseUrl: undefined, id: "api.plantly.gr4vy.app" },
      /subdomain of your Gr4vy instance, e.g. "plantly"/
    ],
    ["an id that is no subdomain", { baseUrl: undefined, id: "plantly/../evil" }, /subdomain of your Gr4vy instance/],
    ["an absent id", { baseUrl: undefined }, /subdomain of your Gr4vy instance/],
    ["another environment", { baseUrl: undefined, id: "plantly", environment: "test" }, /"sandbox" or "production"/],
    ["an empty token", { token: Redacted.make("") }, /The token is empty/],
    ["a token with a line break", { token: Redacted.make(`${secret}\n`) }, /token contains white space, control/],
    ["a token with its scheme", { token: Redacted.make(`Bearer ${secret}`) }, /give the token alone/],
    ["a token in quotes", { token: Redacted.make(`"${secret}"`) }, /token contains white space, .* or quotes/],
    ["a token in single quotes", { token: Redacted.make(`'${secret}'`) }, /token contains white space, .* or quotes/],
    ["a merchant account id in quotes", { merchantAccountId: '"s3cr3t"' }, /merchant account id .* quotes/],
    ["a token that is not Redacted", { token: secret }, /must be given as Redacted\.make\(token\)/],
    ["no token", { token: undefined }, /Give a token or a private key/],
    ["both a token and a private key", { privateKey: Redacted.make(secret) }, /either a token or a private key/],
    ["a private key that is none", { token: undefined, privateKey: Redacted.make(secret) }, /P-521/],
    ["a merchant account id with control characters", { merchantAccountId: "s3cr3t\r\nx: y" }, /merchant account id/],
    ["an empty merchant account id", { merchantAccountId: "" }, /merchant account id/],
    ...[0, Number.NaN, Number.POSITIVE_INFINITY, -1, "soon"].flatMap((limit) =>
      ["attemptTimeout", "deadline"].map(
        (field) =>
          [
            `${limit} as ${field}`,
            { [field]: limit },
            new RegExp(`${field} must be more than 0 .* a number is milliseconds`)
          ] as const
      )
    ),
    ...[-1, 0, 0.5, Number.NaN].flatMap((size) =>
      ["maxResponseBytes", "connections"].map(
        (field) => [`${size} as ${field}`, { [field]: size }, new RegExp(`${field} must be a whole number`)] as const
      )
    )
  ]

  for (const [what, options, sentence] of rows) {
    it.effect(what, () =>
      Effect.gen(function* () {
        // Past the types, as plain JavaScript would.
        const given: Gr4vy.Options = Object.assign({ baseUrl, token }, options)
        assert.match(yield* failureOf(Gr4vy.layer(given)), sentence)
      })
    )
  }

  for (const host of ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"]) {
    it.effect(`nothing when http goes to ${host}`, () =>
      Effect.scoped(Layer.build(Gr4vy.layer({ baseUrl: `http://${host}/prefix`, token })))
    )
  }
})

describe("Gr4vy.layerConfig names the variable and how to set it for", () => {
  const rows: ReadonlyArray<
    readonly [what: string, environment: Readonly<Record<string, string>>, sentences: ReadonlyArray<string>]
  > = [
    ["nothing set", {}, ["GR4VY_ID", "e.g. GR4VY_ID=plantly", "GR4VY_BASE_URL"]],
    ["a variable set to nothing", { GR4VY_ID: " ", GR4VY_TOKEN: secret }, ["GR4VY_ID", "e.g. GR4VY_ID=plantly"]],
    ["no token", { GR4VY_ID: "plantly" }, ["GR4VY_TOKEN", "GR4VY_PRIVATE_KEY", "GR4VY_PRIVATE_KEY_FILE"]],
    ["a wrong id", { GR4VY_ID: "plant ly", GR4VY_TOKEN: secret }, ["GR4VY_ID", "subdomain"]],
    [
      "a wrong environment",
      { GR4VY_ID: "plantly", GR4VY_ENVIRONMENT: "staging", GR4VY_TOKEN: secret },
      ["GR4VY_ENVIRONMENT", '"sandbox" or "production"']
    ],
    [
      "an unsafe base URL",
      { GR4VY_BASE_URL: "http://api.plantly.gr4vy.app", GR4VY_TOKEN: secret },
      ["GR4VY_BASE_URL", "https://"]
    ],
    ["a token with a line break", { GR4VY_ID: "plantly", GR4VY_TOKEN: `${secret}\n` }, ["GR4VY_TOKEN", "white space"]],
    [
      "both a token and a key",
      { GR4VY_ID: "plantly", GR4VY_TOKEN: secret, GR4VY_PRIVATE_KEY: secret },
      ["Invalid data at GR4VY_TOKEN", "Set only one of these, which are all set: GR4VY_TOKEN, GR4VY_PRIVATE_KEY."]
    ],
    [
      "a key twice",
      { GR4VY_ID: "plantly", GR4VY_PRIVATE_KEY: secret, GR4VY_PRIVATE_KEY_FILE: "/nowhere/s3cr3t" },
      ["Invalid data at GR4VY_PRIVATE_KEY", "all set: GR4VY_PRIVATE_KEY, GR4VY_PRIVATE_KEY_FILE."]
    ],
    [
      "a token and a key in two forms",
      {
        GR4VY_ID: "plantly",
        GR4VY_TOKEN: secret,
        GR4VY_PRIVATE_KEY: secret,
        GR4VY_PRIVATE_KEY_FILE: "/nowhere/s3cr3t"
      },
      ["all set: GR4VY_TOKEN, GR4VY_PRIVATE_KEY, GR4VY_PRIVATE_KEY_FILE."]
    ],
    ["a key that is none", { GR4VY_ID: "plantly", GR4VY_PRIVATE_KEY: secret }, ["GR4VY_PRIVATE_KEY", "P-521"]],
    [
      "a key file that is not there",
      { GR4VY_ID: "plantly", GR4VY_PRIVATE_KEY_FILE: "/nowhere/key.pem" },
      ["GR4VY_PRIVATE_KEY_FILE", "expected the path of the PEM file"]
    ],
    [
      "a merchant account id with control characters",
      { GR4VY_ID: "plantly", GR4VY_TOKEN: secret, GR4VY_MERCHANT_ACCOUNT_ID: "a\u0000s3cr3t" },
      ["GR4VY_MERCHANT_ACCOUNT_ID", "control"]
    ]
  ]

  for (const [what, environment, sentences] of rows) {
    it.live(what, () =>
      Effect.gen(function* () {
        const message = yield* failureOf(Gr4vy.layerConfig(), environment)
        for (const sentence of sentences) assert.include(message, sentence)
      })
    )
  }

  it.effect("both a token and a private key given in the program, whatever is set", () =>
    Effect.gen(function* () {
      // Past the types, as plain JavaScript would.
      const both: object = { id: "plantly", token, privateKey: Redacted.make(secret) }
      for (const environment of [{}, { GR4VY_TOKEN: secret }]) {
        const message = yield* failureOf(Gr4vy.layerConfig(both), environment)
        assert.include(message, "Invalid data at token")
        assert.include(message, "Give either a token or a private key, not both.")
      }
    })
  )

  it.effect("nothing when all is set, or given in its place", () =>
    Effect.gen(function* () {
      for (const [overrides, environment] of [
        [{}, { GR4VY_ID: "plantly", GR4VY_ENVIRONMENT: "production", GR4VY_TOKEN: secret }],
        [{}, { GR4VY_BASE_URL: baseUrl, GR4VY_TOKEN: secret, GR4VY_PRIVATE_KEY: "" }],
        [
          { id: "plantly", token },
          { GR4VY_ENVIRONMENT: "sandbox", GR4VY_PRIVATE_KEY_FILE: "/nowhere" }
        ]
      ] as const) {
        yield* Effect.scoped(Layer.build(Gr4vy.layerConfig(overrides))).pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
        )
      }
    })
  )
})

describe("Gr4vy.layerConfig reads its variables through every ConfigProvider of Effect", () => {
  const set = { GR4VY_BASE_URL: baseUrl, GR4VY_TOKEN: secret, GR4VY_MERCHANT_ACCOUNT_ID: "acme" }
  const upper = ConfigProvider.fromMap(new Map(Object.entries(set)))
  const renamed = (rename: (name: string) => string) =>
    ConfigProvider.fromMap(new Map(Object.entries(set).map(([name, value]) => [rename(name), value])))
  const providers = {
    "as it is": upper,
    constantCase: ConfigProvider.constantCase(upper),
    upperCase: ConfigProvider.upperCase(upper),
    snakeCase: ConfigProvider.snakeCase(renamed((name) => name.toLowerCase())),
    lowerCase: ConfigProvider.lowerCase(renamed((name) => name.toLowerCase())),
    kebabCase: ConfigProvider.kebabCase(renamed((name) => name.toLowerCase().replaceAll("_", "-")))
  }
  for (const [name, provider] of Object.entries(providers)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const options = yield* fromEnvironment({}, (options) => Effect.succeed(options))
        assert.deepInclude(options, { baseUrl, merchantAccountId: "acme" })
      }).pipe(Effect.withConfigProvider(provider))
    )
  }

  it.effect("and names the variable as it is set, whatever the provider", () =>
    Effect.gen(function* () {
      const none = ConfigProvider.constantCase(ConfigProvider.fromMap(new Map()))
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Gr4vy.layerConfig()))).pipe(
        Effect.withConfigProvider(none)
      )
      assert.match(String(error), /Missing data at GR4VY_ID/)
    })
  )
})

describe("the address from overrides and variables", () => {
  const url = (name: string) => `https://${name}.example.com`
  const contradiction = (...names: ReadonlyArray<string>) => ({ names })

  // Every subset of what can be given in the program, times every subset of what can be set.
  const overrides = {
    none: {},
    id: { id: "code" },
    environment: { environment: "production" },
    both: { id: "code", environment: "production" },
    baseUrl: { baseUrl: url("code") },
    "baseUrl, id": { baseUrl: url("code"), id: "code" },
    "baseUrl, environment": { baseUrl: url("code"), environment: "production" },
    all: { baseUrl: url("code"), id: "code", environment: "production" }
  }
  const variables = {
    none: {},
    ID: { GR4VY_ID: "set" },
    ENVIRONMENT: { GR4VY_ENVIRONMENT: "sandbox" },
    BASE_URL: { GR4VY_BASE_URL: url("set") },
    "ID, ENVIRONMENT": { GR4VY_ID: "set", GR4VY_ENVIRONMENT: "sandbox" },
    "ID, BASE_URL": { GR4VY_ID: "set", GR4VY_BASE_URL: url("set") },
    "ENVIRONMENT, BASE_URL": { GR4VY_ENVIRONMENT: "sandbox", GR4VY_BASE_URL: url("set") },
    all: { GR4VY_ID: "set", GR4VY_ENVIRONMENT: "sandbox", GR4VY_BASE_URL: url("set") }
  }
  type Given = keyof typeof overrides
  type Set = keyof typeof variables

  const [sandbox, production, base] = [
    (id: string) => ({ id, environment: "sandbox" }),
    (id: string) => ({ id, environment: "production" }),
    (name: string) => ({ baseUrl: url(name) })
  ]
  const missing = contradiction("GR4VY_ID")
  const whole = contradiction("environment", "GR4VY_BASE_URL", "GR4VY_ID")
  const always = (outcome: object): Record<Set, object> => ({
    none: outcome,
    ID: outcome,
    ENVIRONMENT: outcome,
    BASE_URL: outcome,
    "ID, ENVIRONMENT": outcome,
    "ID, BASE_URL": outcome,
    "ENVIRONMENT, BASE_URL": outcome,
    all: outcome
  })
  const expected: Record<Given, Record<Set, object>> = {
    none: {
      none: missing,
      ID: sandbox("set"),
      ENVIRONMENT: missing,
      BASE_URL: base("set"),
      "ID, ENVIRONMENT": sandbox("set"),
      // The whole URL goes before its parts, so that a test can point a configured program elsewhere.
      "ID, BASE_URL": base("set"),
      "ENVIRONMENT, BASE_URL": base("set"),
      all: base("set")
    },
    id: always(sandbox("code")),
    environment: {
      none: missing,
      ID: production("set"),
      ENVIRONMENT: missing,
      BASE_URL: whole,
      "ID, ENVIRONMENT": production("set"),
      "ID, BASE_URL": production("set"),
      "ENVIRONMENT, BASE_URL": whole,
      all: production("set")
    },
    both: always(production("code")),
    baseUrl: always(base("code")),
    "baseUrl, id": always(contradiction("baseUrl", "id")),
    "baseUrl, environment": always(contradiction("baseUrl", "environment")),
    all: always(contradiction("baseUrl", "id", "environment"))
  }

  const build = (given: object, set: Readonly<Record<string, string>>) =>
    fromEnvironment({ ...given, token }, ({ baseUrl, environment, id }) =>
      Effect.succeed(baseUrl === undefined ? { id, environment } : { baseUrl })
    ).pipe(Effect.either, Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(set)))))

  for (const [givenName, given] of Object.entries(overrides) as ReadonlyArray<[Given, object]>) {
    it.effect(`${givenName} given`, () =>
      Effect.gen(function* () {
        for (const [setName, set] of Object.entries(variables) as ReadonlyArray<[Set, Record<string, string>]>) {
          const outcome = yield* build(given, set)
          const wanted = expected[givenName][setName]
          if (outcome._tag === "Right") assert.deepStrictEqual<object>(outcome.right, wanted, setName)
          else {
            assert("names" in wanted && Array.isArray(wanted.names), `${setName}: ${outcome.left}`)
            for (const name of wanted.names) assert.include(String(outcome.left), name, setName)
            assert.notInclude(String(outcome.left), "example.com")
          }
        }
      })
    )
  }

  it.effect("GR4VY_ENVIRONMENT counts for an id that is given, and a wrong one only where it counts", () =>
    Effect.gen(function* () {
      const set = { GR4VY_ENVIRONMENT: "production" }
      assert.deepStrictEqual<object>(yield* Effect.flatten(build({ id: "code" }, set)), production("code"))
      const wrong = { GR4VY_ENVIRONMENT: "staging", GR4VY_BASE_URL: url("set") }
      assert.deepStrictEqual<object>(yield* Effect.flatten(build({}, wrong)), base("set"))
      assert.deepStrictEqual<object>(
        yield* Effect.flatten(build({ environment: "sandbox" }, { ...wrong, GR4VY_ID: "set" })),
        sandbox("set")
      )
      const error = yield* Effect.flip(Effect.flatten(build({ id: "code" }, wrong)))
      assert(ConfigError.isConfigError(error))
      assert.include(String(error), "GR4VY_ENVIRONMENT")
    })
  )

  it.effect("an option that is given as undefined is not given: the error names the variable", () =>
    Effect.gen(function* () {
      const given = { id: undefined, environment: undefined, baseUrl: undefined }
      assert.deepStrictEqual<object>(yield* Effect.flatten(build(given, { GR4VY_ID: "set" })), sandbox("set"))
      const error = yield* Effect.flip(Effect.flatten(build(given, {})))
      assert.match(String(error), /Missing data at GR4VY_ID/)
    })
  )
})
