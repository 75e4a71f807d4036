/**
 * Many sessions at once, sixteen at a time, with a progress bar for people and counts by tag for the log.
 *
 *   node examples/dist/08-many-sessions.js
 */
import { NodeRuntime } from "@effect/platform-node"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Array, Console, Effect, Layer, Record, Redacted, Ref } from "effect"

/** Opens `total` sessions. One that fails does not stop the others. */
export const openMany = (total: number) =>
  Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    const tick = yield* progressBar(total)
    const [failures, opened] = yield* Effect.partition(
      Array.range(1, total),
      () => Effect.ensuring(sessions.add(), tick),
      { concurrency: 16 }
    )
    return {
      opened,
      failures: Record.map(
        Array.groupBy(failures, (error) => error._tag),
        Array.length
      )
    }
  })

/** An effect that moves the bar on by one. Drawn on a terminal only, and on stderr: a pipe or a log gets none of it. */
const progressBar = (total: number) =>
  Effect.map(Ref.make(0), (count) =>
    Effect.flatMap(
      Ref.updateAndGet(count, (n) => n + 1),
      (done) =>
        Effect.sync(() => {
          if (!process.stderr.isTTY) return
          const filled = Math.round((done / total) * 30)
          const bar = "█".repeat(filled) + "░".repeat(30 - filled)
          process.stderr.write(`\r${bar} ${done}/${total}${done === total ? "\n" : ""}`)
        })
    )
  )

export const program = Effect.gen(function* () {
  const { failures, opened } = yield* openMany(200)
  yield* Console.log(`opened: ${opened.length}`)
  yield* Effect.forEach(Record.toEntries(failures), ([tag, count]) => Console.log(`${tag}: ${count}`))
})

/** One request in twenty fails, one in fifty loses its connection. */
const faults = Array.makeBy(200, (n): Sandbox.Fault | undefined =>
  n % 50 === 49 ? { reset: true } : n % 20 === 19 ? { status: 500 } : undefined
)

const Sessions = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("any") }))
).pipe(Layer.provide(Sandbox.layer({ faults })))

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(Effect.provide(program, Sessions))
