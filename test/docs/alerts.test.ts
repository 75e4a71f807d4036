/**
 * The alerts of docs/alerts.yml over storms: each is recorded from a real client in an incident, and repeated every minute
 * after an hour of health.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { CheckoutSessions, Credentials } from "@effect-gr4vy/core"
import {
  calls,
  client,
  health,
  type Incident,
  incidents,
  type Name
} from "@effect-gr4vy/examples/14-operations/incidents"
import { Gr4vy } from "@effect-gr4vy/node"
import * as Otel from "@opentelemetry/api"
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus"
import { MeterProvider } from "@opentelemetry/sdk-metrics"
import { Deferred, Effect, Fiber, Layer, Logger, Redacted, type Scope } from "effect"
import { Reader } from "../support/metrics.js"
import { hasPromtool, promtool } from "../support/promtool.js"
import * as Script from "../support/script.js"
import { unregister } from "../support/setUps.js"

const rules = fileURLToPath(new URL("../../docs/alerts.yml", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "gr4vy-alerts-"))
afterAll(() => rmSync(folder, { recursive: true }))

type Samples = ReadonlyMap<string, number>

/** What Prometheus reads after a program, while its client is open. */
const recorded = (
  program: (read: Effect.Effect<Samples>) => Effect.Effect<Samples, unknown, Scope.Scope>
): Effect.Effect<Samples, unknown> =>
  Effect.suspend(() => {
    const reader = new Reader()
    Otel.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
    const serializer = new PrometheusSerializer(undefined, false, undefined, true, true)
    return Effect.map(
      Effect.promise(() => reader.collect()),
      ({ resourceMetrics }) => parsed(serializer.serialize(resourceMetrics))
    ).pipe(
      program,
      Effect.scoped,
      Effect.provide(Logger.remove(Logger.defaultLogger)),
      Effect.ensuring(Effect.sync(unregister))
    )
  })

/** Series with the address of one server, whatever port it had here. */
const parsed = (text: string): Samples =>
  new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const at = line.lastIndexOf(" ")
        const series = line
          .slice(0, at)
          .replace(/server_address="[^"]*",server_port="[^"]*"/, 'server_address="api",server_port="443"')
          .replace("{", '{job="shop",instance="shop-1",')
        return [series, Number(line.slice(at + 1))]
      })
  )

const ofIncident = (incident: Incident): Effect.Effect<Samples, unknown> =>
  recorded((read) =>
    Effect.flatMap(client(incident), (layer) => Effect.provide(Effect.zipRight(calls(incident), read), layer))
  )

const noToken = recorded((read) =>
  Effect.zipRight(
    Effect.flatMap(CheckoutSessions, ({ add }) => Effect.replicateEffect(Effect.exit(add()), 20)),
    read
  ).pipe(
    Effect.provide(
      Layer.provide(
        Gr4vy.layerWithoutCredentials({ baseUrl: "http://127.0.0.1:9" }),
        Credentials.layerSource({ get: Effect.fail(new Error("vault")) })
      )
    )
  )
)

const queue = recorded((read) =>
  Effect.gen(function* () {
    const arrived = yield* Deferred.make<void>()
    const { baseUrl } = yield* Script.script(() => Effect.runSync(Deferred.succeed(arrived, undefined)))
    return yield* Effect.gen(function* () {
      const { add } = yield* CheckoutSessions
      const waiting = yield* Effect.fork(
        Effect.all(
          Array.from({ length: 5 }, () => add()),
          { concurrency: 5 }
        )
      )
      yield* Deferred.await(arrived)
      const samples = yield* read
      yield* Fiber.interrupt(waiting)
      return samples
    }).pipe(Effect.provide(Gr4vy.layer({ baseUrl, token: Redacted.make("token"), connections: 1 })))
  })
)

const isCumulative = (series: string): boolean => /^\w+_(?:bucket|count|sum|total)\{/.test(series)

const hour = 60
const storm = 30

/** An hour of health, then half an hour of the storm, a sample a minute. */
const inputSeries = (good: Samples, bad: Samples, rename: (series: string) => string) =>
  [...new Set([...good.keys(), ...bad.keys()])].map((series) => {
    const before = good.get(series)
    const after = bad.get(series)
    const values = isCumulative(series)
      ? [
          before === undefined ? `_x${hour}` : `${before}+${before}x${hour - 1}`,
          `${(before ?? 0) * hour + (after ?? 0)}+${after ?? 0}x${storm}`
        ]
      : [`${before ?? 0}x${hour - 1}`, `${after ?? 0}x${storm}`]
    return { series: rename(series), values: values.join(" ") }
  })

const translations = {
  "behind JavaScript's PrometheusExporter": (series: string) => series,
  "with the unit in the name": (series: string) =>
    series.replace(/_duration_(bucket|count|sum)\{/, "_duration_seconds_$1{")
}

/** The alerts that fire at the end of the storm, by promtool. */
const check = (file: string, good: Samples, bad: Samples, alerts: ReadonlyArray<string>): void => {
  for (const rename of Object.values(translations)) {
    const firing = (minute: number, expected: ReadonlyArray<string>) => ({
      expr: 'count by (alertname) (ALERTS{alertstate="firing"} > 0)',
      eval_time: `${minute}m`,
      exp_samples: expected.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 }))
    })
    const tests = {
      rule_files: [rules],
      evaluation_interval: "1m",
      tests: [
        {
          interval: "1m",
          input_series: inputSeries(good, bad, rename),
          promql_expr_test: [firing(hour - 1, []), firing(hour + storm - 1, alerts)]
        }
      ]
    }
    // JSON is YAML.
    const path = join(folder, `${file}.yml`)
    writeFileSync(path, JSON.stringify(tests))
    promtool("test", "rules", path)
  }
}

const failing = ["Gr4vyCallsFail", "Gr4vyCallsFailSlowly"]

const expected: Readonly<Record<Name, ReadonlyArray<string>>> = {
  "wrong-key": [...failing, "Gr4vyTokensRefused"],
  clock: ["Gr4vyTokensRefused"],
  "503-storm": [...failing, "Gr4vyRetryBudgetEmpty"],
  "slow-api": ["Gr4vySlow"],
  dns: failing,
  resets: [...failing, "Gr4vyOutcomeUnknown"],
  "rate-limit": failing,
  html: failing,
  redirect: failing,
  "wrong-merchant-account": failing
}

describe.skipIf(!hasPromtool)(
  `docs/alerts.yml${hasPromtool ? "" : " (skipped: Prometheus' promtool is not installed)"}`,
  () => {
    it("is valid", () => {
      assert.include(promtool("check", "rules", rules), "SUCCESS")
    })

    it.live("is silent in health, also when calls are cancelled or about what does not exist", () =>
      Effect.gen(function* () {
        const good = yield* ofIncident(health)
        check("health", good, good, [])
        const missing: Incident = { ...health, responds: (_, response) => void response.writeHead(404).end("{}") }
        check("missing", good, yield* ofIncident(missing), [])
        const cancelled = recorded((read) =>
          Effect.flatMap(client({ ...health, responds: () => {} }), (layer) =>
            Effect.flatMap(CheckoutSessions, ({ add }) => Effect.timeoutOption(add(), "20 millis")).pipe(
              Effect.zipRight(read),
              Effect.provide(layer)
            )
          )
        )
        check("cancelled", good, yield* cancelled, [])
      })
    )

    for (const [name, incident] of Object.entries<Incident>(incidents)) {
      const alerts = expected[name as Name] // A key of `incidents`.
      it.live(
        `${name}: ${alerts.join(", ")}`,
        () =>
          Effect.gen(function* () {
            check(name, yield* ofIncident(health), yield* ofIncident(incident), alerts)
          }),
        30_000
      )
    }

    it.live("no token: Gr4vyNoToken", () =>
      Effect.gen(function* () {
        check("no-token", yield* ofIncident(health), yield* noToken, [...failing, "Gr4vyNoToken"])
      })
    )

    it.live("too few connections: Gr4vyQueue", () =>
      Effect.gen(function* () {
        check("queue", yield* ofIncident(health), yield* queue, ["Gr4vyQueue"])
      })
    )

    it.live("one call whose outcome is unknown: Gr4vyOutcomeUnknown, although its series is new", () =>
      Effect.gen(function* () {
        const good = yield* ofIncident(health)
        const one = yield* ofIncident({ ...incidents.resets, calls: 1 })
        const [series] =
          [...one].find(([name]) => /^gr4vy_client_call_duration_count.*gr4vy_delivered="unknown"/.test(name)) ?? []
        assert.isDefined(series)
        const tests = {
          rule_files: [rules],
          evaluation_interval: "1m",
          tests: [
            {
              interval: "1m",
              input_series: [...inputSeries(good, good, (_) => _), { series, values: `_x${hour} 1x${storm}` }],
              alert_rule_test: [],
              promql_expr_test: [
                {
                  expr: 'count(ALERTS{alertname="Gr4vyOutcomeUnknown", alertstate="firing"})',
                  eval_time: `${hour + 3}m`,
                  exp_samples: [{ labels: "{}", value: 1 }]
                },
                // Ten minutes later it is over.
                {
                  expr: 'count(ALERTS{alertname="Gr4vyOutcomeUnknown", alertstate="firing"})',
                  eval_time: `${hour + 15}m`,
                  exp_samples: []
                }
              ]
            }
          ]
        }
        const path = join(folder, "one.yml")
        writeFileSync(path, JSON.stringify(tests))
        promtool("test", "rules", path)
      })
    )
  }
)
