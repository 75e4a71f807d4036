/**
 * The dashboard's queries, checked against what a client really records.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, Credentials, RequestFailed } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy, Telemetry } from "@effect-gr4vy/node"
import * as Otel from "@opentelemetry/api"
import { MeterProvider } from "@opentelemetry/sdk-metrics"
import { Effect, Layer, Redacted } from "effect"
import { collect, Reader } from "../support/metrics.js"
import * as Script from "../support/script.js"
import { unregister } from "../support/setUps.js"

const docs = fileURLToPath(new URL("../../docs/", import.meta.url))

interface Panel {
  readonly title: string
  readonly description: string
  readonly targets: ReadonlyArray<{ readonly expr: string }>
}

interface Dashboard {
  readonly panels: ReadonlyArray<Panel>
  readonly templating: {
    readonly list: ReadonlyArray<{ readonly name: string; readonly type: string; readonly query: string }>
  }
}

const dashboard = JSON.parse(readFileSync(`${docs}grafana-dashboard.json`, "utf8")) as Dashboard
const operations = readFileSync(`${docs}operations.md`, "utf8")

/** https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/ */
const underscored = (name: string) => name.replaceAll(/[^a-zA-Z0-9_:]/g, "_")
const inPrometheus = (name: string, unit: string, monotonic: boolean) =>
  `${underscored(name)}${unit === "s" ? "_seconds" : ""}${monotonic ? "_total" : ""}`

const reader = new Reader()
beforeAll(() => void Otel.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] })))
afterAll(unregister)

const noToken = Effect.fail(
  new RequestFailed({ reason: "Credentials", delivered: "no", attempts: 0, message: "The vault is sealed." })
)

/** Every metric that a client records, with the names of its labels, as Prometheus has them. */
const recorded = Effect.gen(function* () {
  const { baseUrl } = yield* Script.script(
    Script.status(503),
    Script.session,
    Script.status(502),
    Script.status(404),
    Script.silent
  )
  return yield* Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
    yield* Effect.all([
      Effect.exit(sessions.get(id)),
      sessions.get(id),
      Effect.exit(sessions.add()),
      Effect.exit(sessions.get(id))
    ])
    // Its caller gives up.
    yield* Effect.timeoutOption(sessions.get(id), "20 millis")
    const metrics = (yield* collect(reader)).flatMap((_) => _.metrics)
    return new Map(
      metrics.map((metric) => [
        inPrometheus(metric.descriptor.name, metric.descriptor.unit, "isMonotonic" in metric && metric.isMonotonic),
        {
          name: metric.descriptor.name,
          attributes: new Set(metric.dataPoints.flatMap((_) => Object.keys(_.attributes)))
        }
      ])
    )
  }).pipe(
    Effect.provide(
      Layer.provide(
        Gr4vy.layerWithoutCredentials({ baseUrl, retry: RetryPolicy.make({ baseDelay: "1 millis" }) }),
        // Each call waits for its token, and the first one gets none.
        Layer.sync(Credentials, () => {
          let asked = 0
          return {
            token: Effect.zipRight(
              Effect.yieldNow(),
              Effect.suspend(() => (asked++ === 0 ? noToken : Effect.succeed(Redacted.make("token"))))
            )
          }
        })
      )
    )
  )
}).pipe(Effect.scoped)

/** Labels that Prometheus or an exporter adds. */
const added: ReadonlySet<string> = new Set(["__name__", "job", "instance", "le"])

/** The metrics of a query, each with the labels that it is asked for. */
const selectorsIn = (text: string) => {
  const query = text.replaceAll("(_seconds)?", "_seconds")
  const labels = [
    ...Array.from(query.matchAll(/\{([^}]*)\}/g), ([, inside = ""]) =>
      Array.from(inside.matchAll(/([a-z0-9_]+)(?:=~|!~|!=|=)"/g), ([, label = ""]) => label)
    ),
    ...Array.from(query.matchAll(/by \(([^)]*)\)/g), ([, inside = ""]) => inside.split(/,\s*/)),
    ...Array.from(query.matchAll(/label_values\([a-z0-9_]+(?:\{[^}]*\})?, ([a-z0-9_]+)\)/g), ([, label = ""]) => [
      label
    ])
  ].flat()
  const metrics = Array.from(query.matchAll(/\b((?:http|gr4vy)_client_[a-z0-9_]+)/g), ([, metric = ""]) => metric)
  return { labels, metrics }
}

/** The expressions of docs/alerts.yml, one line each, but for a folded one. */
const rules = readFileSync(`${docs}alerts.yml`, "utf8")
const expressions = Array.from(
  rules.matchAll(/^ {6}- (?:record|alert): (\S+)(?:\n {8}#.*)*\n {8}expr: (?:>-\n)?((?:.|\n {10})*)/gm),
  ([, title = "", query = ""]) => ({ title, query })
)
/** A rule over series that other rules record names no metric of a client. */
const overRecorded = ({ query }: { readonly query: string }): boolean =>
  !/(?:http|gr4vy)_client_/.test(query) && /\bgr4vy:/.test(query)

const queries = [
  ...expressions.filter((rule) => !overRecorded(rule)),
  ...dashboard.panels.flatMap((panel) => panel.targets.map(({ expr }) => ({ title: panel.title, query: expr }))),
  ...dashboard.templating.list
    .filter(({ type }) => type === "query")
    .map(({ query }) => ({ title: "a variable", query }))
]

describe("the dashboard", () => {
  it.live("asks for metrics and labels that a client records, and for each of them", () =>
    Effect.gen(function* () {
      const known = yield* recorded
      const asked = new Set<string>()
      for (const { query, title } of queries) {
        const { labels, metrics } = selectorsIn(query)
        assert.isAbove(metrics.length, 0, title)
        for (const metric of metrics) {
          const series = known.get(metric.replace(/_(bucket|count|sum)$/, ""))
          assert.isDefined(series, `${title}: ${metric}`)
          asked.add(series?.name ?? "")
          const names = new Set(Array.from(series?.attributes ?? [], underscored))
          for (const label of labels) {
            if (!added.has(label)) assert.include([...names], label, `${title}: ${query}`)
          }
        }
      }
      assert.deepStrictEqual([...asked].sort(), Array.from(known.values(), (_) => _.name).sort())
    })
  )

  it("finds a histogram under both of its names in Prometheus: with the unit and without", () => {
    for (const { query, title } of queries) {
      for (const [name] of query.matchAll(/\w+_client_\w*duration[^"]*/g)) {
        assert.match(name, /_duration\(_seconds\)\?_(?:bucket|count)$/, title)
      }
    }
  })

  it("has a variable for the service, the instance and the interval, and each panel uses them", () => {
    const names = ["service", "instance", "server", "interval"]
    assert.includeMembers(
      dashboard.templating.list.map(({ name }) => name),
      names
    )
    for (const { targets, title } of dashboard.panels) {
      for (const { expr } of targets) {
        for (const name of ["service", "instance", "server"]) assert.include(expr, `"$${name}"`, title)
        // Grafana's own interval is shorter than the default export interval of OpenTelemetry.
        if (expr.includes("rate(")) assert.include(expr, "[$interval]", title)
        assert.notInclude(expr, "$__", title)
      }
    }
  })

  it("has the panels that a person on call looks for", () => {
    const titles = dashboard.panels.map((_) => _.title).join()
    for (const word of ["Requests per second", "Errors", "Latency", "Retries", "budget", "Connections"]) {
      assert.include(titles, word)
    }
    for (const { description, title } of dashboard.panels) assert.isNotEmpty(description, title)
  })
})

describe("docs/operations.md", () => {
  it.live("names every metric and every attribute that is recorded", () =>
    Effect.gen(function* () {
      for (const { attributes, name } of (yield* recorded).values()) {
        const row = operations.split("\n").find((line) => line.startsWith(`| \`${name}\``))
        assert.isDefined(row, name)
        for (const attribute of attributes) assert.include(row, `\`${attribute}\``)
      }
    })
  )

  it("has a row for every alert", () => {
    const alerts = expressions.filter(({ title }) => /^Gr4vy[A-Z]/.test(title))
    assert.isAtLeast(alerts.length, 8)
    for (const { title } of alerts) assert.include(operations, `\`${title}\``)
  })

  it("names every metric of Telemetry", () => {
    for (const [key, name] of Object.entries(Telemetry)) {
      if (key.endsWith("Metric")) assert.include(operations, `\`${String(name)}\``)
    }
  })
})
