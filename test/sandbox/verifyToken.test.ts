import { generateKeyPairSync, type KeyObject } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Generic, Unauthorized } from "@effect-gr4vy/core"
import { ConfigError, Effect, Redacted } from "effect"
import { verifyToken } from "../../packages/sandbox/dist/internal/verifyToken.js"
import { cookbookJwk, cookbookKey, handmade, newPair, pkcs8, spki, thumbprint } from "../support/keys.js"

const { privateKey, publicKey } = newPair()
const now = Date.UTC(2026, 0, 1)
const seconds = now / 1000
const header = { alg: "ES512", typ: "JWT", kid: thumbprint(publicKey) }
const claims = { nbf: seconds - 5, exp: seconds + 60, scopes: ["checkout-sessions.read"] }

const jwkWith = (facts: object) => JSON.stringify({ ...publicKey.export({ format: "jwk" }), ...facts })

const check = (token: string, scope = "checkout-sessions.read") =>
  Effect.flatMap(verifyToken(spki(publicKey)), (verify) => verify(Redacted.make(token), scope, now))

const unauthorized = new Unauthorized({ code: "unauthorized", message: "No valid API authentication found" })
const forbidden = new Generic({ status: 403, code: "forbidden", message: "Invalid credentials" })

describe("a token is checked as the API does", () => {
  const good: Record<string, object> = {
    "with the scope it needs": claims,
    "with a scope for everything": { ...claims, scopes: ["*.read"] },
    "that begins within the leeway": { ...claims, nbf: seconds + 4 },
    "that ended within the leeway": { ...claims, exp: seconds - 4 },
    "without a beginning": { exp: claims.exp, scopes: claims.scopes }
  }
  for (const [name, payload] of Object.entries(good)) {
    it.effect(`good: one ${name}`, () => check(handmade(privateKey, header, { ...payload })))
  }

  const bad: Record<string, string> = {
    "that begins later": handmade(privateKey, header, { ...claims, nbf: seconds + 10 }),
    "that has ended": handmade(privateKey, header, { ...claims, exp: seconds - 10 }),
    "that never ends": handmade(privateKey, header, { scopes: claims.scopes }),
    "signed with another key": handmade(newPair().privateKey, header, claims),
    "that names another key": handmade(privateKey, { ...header, kid: "other" }, claims),
    "that names no key": handmade(privateKey, { alg: "ES512", typ: "JWT" }, claims),
    "signed with another hash": handmade(privateKey, header, claims, "sha256"),
    "of another algorithm": handmade(newPair("P-256").privateKey, { ...header, alg: "ES256" }, claims, "sha256"),
    "of no algorithm": `${handmade(privateKey, { ...header, alg: "none" }, claims)
      .split(".")
      .slice(0, 2)
      .join(".")}.`,
    "whose claims were changed": handmade(privateKey, header, claims).replace(/\.[^.]+\./, ".e30."),
    "that is no JWT": "any"
  }
  for (const [name, token] of Object.entries(bad)) {
    it.effect(`401: one ${name}`, () =>
      Effect.map(Effect.flip(check(token)), (error) => assert.deepStrictEqual(error, unauthorized))
    )
  }

  const lacking: Record<string, unknown> = {
    "only read": ["checkout-sessions.read"],
    "the scopes of something else": ["transactions.write"],
    "embed alone": ["embed"],
    "no scopes": [],
    "scopes that are no list": "checkout-sessions.write"
  }
  for (const [name, scopes] of Object.entries(lacking)) {
    it.effect(`403: a write with ${name}`, () =>
      Effect.map(
        Effect.flip(check(handmade(privateKey, header, { ...claims, scopes }), "checkout-sessions.write")),
        (error) => assert.deepStrictEqual(error, forbidden)
      )
    )
  }

  it.effect("403: a read with only write, which does not imply it", () =>
    Effect.map(
      Effect.flip(check(handmade(privateKey, header, { ...claims, scopes: ["checkout-sessions.write"] }))),
      (error) => assert.deepStrictEqual(error, forbidden)
    )
  )

  for (const facts of [{}, { use: "sig" }, { alg: "ES512" }, { key_ops: ["verify"] }, { use: "sig", alg: "ES512" }]) {
    it.effect(`takes a JWK that is for ES512 signatures: ${JSON.stringify(facts)}`, () =>
      Effect.flatMap(verifyToken(jwkWith(facts)), (verify) =>
        verify(Redacted.make(handmade(privateKey, header, claims)), "checkout-sessions.read", now)
      )
    )
  }

  it.effect("takes the JWK of a private key, whose operation is to sign", () =>
    verifyToken(JSON.stringify({ ...cookbookJwk, use: "sig", key_ops: ["sign"] }))
  )

  it.effect("takes the public key as a JWK too, also one that holds the private part", () =>
    Effect.gen(function* () {
      const verify = yield* verifyToken(JSON.stringify(cookbookJwk))
      const token = handmade(cookbookKey, { alg: "ES512", kid: "dHri3SADZkrush5HU_50AoRhcKFryN-PI6jPBtPL55M" }, claims)
      yield* verify(Redacted.make(token), "checkout-sessions.read", now)
    })
  )
})

describe("an invalid public key is described by its kind", () => {
  const spkiOf = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString()
  const table: Record<string, readonly [text: string, found: RegExp]> = {
    "an empty text": ["  ", /^Found nothing;/],
    "a private key": [pkcs8(privateKey), /^Found a private key;/],
    "another curve": [spkiOf(newPair("P-256").publicKey), /^Found a public key of another kind \(curve prime256v1\);/],
    RSA: [
      spkiOf(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey),
      /^Found a public key of another kind \(RSA\);/
    ],
    garbage: ["garbage-7f3a", /^Found a string that is neither the PEM nor the JWK of a public key;/],
    "a JWK to encrypt with": [jwkWith({ use: "enc" }), /^Found a JWK that is not for signatures \(use\);/],
    "a JWK with a use that is no string": [jwkWith({ use: null }), /^Found a JWK that is not for signatures \(use\);/],
    "a JWK of another algorithm": [
      jwkWith({ alg: "ES256" }),
      /^Found a JWK for an algorithm other than ES512 \(alg\);/
    ],
    "a JWK of key agreement": [jwkWith({ alg: "ECDH-ES" }), /^Found a JWK for an algorithm other than ES512 \(alg\);/],
    "a JWK that must not verify": [
      jwkWith({ key_ops: ["deriveBits"] }),
      /^Found a JWK that is not for signatures \(key_ops\);/
    ],
    "a JWK without any operation": [jwkWith({ key_ops: [] }), /^Found a JWK that is not for signatures \(key_ops\);/],
    "a JWK with operations that are no list": [
      jwkWith({ key_ops: "verify" }),
      /^Found a JWK that is not for signatures \(key_ops\);/
    ],
    "broken JSON": ['{"kty":"garbage-7f3a', /^Found JSON that is not a public key \(JWK\);/]
  }
  for (const [name, [text, found]] of Object.entries(table)) {
    it.effect(name, () =>
      Effect.map(Effect.flip(verifyToken(text)), (error) => {
        assert(ConfigError.isConfigError(error) && error._op === "InvalidData")
        assert.deepStrictEqual(error.path, ["publicKey"])
        assert.match(error.message, found)
        assert.match(error.message, /; expected a public key, PEM \(SPKI\) or JWK, curve P-521\.$/)
        assert.notInclude(JSON.stringify(error), "garbage-7f3a")
      })
    )
  }
})
