import { generateKeyPairSync, type KeyObject } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Gr4vy, SignedCredentials } from "@effect-gr4vy/node"
import { Cause, ConfigError, ConfigProvider, Effect, Layer, Redacted } from "effect"
import { newPair, pkcs8, spki } from "../../support/keys.js"

const { privateKey, publicKey } = newPair()
const sec1 = (key: KeyObject) => key.export({ type: "sec1", format: "pem" }).toString()
const secret = { cipher: "aes-128-cbc", passphrase: "x", format: "pem" } as const
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const broken = pkcs8(privateKey).replace(/\n[A-Za-z0-9+/]{20}/, "\nbm90IGEga2V5IGF0IGFs")

const good: Record<string, string> = {
  "PKCS#8": pkcs8(privateKey),
  "SEC1 (EC PRIVATE KEY)": sec1(privateKey),
  "the output of openssl ecparam -genkey": `-----BEGIN EC PARAMETERS-----\nBgUrgQQAIw==\n-----END EC PARAMETERS-----\n${sec1(privateKey)}`,
  "line breaks in two characters": pkcs8(privateKey).replaceAll("\n", "\\n"),
  "line breaks of Windows in four": pkcs8(privateKey).replaceAll("\n", "\\r\\n"),
  "quotes and blanks around it": ` "${pkcs8(privateKey)}" `,
  "single quotes around it": `'${pkcs8(privateKey)}'`,
  "one line, without line breaks": pkcs8(privateKey).replaceAll("\n", ""),
  "one line, with blanks instead": pkcs8(privateKey).replaceAll("\n", " "),
  "one line, SEC1": sec1(privateKey).replaceAll("\n", " "),
  "bare carriage returns": pkcs8(privateKey).replaceAll("\n", "\r"),
  "line breaks of Windows": pkcs8(privateKey).replaceAll("\n", "\r\n"),
  "line breaks escaped twice": pkcs8(privateKey).replaceAll("\n", "\\\\n"),
  "a carriage return in two characters": pkcs8(privateKey).replaceAll("\n", "\\r"),
  "indented, as in YAML": pkcs8(privateKey).replaceAll(/^/gm, "    "),
  "indented with tabs, and blank lines between": pkcs8(privateKey).replaceAll("\n", "\n\n\t"),
  "a byte order mark in front": `\uFEFF${pkcs8(privateKey)}`
}

const bad: Record<string, readonly [text: string, found: string]> = {
  "nothing at all": [" \n", "nothing"],
  "a string that is not PEM": ["c2VjcmV0", 'a string that is not PEM (no "-----BEGIN …-----" line)'],
  "the public key": [spki(publicKey), "a public key"],
  "a certificate": [
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    "a PEM of something else (CERTIFICATE)"
  ],
  "a label of one's own": ["-----BEGIN MY SECRET-----\nAAAA\n-----END MY SECRET-----", "a PEM of something else"],
  "P-256": [pkcs8(newPair("P-256").privateKey), "a private key of another kind (curve prime256v1)"],
  "P-384": [pkcs8(newPair("P-384").privateKey), "a private key of another kind (curve secp384r1)"],
  RSA: [pkcs8(rsa.privateKey), "a private key of another kind (RSA)"],
  Ed25519: [pkcs8(generateKeyPairSync("ed25519").privateKey), "a private key of another kind (ED25519)"],
  "an encrypted PKCS#8": [
    privateKey.export({ type: "pkcs8", ...secret }).toString(),
    "an encrypted private key (decrypt it first, e.g. openssl pkcs8 -in key.pem)"
  ],
  "an encrypted SEC1": [
    privateKey.export({ type: "sec1", ...secret }).toString(),
    "an encrypted private key (decrypt it first, e.g. openssl pkcs8 -in key.pem)"
  ],
  "a broken body": [broken, "a PEM of a private key whose content cannot be read"],
  "a body that is no base64": [
    "-----BEGIN PRIVATE KEY-----\nc2VjcmV0*c2VjcmV0\n-----END PRIVATE KEY-----",
    "a PEM of a private key whose content cannot be read"
  ],
  "half a key": [pkcs8(privateKey).slice(0, 150), "a PEM of a private key whose content cannot be read"]
}

const failure = (layer: Layer.Layer<never, ConfigError.ConfigError>) =>
  Effect.map(Effect.flip(Effect.sandbox(Layer.build(layer))), (cause) => {
    const error = Cause.squash(cause)
    assert(ConfigError.isConfigError(error) && (error._op === "InvalidData" || error._op === "MissingData"))
    return { cause, error }
  })

/** Everything a person or a log could see of a failure. */
const shown = (cause: Cause.Cause<unknown>): string =>
  [
    inspect(cause, { depth: null, showHidden: true, getters: true }),
    Cause.pretty(cause),
    JSON.stringify(cause),
    String(cause)
  ].join("\n")

const assertHides = (cause: Cause.Cause<unknown>, text: string) => {
  const seen = shown(cause)
  for (const line of text.split(/\\r|\\n|\s+/).filter((line) => line.length >= 8 && !line.includes("-----"))) {
    assert.notInclude(seen, line)
  }
}

const directory = mkdtempSync(join(tmpdir(), "credentials-"))
afterAll(() => rmSync(directory, { recursive: true }))

const file = (name: string, content: string): string => {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

const configured = (variables: Record<string, string>) =>
  Gr4vy.layerConfig().pipe(
    Layer.provide(
      Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries({ GR4VY_ID: "plantly", ...variables }))))
    )
  )

const expected = "; expected the private key of your Gr4vy instance: PEM (PKCS#8), curve P-521."

describe("a private key is taken as", () => {
  for (const [name, pem] of Object.entries(good)) {
    it.scoped(name, () =>
      Effect.all([
        Layer.build(SignedCredentials.layer({ privateKey: Redacted.make(pem) })),
        Layer.build(configured({ GR4VY_PRIVATE_KEY: pem })),
        Layer.build(configured({ GR4VY_PRIVATE_KEY_FILE: file("good.pem", pem) }))
      ])
    )
  }
})

describe("an invalid private key is described in one sentence that does not show it", () => {
  for (const [name, [text, found]] of Object.entries(bad)) {
    it.scoped(name, () =>
      Effect.gen(function* () {
        const { cause, error } = yield* failure(SignedCredentials.layer({ privateKey: Redacted.make(text) }))
        assert.deepStrictEqual(error.path, ["privateKey"])
        assert.strictEqual(error.message, `Found ${found}${expected}`)
        assertHides(cause, text)
      })
    )

    it.scoped(`${name}, in a file: the sentence names the variable`, () =>
      Effect.gen(function* () {
        const { cause, error } = yield* failure(configured({ GR4VY_PRIVATE_KEY_FILE: file("bad.pem", text) }))
        assert.deepStrictEqual(error.path, ["GR4VY_PRIVATE_KEY_FILE"])
        assert.strictEqual(error.message, `Found ${found}${expected}`)
        assertHides(cause, text)
      })
    )
  }

  const wiped = Redacted.make(pkcs8(privateKey))
  Redacted.unsafeWipe(wiped)
  // Past the types, as plain JavaScript would.
  const values: Record<string, readonly [value: unknown, found: string]> = {
    "a text that is not Redacted": [pkcs8(privateKey), "a value that is not Redacted (write Redacted.make(key))"],
    null: [null, "a value that is not Redacted (write Redacted.make(key))"],
    "a number": [Redacted.make(54321), "a Redacted that holds no string"],
    "a buffer": [Redacted.make(Buffer.from(pkcs8(privateKey))), "a Redacted that holds no string"],
    "an absent variable": [Redacted.make(undefined), "a Redacted that holds no string"],
    "one that was wiped": [wiped, "a Redacted that was wiped with Redacted.unsafeWipe"]
  }
  for (const [name, [value, found]] of Object.entries(values)) {
    it.scoped(`${name}, however it is given`, () =>
      Effect.gen(function* () {
        const given = { privateKey: value as Redacted.Redacted }
        for (const layer of [
          SignedCredentials.layer(given),
          Gr4vy.layer({ id: "plantly", ...given }),
          Gr4vy.layerConfig({ id: "plantly", ...given }),
          Layer.scopedDiscard(SignedCredentials.embedToken(given))
        ]) {
          const { cause, error } = yield* failure(layer)
          assert.deepStrictEqual(error.path, ["privateKey"])
          assert.strictEqual(error.message, `Found ${found}${expected}`)
          assertHides(cause, pkcs8(privateKey))
          assert.notInclude(shown(cause), "54321")
        }
      })
    )
  }

  it.scoped("the variable itself is named too, and an option given in the program by its own name", () =>
    Effect.gen(function* () {
      const text = spki(publicKey)
      const variable = yield* failure(configured({ GR4VY_PRIVATE_KEY: text }))
      assert.deepStrictEqual(variable.error.path, ["GR4VY_PRIVATE_KEY"])
      assertHides(variable.cause, text)
      const option = yield* failure(Gr4vy.layerConfig({ id: "plantly", privateKey: Redacted.make(text) }))
      assert.deepStrictEqual(option.error.path, ["privateKey"])
      assertHides(option.cause, text)
    })
  )

  const files: Record<string, readonly [value: string, found: string]> = {
    "that is not there": [join(directory, "missing-file.pem"), "no file"],
    "that is a directory": [directory, "a directory"],
    "that is the key itself": [pkcs8(privateKey), "the key itself"],
    "whose name cannot be one": ["a-secret-name\0", "a file that cannot be read"]
  }
  for (const [name, [value, found]] of Object.entries(files)) {
    it.scoped(`a file ${name}`, () =>
      Effect.gen(function* () {
        const { cause, error } = yield* failure(configured({ GR4VY_PRIVATE_KEY_FILE: value }))
        assert.deepStrictEqual(error.path, ["GR4VY_PRIVATE_KEY_FILE"])
        assert.strictEqual(error.message, `Found ${found}; expected the path of the PEM file with your private key.`)
        assertHides(cause, value)
      })
    )
  }

  it.scoped("exactly one of token and private key must be given", () =>
    Effect.gen(function* () {
      const two = yield* failure(configured({ GR4VY_TOKEN: "a-secret-token", GR4VY_PRIVATE_KEY: pkcs8(privateKey) }))
      assert.match(two.error.message, /^Set only one of these, which are all set: GR4VY_TOKEN, GR4VY_PRIVATE_KEY\.$/)
      assertHides(two.cause, `a-secret-token ${pkcs8(privateKey)}`)
      const none = yield* failure(configured({ GR4VY_TOKEN: "" }))
      assert.deepStrictEqual([none.error._op, none.error.path], ["MissingData", ["GR4VY_TOKEN"]])
    })
  )

  for (const lifetime of ["29 seconds", "25 hours", Number.NaN, -1]) {
    it.scoped(`a lifetime of ${lifetime} is refused`, () =>
      Effect.gen(function* () {
        const { error } = yield* failure(
          // NaN and nonsense arrive from configuration that was read as a number.
          Gr4vy.layer({
            id: "plantly",
            privateKey: Redacted.make(pkcs8(privateKey)),
            tokenLifetime: lifetime as "1 hour"
          })
        )
        assert.strictEqual(
          error.message,
          'A token\'s lifetime must be 30 seconds to 24 hours, e.g. "5 minutes"; a number is milliseconds.'
        )
      })
    )
  }
})
