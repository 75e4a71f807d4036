/** Keys, and tokens made and read by hand: nothing here uses the code under test. */
import { createHash, createPrivateKey, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from "node:crypto"

export interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export const newPair = (namedCurve = "secp521r1"): Pair => generateKeyPairSync("ec", { namedCurve })

export const pkcs8 = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString()

export const spki = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }).toString()

/** RFC 7520, sections 3.1 and 3.2: its x begins with a zero byte. */
export const cookbookJwk = {
  kty: "EC",
  crv: "P-521",
  x: "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
  y: "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1",
  d: "AAhRON2r9cqXX1hg-RoI6R1tX5p2rUAYdmpHZoC1XNM56KtscrX6zbKipQrCW9CGZH3T4ubpnoTKLDYJ_fF3_rJt"
} satisfies JsonWebKey

/** The thumbprint that the test suites of several JOSE libraries publish for it. */
export const cookbookThumbprint = "dHri3SADZkrush5HU_50AoRhcKFryN-PI6jPBtPL55M"

export const cookbookKey = createPrivateKey({ key: cookbookJwk, format: "jwk" })

/** The 66 bytes of x and y each, cut from the end of the DER form: an uncompressed point. */
export const coordinates = (publicKey: KeyObject): { readonly x: Buffer; readonly y: Buffer } => {
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-132)
  return { x: point.subarray(0, 66), y: point.subarray(66) }
}

export const thumbprint = (publicKey: KeyObject): string => {
  const { x, y } = coordinates(publicKey)
  const jwk = `{"crv":"P-521","kty":"EC","x":"${x.toString("base64url")}","y":"${y.toString("base64url")}"}`
  return createHash("sha256").update(jwk).digest("base64url")
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A token by hand, right or wrong in any way. */
export const handmade = (
  key: KeyObject,
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  hash = "sha512"
): string => {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${sign(hash, Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`
}

export const parts = (token: string) => {
  const [header = "", claims = "", signature = ""] = token.split(".")
  const decode = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, "base64url").toString())
  return {
    header: decode(header),
    claims: decode(claims),
    signature: Buffer.from(signature, "base64url"),
    input: Buffer.from(`${header}.${claims}`)
  }
}
