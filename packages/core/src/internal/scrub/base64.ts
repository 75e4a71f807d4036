/**
 * Finds secrets inside base64: bodies that are said back encoded, and the Basic scheme.
 */
import type { Numbers, Range } from "./digits.js"
import type { Literals } from "./literals.js"

/** The runs that hold a secret, each as a whole: the characters around it hold parts of it. */
export const base64Ranges = (text: string, literals: Literals, numbers: Numbers): ReadonlyArray<Range> =>
  Array.from(text.matchAll(/([A-Za-z0-9+/_-]{4,})={0,2}/g)).flatMap(({ 0: whole, 1: run = "", index }) =>
    // Shorter runs are words, or a security code by itself.
    (
      run.length < 8
        ? numbers.codes.has(decoded(run))
        : // A word in front shifts the groups of four.
          [0, 1, 2, 3].some((shift) => holdsSecret(decoded(run.slice(shift)), literals, numbers))
    )
      ? [[index, index + whole.length] as const]
      : []
  )

const decoded = (run: string): string => {
  // A last group of one character holds no byte.
  const whole = run.length % 4 === 1 ? run.slice(0, -1) : run
  const binary = atob(whole.replaceAll("-", "+").replaceAll("_", "/"))
  return isAscii(binary) ? binary : new TextDecoder().decode(Uint8Array.from(binary, (byte) => byte.charCodeAt(0)))
}

const isAscii = (text: string): boolean => !/[^\0-\x7f]/.test(text)

const holdsSecret = (text: string, literals: Literals, numbers: Numbers): boolean =>
  literals.rangesIn(text).length > 0 || numbers.areIn(text.replace(/[ -]/g, ""))
