/**
 * Reads P-521 public keys in the forms that are in use. For anything else it says what was found, never the content.
 */

import { createPublicKey, type KeyObject } from "node:crypto"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"

/** Reads a public key from PEM (SPKI) or JWK, or says what was found instead. */
export const publicKeyFrom = (text: string): Either.Either<KeyObject, string> => {
  const key = withLineBreaks(text)
  if (key === "") return Either.left("nothing")
  if (key.startsWith("{")) return fromJwk(key)
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(key)) return Either.left("a private key")
  return read(() => createPublicKey(laidOut(key)), "a string that is neither the PEM nor the JWK of a public key")
}

const fromJwk = (text: string): Either.Either<KeyObject, string> =>
  Either.gen(function* () {
    const unreadable = "JSON that is not a public key (JWK)"
    const jwk: unknown = yield* Either.try({ try: () => JSON.parse(text), catch: () => unreadable })
    if (!Predicate.isRecord(jwk)) return yield* Either.left(unreadable)
    const { alg, d, key_ops, use, ...point } = jwk
    const key = yield* read(() => createPublicKey({ key: point, format: "jwk" }), unreadable)
    // RFC 7517, sections 4.2 to 4.4: the owner of a key says what it is for.
    if (use !== undefined && use !== "sig") return yield* Either.left("a JWK that is not for signatures (use)")
    if (alg !== undefined && alg !== "ES512") {
      return yield* Either.left("a JWK for an algorithm other than ES512 (alg)")
    }
    // A JWK with the private part is the one that signs.
    const operations = d === undefined ? ["verify"] : ["verify", "sign"]
    return key_ops === undefined || (Array.isArray(key_ops) && operations.some((each) => key_ops.includes(each)))
      ? key
      : yield* Either.left("a JWK that is not for signatures (key_ops)")
  })

// Environment files and YAML write line breaks as two characters, or three if they are escaped twice.
const withLineBreaks = (text: string): string => text.replace(/\\+[rn]/g, "\n").trim()

/** The first block of a PEM in lines of 64 characters, with its line breaks and indentation repaired. */
const laidOut = (pem: string): string => {
  const [, label, body] = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----/.exec(pem) ?? []
  if (label === undefined || body === undefined) return pem
  const lines = body.replace(/\s/g, "").match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n")
}

const read = (parse: () => KeyObject, unreadable: string): Either.Either<KeyObject, string> => {
  let key: KeyObject
  try {
    key = parse()
  } catch {
    return Either.left(unreadable)
  }
  const curve = key.asymmetricKeyDetails?.namedCurve
  if (key.asymmetricKeyType === "ec" && curve === "secp521r1") return Either.right(key)
  const kind = curve === undefined ? (key.asymmetricKeyType ?? "unknown").toUpperCase() : `curve ${curve}`
  return Either.left(`a ${key.type} key of another kind (${kind})`)
}
