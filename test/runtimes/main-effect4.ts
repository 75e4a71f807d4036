/** The promise package inside a program of Effect 4, which is another Effect than the one in its bundle. */
import { deepStrictEqual, ok } from "node:assert/strict"
import {
  type Client,
  create,
  type Generic,
  NotFound,
  type RequestFailed,
  type Unauthorized
} from "@effect-gr4vy/promise"
import { Effect, Exit, Fiber } from "effect4"
import { runChecks, silentApi } from "./checks.js"

type Gr4vyError = Unauthorized | NotFound | Generic | RequestFailed

/** A call as an effect: its signal aborts when the fiber is interrupted. */
const use =
  (client: Client) =>
  <A>(call: (client: Client, signal: AbortSignal) => Promise<A>) =>
    Effect.tryPromise({ try: (signal) => call(client, signal), catch: (error) => error as Gr4vyError })

const open = (baseUrl: string) =>
  Effect.acquireRelease(
    Effect.promise(() => create({ baseUrl, token: "any" })),
    (client) => Effect.promise(() => client.close())
  )

const life = Effect.gen(function* () {
  const gr4vy = use(yield* open(process.argv[2] ?? ""))
  const { id, expiresAt } = yield* gr4vy((client, signal) => client.add({}, { signal }))
  ok(expiresAt instanceof Date)
  yield* gr4vy((client, signal) => client.delete(id, { signal }))
  return yield* gr4vy((client, signal) => client.get(id, { signal })).pipe(
    Effect.map(() => "still there"),
    Effect.catchTag("NotFound", (error) =>
      Effect.succeed(error instanceof NotFound ? `${error.code}` : "another class")
    )
  )
}).pipe(Effect.scoped)

const interruption = async () => {
  const api = await silentApi()
  const program = Effect.gen(function* () {
    const gr4vy = use(yield* open(api.baseUrl))
    const fiber = yield* Effect.forkChild(gr4vy((client, signal) => client.add({}, { signal })))
    yield* Effect.promise(() => api.asked)
    yield* Fiber.interrupt(fiber)
    // Not before: the client is still open.
    yield* Effect.promise(() => api.hungUp)
    return Exit.hasInterrupts(yield* Fiber.await(fiber))
  }).pipe(Effect.scoped)
  deepStrictEqual(await Effect.runPromise(program), true)
  api.close()
}

const concurrent = Effect.gen(function* () {
  const gr4vy = use(yield* open(process.argv[2] ?? ""))
  const add = gr4vy((client, signal) => client.add({}, { signal }))
  const sessions = yield* Effect.all(
    Array.from({ length: 50 }, () => add),
    { concurrency: "unbounded" }
  )
  return new Set(sessions.map(({ id }) => id)).size
}).pipe(Effect.scoped)

await runChecks({
  "create, delete, get; its error is caught by its tag": async () =>
    deepStrictEqual(await Effect.runPromise(life), "not_found"),
  "interruption ends the request on the wire": interruption,
  "50 fibers at a time": async () => deepStrictEqual(await Effect.runPromise(concurrent), 50)
})
