/**
 * A checkout whose server is killed in the middle, against the sandbox.
 *
 *   npm run example 13                  one order: SIGKILL just after the buyer gave the card
 *   npm run example 13 -- --kills 40    forty orders on each database, killed at every step; writes the tables of docs/durable.md
 */
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { makeGr4vy } from "./trial/gr4vy.js"
import { freePort, searchBytes, sqlite, startServer } from "./trial/processes.js"
import { killMatrix } from "./trial/report.js"
import { card, makeStorefront } from "./trial/storefront.js"

const oneOrder = Effect.gen(function* () {
  const gr4vy = yield* makeGr4vy()
  const database = yield* sqlite
  const port = yield* freePort
  const env = { ...gr4vy.env, ...database.env, PORT: String(port), RUNNER_PORT: String(yield* freePort) }
  const storefront = makeStorefront(() => [`http://127.0.0.1:${port}`])
  const trace = storefront.traceOf("order-1")
  const say = (what: string, how: string) => Console.log(`${what.padEnd(20)}${how}`)
  const stopwatch = () => {
    const from = performance.now()
    return () => `${((performance.now() - from) / 1000).toFixed(2)} s`
  }

  const first = yield* startServer(env)
  yield* storefront.start("order-1")
  const { session } = yield* storefront.until("order-1", "waiting")
  yield* say("order-1", `waits for its card, session ${session}`)
  yield* storefront.giveCard("order-1")
  yield* first.kill("SIGKILL")
  yield* say("the card", "is at Gr4vy, the workflow was told")
  yield* say("SIGKILL", "the server is gone")

  const sinceStart = stopwatch()
  yield* startServer(env)
  yield* say("a new server", `is up after ${sinceStart()}`)
  const end = yield* storefront.until("order-1")
  yield* say("order-1", `is ${end.state} after ${sinceStart()}, session ${end.session}\n`)

  const requests = yield* gr4vy.requests(trace)
  const sessions = requests.filter(({ method, path }) => method === "POST" && path === "/checkout/sessions").length
  yield* say(
    "at Gr4vy",
    `${sessions} session; ${requests.map(({ method, status }) => `${method} ${status}`).join(", ")}`
  )
  yield* say("one trace", `${trace}, before and after`)
  const { bytes, files, found } = yield* searchBytes(database.directory, [card.number, `"${card.securityCode}"`])
  yield* say(
    "in the database",
    `${found.every((n) => n === 0) ? "no card" : "THE CARD"}, in ${files} files, ${bytes} bytes`
  )
})

const { values } = parseArgs({ options: { kills: { type: "string" } } })
NodeRuntime.runMain(Effect.scoped(values.kills === undefined ? oneOrder : killMatrix(Number(values.kills))))
