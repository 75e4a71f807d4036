import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Gr4vy } from "@effect-gr4vy/node"
import { Cause, ConfigProvider, Effect, Exit, Layer, Redacted } from "effect"

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
    ["a base URL with credentials", { baseUrl: "https://me:s3cr3t@api.plantly.gr4vy.app" }, /has credentials in it/],
    ["a base URL with a query", { baseUrl: `${baseUrl}/?a=s3cr3t` }, /has a query or a fragment/],
    ["a base URL that is none", { baseUrl: "api.plantly" }, /The base URL is not a URL/],
    ["another scheme", { baseUrl: "ftp://api.plantly.gr4vy.app" }, /must begin with https:\/\//],
    ["an id that is no subdomain", { baseUrl: undefined, id: "plantly/../evil" }, /subdomain of your Gr4vy instance/],
    ["an absent id", { baseUrl: undefined }, /subdomain of your Gr4vy instance/],
    ["another environment", { baseUrl: undefined, id: "plantly", environment: "test" }, /"sandbox" or "production"/],
    ["an empty token", { token: Redacted.make("") }, /The token is empty/],
    ["a token with a line break", { token: Redacted.make(`${secret}\n`) }, /token has white space, control/],
    ["a token that is not Redacted", { token: secret }, /must be given as Redacted\.make\(token\)/],
    ["no token", { token: undefined }, /Give a token or a private key/],
    ["both a token and a private key", { privateKey: Redacted.make(secret) }, /either a token or a private key/],
    ["a private key that is none", { token: undefined, privateKey: Redacted.make(secret) }, /P-521/],
    ["a merchant account id with control characters", { merchantAccountId: "s3cr3t\r\nx: y" }, /merchant account id/],
    ["an empty merchant account id", { merchantAccountId: "" }, /merchant account id/],
    ...[0, Number.NaN, Number.POSITIVE_INFINITY, -1, "soon"].flatMap((limit) =>
      ["attemptTimeout", "deadline"].map(
        (field) => [`${limit} as ${field}`, { [field]: limit }, new RegExp(`${field} must be more than 0`)] as const
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
