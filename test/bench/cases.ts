/**
 * The clients that are compared, each as one function that reads a Checkout Session.
 */
import { generateKeyPairSync } from "node:crypto"
import { HttpApiClient, HttpClient, HttpClientRequest } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer } from "@effect-gr4vy/node"
import { CheckoutSessionsApi } from "@effect-gr4vy/sandbox"
import { Gr4vy as VendorSdk } from "@gr4vy/sdk"
import { context, propagation, SpanKind, trace } from "@opentelemetry/api"
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Effect, Layer, Logger, LogLevel, ManagedRuntime, Redacted } from "effect"
import createClient from "openapi-fetch"
import { Pool } from "undici"

export interface Case {
  readonly call: () => Promise<unknown>
  /** Calls for as long as `go` says so, as a program of its own kind does it. */
  readonly loop?: (go: () => boolean) => Promise<unknown>
}

export const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"

// As long as a real token is.
const token = `ey${"x".repeat(598)}`

export const connections = 64

/** undici as it comes: no token but a header, no retry, no limit, no span, no schema. */
const undici = (baseUrl: string): Case => {
  const pool = new Pool(baseUrl, { connections })
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" }
  return {
    call: async () => {
      const { body } = await pool.request({ method: "GET", path: `/checkout/sessions/${id}`, headers })
      return JSON.parse(await body.text())
    }
  }
}

const fetchAlone = (baseUrl: string): Case => {
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" }
  return { call: () => fetch(`${baseUrl}/checkout/sessions/${id}`, { headers }).then((response) => response.json()) }
}

interface Paths {
  "/checkout/sessions/{checkout_session_id}": {
    get: {
      parameters: { path: { checkout_session_id: string } }
      responses: { 200: { content: { "application/json": { id: string; expires_at: string } } } }
    }
  }
}

const openapiFetch = (baseUrl: string): Case => {
  const client = createClient<Paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } })
  return {
    call: () =>
      client.GET("/checkout/sessions/{checkout_session_id}", { params: { path: { checkout_session_id: id } } })
  }
}

/** The vendor's SDK, with a ready token: it mints one for every call otherwise. */
const vendor = (baseUrl: string): Case => {
  const client = new VendorSdk({ serverURL: baseUrl, bearerAuth: token })
  return { call: () => client.checkoutSessions.get(id) }
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
const byHand = (baseUrl: string): Case => {
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
    return client.checkoutSessions
      .get({ path: { checkout_session_id: CheckoutSessionId.make(id) } })
      .pipe(Effect.timeout("30 seconds"), Effect.withSpan("CheckoutSessions.get"))
  })
  return program(runtime, runtime.runSync(make))
}

const ours = (baseUrl: string, tracer: Layer.Layer<never> = Layer.empty): Case => {
  const runtime = ManagedRuntime.make(
    // Under trouble each call that is not retried would log a line.
    Gr4vy.layer({ baseUrl, token: Redacted.make(token), connections }).pipe(
      Layer.provideMerge(tracer),
      Layer.provideMerge(Logger.minimumLogLevel(LogLevel.None))
    )
  )
  return program(
    runtime,
    Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(CheckoutSessionId.make(id)))
  )
}

/** From outside of Effect: every call starts a fiber of its own, and ends in a promise. */
const oursRun = (baseUrl: string): Case => ({ call: ours(baseUrl).call })

/** With a private key: the token comes from the cache. */
const oursSigned = (baseUrl: string): Case => {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-521",
    privateKeyEncoding: { format: "pem", type: "pkcs8" },
    publicKeyEncoding: { format: "pem", type: "spki" }
  })
  const runtime = ManagedRuntime.make(Gr4vy.layer({ baseUrl, privateKey: Redacted.make(privateKey), connections }))
  return program(
    runtime,
    Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(CheckoutSessionId.make(id)))
  )
}

/** OpenTelemetry's SDK, with an exporter that drops what it gets. */
const registerSdk = (): void =>
  new NodeTracerProvider({
    spanProcessors: [new BatchSpanProcessor({ export: (_, done) => done({ code: 0 }), shutdown: async () => {} })]
  }).register()

const oursTraced = (baseUrl: string): Case => {
  registerSdk()
  return ours(baseUrl, OtelTracer.layer)
}

/** What the same two spans cost by themselves: made by hand around a bare request, and sent along with it. */
const undiciTraced = (baseUrl: string): Case => {
  registerSdk()
  const pool = new Pool(baseUrl, { connections })
  const tracer = trace.getTracer("bench")
  const path = `/checkout/sessions/${id}`
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
        const headers: Record<string, string> = { authorization: `Bearer ${token}`, accept: "application/json" }
        propagation.inject(trace.setSpan(context.active(), span), headers)
        const { body, statusCode } = await pool.request({ method: "GET", path, headers })
        const session: unknown = JSON.parse(await body.text())
        span.setAttribute("http.response.status_code", statusCode)
        span.end()
        outer.end()
        return session
      })
  }
}

export const cases: Readonly<Record<string, (baseUrl: string) => Case>> = {
  undici,
  fetch: fetchAlone,
  "openapi-fetch": openapiFetch,
  "@gr4vy/sdk": vendor,
  "Effect by hand": byHand,
  "effect-gr4vy": (baseUrl) => ours(baseUrl),
  "effect-gr4vy, runPromise": oursRun,
  "effect-gr4vy, private key": oursSigned,
  "effect-gr4vy, traced": oursTraced,
  "undici, traced": undiciTraced
}
