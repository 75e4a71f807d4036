/**
 * The clients that are compared, and what each of them does.
 */
import { generateKeyPairSync } from "node:crypto"
import { HttpApiClient, HttpClient, HttpClientRequest } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { CheckoutSessionId, CheckoutSessions, Endpoint } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer } from "@effect-gr4vy/node"
import { create as createPromiseClient } from "@effect-gr4vy/promise"
import { CheckoutSessionsApi } from "@effect-gr4vy/sandbox"
import { Gr4vy as VendorSdk } from "@gr4vy/sdk"
import { context, propagation, SpanKind, trace } from "@opentelemetry/api"
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Effect, Layer, Logger, LogLevel, ManagedRuntime, Redacted, Schema } from "effect"
import createClient from "openapi-fetch"
import { Pool } from "undici"
import { bareId, create, createOnTheWire, emptyId, id } from "./session.js"

/**
 * `get` and `add` are of a session with contents, as merchants have it; `getEmpty` is of one whose contents are all
 * `null`, `getBare` of one without them. `own` is an endpoint of a user's own with 20 fields.
 */
export type Task = "get" | "add" | "getBare" | "getEmpty" | "own"

export const ids: Readonly<Record<Exclude<Task, "add" | "own">, string>> = {
  get: id,
  getBare: bareId,
  getEmpty: emptyId
}

export interface Case {
  readonly call: () => Promise<unknown>
  /** Calls for as long as `go` says so, as a program of its own kind does it. */
  readonly loop?: (go: () => boolean) => Promise<unknown>
}

type Client = (baseUrl: string, task: Task) => Case | Promise<Case>

// As long as a real token is.
const token = `ey${"x".repeat(598)}`

export const connections = 64

const headers = { authorization: `Bearer ${token}`, accept: "application/json" }
const pathOf = (task: Task): string =>
  task === "add" ? "/checkout/sessions" : task === "own" ? "/own/1" : `/checkout/sessions/${ids[task]}`

/** undici as it comes: no token but a header, no retry, no limit, no span, no schema. */
const undici: Client = (baseUrl, task) => {
  const pool = new Pool(baseUrl, { connections })
  const path = pathOf(task)
  return {
    call: async () => {
      const { body } = await (task === "add"
        ? pool.request({
            method: "POST",
            path,
            headers: { ...headers, "content-type": "application/json" },
            body: JSON.stringify(createOnTheWire)
          })
        : pool.request({ method: "GET", path, headers }))
      return JSON.parse(await body.text())
    }
  }
}

const fetchAlone: Client = (baseUrl, task) => ({
  call: () =>
    fetch(
      baseUrl + pathOf(task),
      task === "add"
        ? {
            method: "POST",
            headers: { ...headers, "content-type": "application/json" },
            body: JSON.stringify(createOnTheWire)
          }
        : { headers }
    ).then((response) => response.json())
})

interface Paths {
  "/checkout/sessions": {
    post: {
      requestBody: { content: { "application/json": object } }
      responses: { 201: { content: { "application/json": { id: string } } } }
    }
  }
  "/checkout/sessions/{checkout_session_id}": {
    get: {
      parameters: { path: { checkout_session_id: string } }
      responses: { 200: { content: { "application/json": { id: string; expires_at: string } } } }
    }
  }
}

const openapiFetch: Client = (baseUrl, task) => {
  const client = createClient<Paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } })
  return {
    call: () =>
      task === "add"
        ? client.POST("/checkout/sessions", { body: createOnTheWire })
        : client.GET("/checkout/sessions/{checkout_session_id}", {
            params: { path: { checkout_session_id: idOf(task) } }
          })
  }
}

const idOf = (task: Task): string => (task === "add" || task === "own" ? id : ids[task])

/** The vendor's SDK, with a ready token: it mints one for every call otherwise. */
const vendor: Client = (baseUrl, task) => {
  const client = new VendorSdk({ serverURL: baseUrl, bearerAuth: token })
  return {
    call: () => (task === "add" ? client.checkoutSessions.create(create) : client.checkoutSessions.get(idOf(task)))
  }
}

/** Effects are run in a program: a fiber and a promise for each call would be no Effect user's way. */
const program = <R>(
  runtime: ManagedRuntime.ManagedRuntime<R, unknown>,
  call: Effect.Effect<unknown, unknown, R>
): Case => ({
  call: () => runtime.runPromise(call),
  loop: (go) => runtime.runPromise(Effect.whileLoop({ while: go, body: () => call, step: () => {} }))
})

/** What an Effect user writes today. */
const byHand: Client = (baseUrl, task) => {
  const runtime = ManagedRuntime.make(NodeHttpClient.layerUndici)
  const make = Effect.gen(function* () {
    const client = yield* HttpApiClient.make(CheckoutSessionsApi, {
      baseUrl,
      transformClient: (client) =>
        client.pipe(
          HttpClient.mapRequest(HttpClientRequest.bearerToken(token)),
          HttpClient.retryTransient({ times: 2 })
        )
    })
    const call: Effect.Effect<unknown, unknown> =
      task === "add"
        ? client.checkoutSessions.add({ payload: create })
        : client.checkoutSessions.get({ path: { checkout_session_id: CheckoutSessionId.make(idOf(task)) } })
    return call.pipe(Effect.timeout("30 seconds"), Effect.withSpan(`CheckoutSessions.${task}`))
  })
  return program(runtime, runtime.runSync(make))
}

/** A resource of a user's own, with 20 fields of the usual kinds. */
const Own = Schema.Struct({
  id: Schema.String,
  ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`text_${i}`, Schema.String])),
  ...Object.fromEntries(Array.from({ length: 4 }, (_, i) => [`amount_${i}`, Schema.Int])),
  ...Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`flag_${i}`, Schema.Boolean])),
  ...Object.fromEntries(Array.from({ length: 2 }, (_, i) => [`at_${i}`, Schema.DateTimeUtc])),
  tags: Schema.Array(Schema.String),
  note: Schema.optional(Schema.NullOr(Schema.String))
})

const own = Endpoint.get("Own.get", "/own/{id}", { params: { id: Schema.String }, success: Own })

const ours =
  (options: { readonly traced?: boolean; readonly privateKey?: string } = {}): Client =>
  async (baseUrl, task) => {
    if (options.traced === true) registerSdk()
    const credentials =
      options.privateKey === undefined
        ? { token: Redacted.make(token) }
        : { privateKey: Redacted.make(options.privateKey) }
    const runtime = ManagedRuntime.make(
      // Under trouble each call that is not retried would log a line.
      Gr4vy.layer({ baseUrl, connections, ...credentials }).pipe(
        Layer.provideMerge(options.traced === true ? OtelTracer.layer : Layer.empty),
        Layer.provideMerge(Logger.minimumLogLevel(LogLevel.None))
      )
    )
    const sessions = await runtime.runPromise(CheckoutSessions)
    const mine = await runtime.runPromise(Endpoint.client({ own }))
    const sessionId = CheckoutSessionId.make(idOf(task))
    return program(
      runtime,
      Effect.suspend((): Effect.Effect<unknown, unknown> => {
        if (task === "own") return mine.own("1")
        return task === "add" ? sessions.add(create) : sessions.get(sessionId)
      })
    )
  }

/** From outside of Effect: every call starts a fiber of its own, and ends in a promise. */
const oursRun: Client = async (baseUrl, task) => ({ call: (await ours()(baseUrl, task)).call })

/** With a private key: the token comes from the cache. */
const oursSigned: Client = (baseUrl, task) => {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-521",
    privateKeyEncoding: { format: "pem", type: "pkcs8" },
    publicKeyEncoding: { format: "pem", type: "spki" }
  })
  return ours({ privateKey })(baseUrl, task)
}

/** The promise package, as code without Effect uses it. */
const oursPromise: Client = async (baseUrl, task) => {
  const client = await createPromiseClient({ baseUrl, token, connections })
  return { call: () => (task === "add" ? client.add(create) : client.get(idOf(task))) }
}

/** OpenTelemetry's SDK, with an exporter that drops what it gets. */
const registerSdk = (): void =>
  new NodeTracerProvider({
    spanProcessors: [new BatchSpanProcessor({ export: (_, done) => done({ code: 0 }), shutdown: async () => {} })]
  }).register()

/** What the same two spans cost by themselves: made by hand around a bare request, and sent along with it. */
const undiciTraced: Client = (baseUrl, task) => {
  registerSdk()
  const pool = new Pool(baseUrl, { connections })
  const tracer = trace.getTracer("bench")
  const path = pathOf(task)
  const { hostname, port } = new URL(baseUrl)
  return {
    call: () =>
      tracer.startActiveSpan("CheckoutSessions.get", async (outer) => {
        const span = tracer.startSpan("GET /checkout/sessions/{checkout_session_id}", {
          kind: SpanKind.CLIENT,
          attributes: {
            "http.request.method": "GET",
            "server.address": hostname,
            "server.port": Number(port),
            "url.template": "/checkout/sessions/{checkout_session_id}",
            "url.full": baseUrl + path
          }
        })
        const all: Record<string, string> = { ...headers }
        propagation.inject(trace.setSpan(context.active(), span), all)
        const { body, statusCode } = await pool.request({ method: "GET", path, headers: all })
        const session: unknown = JSON.parse(await body.text())
        span.setAttribute("http.response.status_code", statusCode)
        span.end()
        outer.end()
        return session
      })
  }
}

export const clients: Readonly<Record<string, Client>> = {
  undici,
  fetch: fetchAlone,
  "openapi-fetch": openapiFetch,
  "@gr4vy/sdk": vendor,
  "Effect by hand": byHand,
  "effect-gr4vy": ours(),
  "effect-gr4vy, runPromise": oursRun,
  "effect-gr4vy, private key": oursSigned,
  "effect-gr4vy, promise": oursPromise,
  "effect-gr4vy, traced": ours({ traced: true }),
  "undici, traced": undiciTraced
}
