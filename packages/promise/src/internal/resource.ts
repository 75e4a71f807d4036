/**
 * The resources of the API as functions. A resource's endpoints are loaded when one of its functions is first called, so that
 * a program that has none of them pays nothing.
 */
import type { Client, Endpoints } from "@effect-gr4vy/core/Endpoint"
import type * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { EndpointOptions } from "./input.js"
import { refuse } from "./input.js"
import { Pages } from "./list.js"

/** An operation before its endpoint is loaded: what its function returns, and where the options are. */
interface Operation {
  readonly kind: "call" | "list" | "pages"
  readonly options: number
}

/** An operation with one result. */
export const call = (options: number): Operation => ({ kind: "call", options })

/** A list that has one page. */
export const list = (options: number): Operation => ({ kind: "list", options })

/** A list that continues at a cursor. Its query stands before the options. */
export const pages = (options: number): Operation => ({ kind: "pages", options })

interface Operations {
  readonly [name: string]: Operation | Operations
}

export interface Resource {
  readonly load: () => Promise<Endpoints>
  readonly operations: Operations
}

export const resource = (load: () => Promise<Endpoints>, operations: Operations): Resource => ({ load, operations })

/** How a client makes functions of endpoints, and runs a call with the options that the caller gave. */
export interface Host {
  readonly functionsOf: (endpoints: Endpoints) => Promise<Client<Endpoints>>
  readonly run: (options: unknown, call: (own: EndpointOptions) => Effect.Effect<unknown, unknown>) => Promise<unknown>
  /** Throws the reason of a signal that has fired. */
  readonly check: (options: unknown) => void
}

type Call = (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>

/** The functions of all resources, nested as the table is. */
export const resourcesOf = (table: { readonly [name: string]: Resource }, host: Host): object =>
  Object.fromEntries(Object.entries(table).map(([name, each]) => [name, functionsOf(each, host)]))

const functionsOf = (each: Resource, host: Host): object => {
  let loading: Promise<void> | undefined
  let loaded: Client<Endpoints> | undefined
  const load = async () => {
    loaded = await host.functionsOf(await each.load())
  }

  const invoke = async (path: ReadonlyArray<string>, at: number, given: ReadonlyArray<unknown>): Promise<unknown> => {
    refuseLostAmount(given.slice(0, at))
    let args = given
    if (loaded === undefined) {
      // The caller may change its objects meanwhile.
      args = given.map((arg, index) => (index < at ? copied(arg) : arg))
      loading ??= load()
      await loading.catch((error: unknown) => {
        loading = undefined
        throw error
      })
    }
    const send = functionAt(loaded, path)
    return host.run(args[at], (own) => send(...Array.from({ length: at }, (_, index) => args[index]), own))
  }

  const functionOf = ({ kind, options }: Operation, path: ReadonlyArray<string>) =>
    kind === "call"
      ? (...args: ReadonlyArray<unknown>) => invoke(path, options, args)
      : (...args: ReadonlyArray<unknown>) => {
          const query = copied(args[options - 1])
          return new Pages({
            continues: kind === "pages",
            check: () => host.check(args[options]),
            read: (cursor) =>
              invoke(
                path,
                options,
                cursor === undefined ? args : args.toSpliced(options - 1, 1, { ...Object(query), cursor })
              )
          })
        }

  const nested = (operations: Operations, within: ReadonlyArray<string>): object =>
    Object.fromEntries(
      Object.entries(operations).map(([name, value]) => {
        const path = [...within, name]
        return [name, isOperation(value) ? functionOf(value, path) : nested(value, path)]
      })
    )
  return nested(each.operations, [])
}

/** A refund or a capture without an amount is one of everything, so that an amount that got lost is refused. */
const refuseLostAmount = (args: ReadonlyArray<unknown>): void => {
  if (args.some((arg) => Predicate.hasProperty(arg, "amount") && arg.amount === undefined)) {
    throw refuse("payload.amount must be a number, or left out: it is undefined")
  }
}

const isOperation = (value: Operation | Operations): value is Operation => Predicate.isString(value["kind"])

const functionAt = (functions: unknown, path: ReadonlyArray<string>): Call => {
  const found = path.reduce<unknown>((at, name) => (Predicate.hasProperty(at, name) ? at[name] : undefined), functions)
  // The table and the endpoints come from one generator.
  return found as Call
}

/** A copy of plain objects and arrays. Everything else, which the codec refuses or reads, stays as it is. */
const copied = (value: unknown): unknown => {
  const copies = new Map<object, unknown>()
  const copy = (part: unknown): unknown => {
    if (!Predicate.isObject(part) || Predicate.isFunction(part)) return part
    const known = copies.get(part)
    if (known !== undefined) return known
    if (Array.isArray(part)) {
      const items: Array<unknown> = []
      copies.set(part, items)
      for (const item of part) items.push(copy(item))
      return items
    }
    const prototype: unknown = Object.getPrototypeOf(part)
    const keys = Object.keys(part)
    if ((prototype !== Object.prototype && prototype !== null) || Reflect.ownKeys(part).length !== keys.length)
      return part
    const record: Record<string, unknown> = {}
    copies.set(part, record)
    for (const key of keys) {
      Object.defineProperty(record, key, {
        value: copy(Reflect.get(part, key)),
        configurable: true,
        enumerable: true,
        writable: true
      })
    }
    return record
  }
  try {
    return copy(value)
  } catch {
    // A getter throws, or the value is nested deeper than the stack; a message may quote a value.
    throw refuse("the arguments cannot be read")
  }
}
