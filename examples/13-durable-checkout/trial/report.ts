/**
 * `npm run example 13 -- --kills N`: N orders on each database, each killed at another step, then many orders on several
 * runners. Prints the tables, writes them into `docs/durable.md`, and fails if an order is lost.
 */
import { readFile, writeFile } from "node:fs/promises"
import { availableParallelism, loadavg } from "node:os"
import { join } from "node:path"
import { Console, Effect, Option } from "effect"
import { contradictions, killOrders, kills, type Outcome, wrong } from "./kills.js"
import { type Database, ProcessFailed, postgres, searchBytes, sqlite } from "./processes.js"
import { type Rebalanced, rebalance } from "./runners.js"
import { card } from "./storefront.js"

const page = join(import.meta.dirname, "../../../../docs/durable.md")

export const killMatrix = (times: number) =>
  Effect.gen(function* () {
    const kinds = Array.from({ length: Math.ceil(times / kills.length) }, () => kills)
      .flat()
      .slice(0, times)
    const found = yield* postgres
    const databases = [yield* sqlite, ...Option.toArray(found)]
    const sections: Array<string> = []
    const problems: Array<string> = []
    for (const database of databases) {
      yield* Console.log(`${database.name}: ${times} kills …`)
      const outcomes = yield* killOrders(database, kinds)
      sections.push(yield* tableOfKills(database, outcomes))
      problems.push(...outcomes.flatMap(wrong))
      yield* Console.log(sections.at(-1))
    }
    if (Option.isSome(found)) {
      const rows: Array<Rebalanced> = []
      for (const runners of [1, 2, 4]) {
        yield* Console.log(`${found.value.name}: ${runners} runners …`)
        rows.push(yield* rebalance(found.value, runners, times * 3))
      }
      sections.push(tableOfRunners(rows))
      for (const { contradictions, sessions, states } of rows) {
        if (states.some((state) => state !== "paid" && state !== "unknown")) problems.push("Orders did not end well.")
        if (sessions > 1) problems.push("Orders with two sessions.")
        problems.push(...contradictions)
      }
      yield* Console.log(sections.at(-1))
    } else yield* Console.log("Skipped: Postgres is not installed (apt-get install postgresql).")

    const machine = `Node ${process.versions.node}, ${availableParallelism()} cores, load average ${loadavg()[1]?.toFixed(0)}: servers, database, Gr4vy and buyers share the machine.`
    yield* Effect.promise(async () => {
      const text = await readFile(page, "utf8")
      const between = /(<!-- kills -->\n)[\s\S]*(<!-- \/kills -->)/
      await writeFile(
        page,
        text.replace(between, (_, from, to) => `${from}${[machine, ...sections].join("\n\n")}\n${to}`)
      )
    })
    if (problems.length > 0) return yield* new ProcessFailed({ message: problems.join("\n") })
  })

export const tableOfKills = (database: Database, outcomes: ReadonlyArray<Outcome>) =>
  Effect.gen(function* () {
    const rows = kills.flatMap(({ at }) => {
      const all = outcomes.filter((outcome) => outcome.at === at)
      if (all.length === 0) return []
      const seconds = all.map((outcome) => outcome.seconds).sort((a, b) => a - b)
      return [
        [
          at,
          all.length,
          counted(all.map(({ state }) => state)),
          all.filter(({ perhapsSent }) => perhapsSent).length,
          Math.max(...all.map(({ sessions }) => sessions)),
          Math.max(...all.map(({ booked }) => booked.captures)),
          all.reduce((total, { booked, state }) => total + contradictions(state, booked).length, 0),
          `${median(seconds).toFixed(1)} s`,
          `${Math.max(...seconds).toFixed(1)} s`
        ]
      ]
    })
    const { bytes, files, found } = yield* searchBytes(database.directory, [card.number, `"${card.securityCode}"`])
    return [
      `### ${database.name}: ${outcomes.length} orders, a process ended in the middle of each`,
      "",
      table(
        [
          "killed when",
          "orders",
          "ended as",
          "may be unknown",
          "most sessions of an order",
          "most captures",
          "contradict the bank",
          "up to end, median",
          "longest"
        ],
        rows
      ),
      "",
      `The bytes of all ${files} files of the database (${(bytes / 1024 / 1024).toFixed(1)} MiB): card number in ${found[0]}, security code in ${found[1]}.`
    ].join("\n")
  })

export const tableOfRunners = (rows: ReadonlyArray<Rebalanced>) =>
  [
    "### Postgres: several runners, one killed after a third of the orders",
    "",
    table(
      [
        "runners",
        "orders",
        "ended as",
        "most sessions of an order",
        "contradict the bank",
        "orders/s before the kill",
        "kill to last order"
      ],
      rows.map((row) => [
        row.runners,
        row.orders,
        counted(row.states),
        row.sessions,
        row.contradictions.length,
        row.ordersPerSecond.toFixed(1),
        `${row.secondsToLast.toFixed(1)} s`
      ])
    )
  ].join("\n")

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<unknown>>) =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")

const counted = (values: ReadonlyArray<string>) =>
  [...new Set(values)].map((value) => `${values.filter((other) => other === value).length} ${value}`).join(", ")

const median = (sorted: ReadonlyArray<number>) => sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
