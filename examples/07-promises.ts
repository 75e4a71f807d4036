/**
 * From a codebase without Effect, through one of two doors:
 *
 * - `@effect-gr4vy/promise`: the client as plain promises. Nothing of Effect to see, not even in its dependencies.
 * - `ManagedRuntime`: programs in Effect, run from plain code. For a codebase that moves towards Effect.
 *
 *   node examples/dist/07-promises.js
 */
import { type CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { create, NotFound, RequestFailed } from "@effect-gr4vy/promise"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect, Either, Exit, ManagedRuntime, Redacted } from "effect"

/** One client for the life of the process: `create()` without arguments reads `GR4VY_…` from the environment. */
const promises = async (baseUrl: string) => {
  const gr4vy = await create({ baseUrl, token: "any" })
  try {
    const session = await gr4vy.add({ amount: 1299, currency: "USD" })
    console.log(`promise   expires at ${session.expiresAt.toISOString()}`)

    await gr4vy.updateFields(session.id, {
      paymentMethod: { method: "card", number: "4111111111111111", expirationDate: "11/29", securityCode: "123" }
    })
    await gr4vy.delete(session.id)

    // Rejections are the errors themselves: `instanceof` narrows them.
    await gr4vy.get(session.id, { signal: AbortSignal.timeout(5_000) }).catch((error: unknown) => {
      if (error instanceof NotFound) console.log(`promise   gone: ${error.message}`)
      else if (error instanceof RequestFailed) console.log(`promise   no answer: ${error.reason}`)
      else throw error
    })
  } finally {
    // Lets the calls underway finish. `await using gr4vy = await create()` does the same.
    await gr4vy.close()
  }
}

/** A program in Effect: typed errors, retries, everything composes. */
const renew = (id: CheckoutSessionId) =>
  Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    yield* sessions.delete(id)
    return yield* sessions.add()
  })

/** The layer is built once, at the first call; `dispose` closes it. */
const managed = async (baseUrl: string, sandbox: Sandbox.Sandbox["Type"]) => {
  const runtime = ManagedRuntime.make(Gr4vy.layer({ baseUrl, token: Redacted.make("any") }))
  try {
    const session = await runtime.runPromise(Effect.flatMap(CheckoutSessions, (sessions) => sessions.add()))

    // `Effect.either` makes a typed failure a value: `runPromise` itself would wrap it.
    const first = await runtime.runPromise(Effect.either(renew(session.id)))
    const second = await runtime.runPromise(Effect.either(renew(session.id)))
    console.log(`runtime   renewed: ${Either.isRight(first)}, again: ${Either.isLeft(second) && second.left._tag}`)

    // An HTTP handler has such a signal: it aborts when the buyer leaves, and the whole program ends with it.
    const buyer = new AbortController()
    await runtime.runPromise(sandbox.failNext({ delayMillis: 500 }))
    const call = runtime.runPromiseExit(renew(session.id), { signal: buyer.signal })
    buyer.abort()
    console.log(`runtime   interrupted: ${Exit.isInterrupted(await call)}`)
  } finally {
    await runtime.dispose()
  }
}

export const main = async () => {
  const server = ManagedRuntime.make(Sandbox.layer())
  try {
    const sandbox = await server.runPromise(Sandbox.Sandbox)
    await promises(sandbox.baseUrl)
    await managed(sandbox.baseUrl, sandbox)
  } finally {
    await server.dispose()
  }
}

if (process.argv[1] === import.meta.filename) await main()
