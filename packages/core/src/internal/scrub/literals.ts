/**
 * Finds any number of strings in a text, in time that grows with the text and not with their number.
 */
import { maxNumber, type Range } from "./digits.js"

/** A longer secret is known by its beginning. */
const maxPrefix = 64

/** The longest secret that is removed only as a whole word. */
const maxWord = 3

export class Literals {
  /** Secrets by the length of a prefix, a power of two. */
  private readonly bySize = new Map<number, Prefixes>()

  constructor(secrets: Iterable<string>) {
    // A number is looked for among the digits.
    for (const secret of new Set([...secrets].flatMap((secret) => [secret, secret.trim()]))) {
      if (!/[^0-9]/.test(secret) && secret.length <= maxNumber) continue
      if (secret === "") continue
      let size = 1
      while (size * 2 <= Math.min(secret.length, maxPrefix)) size *= 2
      const prefixes = this.bySize.get(size) ?? new Prefixes(size)
      this.bySize.set(size, prefixes)
      prefixes.add(secret)
    }
  }

  rangesIn(text: string): ReadonlyArray<Range> {
    const ranges: Array<Range> = []
    for (const [size, prefixes] of this.bySize) {
      for (let start = 0; start + size <= text.length; start++) {
        for (const [length, secrets] of prefixes.at(text, start)) {
          const end = start + length
          if (end > text.length || !secrets.has(text.slice(start, end))) continue
          if (length > maxWord || !isInsideWord(text, start, end)) ranges.push([start, end])
        }
      }
    }
    return ranges
  }
}

/** Secrets of one length. */
type OfLength = Map<number, Set<string>>

/** Secrets with a prefix of one length, by that prefix and by their own length: many may begin alike. */
class Prefixes {
  private readonly secrets = new Map<string, OfLength>()
  /** Where no secret begins with these two characters, no prefix is cut out to be looked up. */
  private readonly beginnings = new Uint8Array(65_536)

  constructor(private readonly size: number) {}

  add(secret: string): void {
    const prefix = secret.slice(0, this.size)
    const byLength: OfLength = this.secrets.get(prefix) ?? new Map()
    this.secrets.set(prefix, byLength)
    const others = byLength.get(secret.length)
    if (others === undefined) byLength.set(secret.length, new Set([secret]))
    else others.add(secret)
    this.beginnings[this.beginningOf(prefix, 0)] = 1
  }

  at(text: string, start: number): OfLength {
    if (this.beginnings[this.beginningOf(text, start)] !== 1) return none
    return this.secrets.get(text.slice(start, start + this.size)) ?? none
  }

  private beginningOf(text: string, start: number): number {
    const second = this.size === 1 ? 0 : text.charCodeAt(start + 1)
    return ((text.charCodeAt(start) << 8) ^ second) & 0xffff
  }
}

const none: OfLength = new Map()

const wordCharacter = /[\p{L}\p{N}]/u

const isInsideWord = (text: string, start: number, end: number): boolean =>
  wordCharacter.test(text.charAt(start - 1)) || wordCharacter.test(text.charAt(end))
