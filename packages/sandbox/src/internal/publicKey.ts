/**
 * Reads P-521 public keys in the forms that are in use. For anything else it says what was found, never the content.
 */

import { createPublicKey, type KeyObject } from "node:crypto"
import * as Either from "effect/Either"

/** Reads a public key from PEM (SPKI) or JWK, or says what was found instead. */
export const publicKeyFrom = (text: string): Either.Either<KeyObject, string> => {
  const key = withLineBreaks(text)
  if (key === "") return Either.left("nothing")
  if (key.startsWith("{")) {
    return read(() => {
      const { d: _, ...jwk } = JSON.parse(key)
      return createPublicKey({ key: jwk, format: "jwk" })
    }, "JSON that is not a public key (JWK)")
  }
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(key)) return Either.left("a private key")
  return read(() => createPublicKey(laidOut(key)), "a string that is neither the PEM nor the JWK of a public key")
}

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
