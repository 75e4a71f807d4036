/**
 * The spellings in which a server may say back what it got: percent- and form-encoding, JSON escapes, HTML entities.
 */

/** A text with its escapes resolved. Each character knows where it stands in the original. */
export interface View {
  readonly text: string
  /** The original position where a character begins, and where it ends. */
  readonly start: (index: number) => number
  readonly end: (index: number) => number
}

export const original = (text: string): View => ({ text, start: (index) => index, end: (index) => index + 1 })

const escapes =
  /(?:%[0-9a-f]{2})+|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\["'\\/bfnrt]|&#x[0-9a-f]{1,6};|&#[0-9]{1,7};|&[a-z]{2,8}[0-9]{0,2};/gi

/** The view with one level of escapes resolved; `undefined` if it has none. */
export const unescaped = (view: View): View | undefined => {
  if (!/[%\\&]/.test(view.text)) return undefined
  // Resolved text is never longer.
  const starts = new Uint32Array(view.text.length)
  const ends = new Uint32Array(view.text.length)
  const parts: Array<string> = []
  let length = 0
  let position = 0
  const add = (part: string, from: number, to: number): void => {
    parts.push(part)
    for (let i = 0; i < part.length; i++) {
      starts[length] = view.start(from)
      ends[length++] = view.end(to - 1)
    }
  }
  const copyUpTo = (to: number): void => {
    if (position < to) parts.push(view.text.slice(position, to))
    for (; position < to; position++) {
      starts[length] = view.start(position)
      ends[length++] = view.end(position)
    }
  }
  for (const match of view.text.matchAll(escapes)) {
    copyUpTo(match.index)
    position += match[0].length
    if (match[0].startsWith("%")) addBytes(match[0], match.index, add)
    else add(resolved(match[0]), match.index, position)
  }
  if (parts.length === 0) return undefined
  copyUpTo(view.text.length)
  return { text: parts.join(""), start: (index) => starts[index] ?? 0, end: (index) => ends[index] ?? 0 }
}

/** The view with `+` read as a blank, as forms write it. */
export const withBlanks = (view: View): View => ({ ...view, text: view.text.replaceAll("+", " ") })

/** Percent-encoded bytes: UTF-8, or else Latin-1. */
const addBytes = (escaped: string, at: number, add: (part: string, from: number, to: number) => void): void => {
  const bytes = Uint8Array.from(escaped.slice(1).split("%"), (hex) => Number.parseInt(hex, 16))
  let index = 0
  for (const character of utf8(bytes) ?? Array.from(bytes, (byte) => String.fromCharCode(byte))) {
    const isUtf8 = character.length > 1 || character.charCodeAt(0) > 127
    const size =
      isUtf8 && bytes.length > 1 && (bytes[index] ?? 0) >= 0xc0 ? new TextEncoder().encode(character).length : 1
    add(character, at + 3 * index, at + 3 * (index + size))
    index += size
  }
}

const utf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** The named references of HTML for Latin-1, from U+00A0 on, and for what URLs and JSON are written with. */
const latin1 =
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml"
const ascii =
  "amp & lt < gt > quot \" apos ' sol / equals = num # excl ! dollar $ percnt % lpar ( rpar ) ast * plus + comma , period . colon : semi ; quest ? commat @ lsqb [ bsol \\ rsqb ] Hat ^ lowbar _ grave ` lcub { verbar | rcub } lbrack [ rbrack ] lbrace { rbrace } hyphen -"

const named: ReadonlyMap<string, string> = new Map([
  ...latin1.split(" ").map((name, index) => [`&${name};`, String.fromCharCode(0xa0 + index)] as const),
  ...Array.from(ascii.matchAll(/(\S+) (\S)/g), ([, name = "", character = ""]) => [`&${name};`, character] as const),
  ...Object.entries({ "\\b": "\b", "\\f": "\f", "\\n": "\n", "\\r": "\r", "\\t": "\t" })
])

const resolved = (escape: string): string => {
  if (escape.startsWith("\\u") || escape.startsWith("\\U") || escape.startsWith("\\x") || escape.startsWith("\\X")) {
    return String.fromCharCode(Number.parseInt(escape.slice(2), 16))
  }
  if (escape.startsWith("&#")) {
    const isHex = /^&#x/i.test(escape)
    const code = Number.parseInt(escape.slice(isHex ? 3 : 2), isHex ? 16 : 10)
    return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd"
  }
  const character = named.get(escape) ?? named.get(escape.toLowerCase())
  // An unknown reference stays as it is.
  return character ?? (escape.startsWith("&") ? escape : escape.slice(1))
}
