/**
 * Chooses the fault of each request: by its header, then by the script in code, then at random.
 */

import * as Either from "effect/Either"
import type { Fault, Options } from "./model.js"
import { faultProblem } from "./options.js"

/** The request header that scripts faults for one key. */
export const scriptHeader = "x-sandbox-script"

/** The number of stored keys of {@link scriptHeader}; the oldest is removed first. */
const maxKeys = 10_000

/** The fault of the next request, by its script header; a `Left` says what is wrong with the header. */
export type Pick = (header: string | undefined) => Either.Either<Fault | undefined, string>

/** Faults are removed from `script`; its owner may add others. `chance` returns numbers from 0 up to 1. */
export const picker = (
  script: Array<Fault | undefined>,
  rates: NonNullable<Options["faultRates"]>,
  chance: () => number
): Pick => {
  const places = new Map<string, { readonly text: string; next: number }>()

  const byHeader = (header: string) =>
    Either.map(parseScript(header), ({ key, steps, text }) => {
      const known = places.get(key)
      // A different script under the same key starts at its first step.
      const place = known?.text === text ? known : { text, next: 0 }
      places.delete(key)
      places.set(key, place)
      for (const oldest of places.size > maxKeys ? places.keys() : []) {
        places.delete(oldest)
        break
      }
      return steps[place.next++]
    })

  return (header) => {
    if (header !== undefined) return byHeader(header)
    if (script.length > 0) return Either.right(script.shift())
    return Either.right(rates.find(({ rate }) => chance() < rate)?.fault)
  }
}

/** `my-key; 503, reset, ok` */
const parseScript = (header: string) =>
  Either.gen(function* () {
    const at = header.indexOf(";")
    const key = header.slice(0, at).trim()
    const text = header.slice(at + 1).trim()
    if (at === -1 || key === "" || text === "") {
      return yield* Either.left(`Write ${scriptHeader} as a key and its steps: "my-key; 503, reset, ok".`)
    }
    return { key, text, steps: yield* Either.all(text.split(",").map(parseFault)) }
  })

/**
 * One fault as words: a status, `reset`, `reset-before`, `truncate`, `delay=500ms`, `retry-after=2`, `code=some_code`, in
 * any sensible combination, or `ok`.
 */
export const parseFault = (text: string): Either.Either<Fault | undefined, string> => {
  const words = text.trim().split(/\s+/)
  if (words.length === 1 && words[0] === "ok") return Either.right(undefined)
  return Either.flatMap(Either.all(words.map(parseWord)), (parts) => {
    const names = parts.flatMap(Object.keys)
    const fault: Fault = Object.assign({}, ...parts)
    const problem = new Set(names).size < names.length ? "one of its parts is there twice" : faultProblem(fault)
    return problem === undefined ? Either.right(fault) : Either.left(`"${text.trim().slice(0, 80)}": ${problem}.`)
  })
}

const parseWord = (word: string): Either.Either<Fault, string> => {
  if (/^[2-5]\d\d$/.test(word)) return Either.right({ status: Number(word) })
  if (word === "reset") return Either.right({ reset: true })
  if (word === "reset-before") return Either.right({ reset: "before" })
  if (word === "truncate") return Either.right({ truncate: true })
  const [, name, value = "", unit = ""] = /^(delay|retry-after|code)=(\w*?)(ms|s|)$/.exec(word) ?? []
  if (name === "code" && value !== "") return Either.right({ code: value + unit })
  if (name === "delay" && unit !== "" && /^\d{1,6}$/.test(value)) {
    return Either.right({ delayMillis: Number(value) * (unit === "s" ? 1000 : 1) })
  }
  if (name === "retry-after" && unit === "" && /^\d{1,6}$/.test(value)) {
    return Either.right({ retryAfterSeconds: Number(value) })
  }
  return Either.left(
    `"${word.slice(0, 40)}" is not a fault. Write a status (503), reset, reset-before, truncate, delay=500ms, retry-after=2, code=name, or ok alone.`
  )
}
