/**
 * Reads P-521 private keys in the forms that are in use. For anything else it says what was found, never the content.
 */

import { createPrivateKey, type KeyObject } from "node:crypto"
import * as Either from "effect/Either"

/** Reads a private key from PEM (PKCS#8 or SEC1), or says what was found instead. */
export const privateKeyFrom = (text: string): Either.Either<KeyObject, string> => {
  const pem = withLineBreaks(text)
  if (pem === "") return Either.left("nothing")
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----/g)]
  if (blocks.length === 0) return Either.left('a string that is not PEM (no "-----BEGIN …-----" line)')
  // `openssl ecparam -genkey` writes the curve's parameters before the key.
  const block = blocks.find((match) => match[1]?.endsWith("PRIVATE KEY") === true)
  if (block === undefined) return Either.left(otherThanPrivate(blocks[0]?.[1] ?? ""))
  const key = pem.slice(block.index)
  if (block[1] === "ENCRYPTED PRIVATE KEY" || key.includes("Proc-Type: 4,ENCRYPTED")) {
    return Either.left("an encrypted private key (decrypt it first, e.g. openssl pkcs8 -in key.pem)")
  }
  return read(() => createPrivateKey(laidOut(key)), "a PEM of a private key whose content cannot be read")
}

// Environment files and YAML write line breaks as two characters, or three if they are escaped twice. PowerShell writes
// UTF-16: read as UTF-8, its mark is replaced and each character has a zero byte beside it.
const withLineBreaks = (text: string): string =>
  text
    .replace(/[\0\uFEFF\uFFFD]/g, "")
    .replace(/\\+[rn]/g, "\n")
    .trim()

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

// Only known labels are quoted: the line may contain anything.
const otherThanPrivate = (label: string): string => {
  switch (label) {
    case "PUBLIC KEY":
    case "RSA PUBLIC KEY":
      return "a public key"
    case "CERTIFICATE":
    case "CERTIFICATE REQUEST":
    case "EC PARAMETERS":
      return `a PEM of something else (${label})`
    default:
      return "a PEM of something else"
  }
}
