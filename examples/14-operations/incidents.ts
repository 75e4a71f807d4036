/**
 * Ten incidents: each is a server that misbehaves as in real life, a client of it, and its calls.
 */
import { generateKeyPairSync } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { type CheckoutSession, CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, type Layer, Redacted, type Scope } from "effect"

export interface Incident {
  readonly title: string
  /** How the API, or what is in its place, responds. */
  readonly responds: (request: IncomingMessage, response: ServerResponse) => void
  readonly client?: (baseUrl: string) => Gr4vy.Options
  readonly call?: "get" | "add"
  /** The number of calls that show it: 20 by default. */
  readonly calls?: number
}

const id = CheckoutSessionId.make("8724fd24-5489-4a5d-90fd-0604df7d3b83")

const respond =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = "{}"): Incident["responds"] =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json", ...headers }).end(body)

const succeed: Incident["responds"] = (request, response) =>
  respond(
    request.method === "POST" ? 201 : 200,
    {},
    JSON.stringify({ type: "checkout-session", id, expires_at: "2099-01-01T00:00:00Z" })
  )(request, response)

const retry = RetryPolicy.make({ baseDelay: "5 millis" })

const withToken = (baseUrl: string): Gr4vy.Options => ({ baseUrl, token: Redacted.make("a-token"), retry })

const withKey = (baseUrl: string): Gr4vy.Options => {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "secp521r1",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" }
  })
  return { baseUrl, privateKey: Redacted.make(privateKey), retry }
}

/** Accepts a token only while it is valid by the API's clock, which is 10 minutes ahead of ours. */
const byItsOwnClock: Incident["responds"] = (request, response) => {
  const now = Date.now() + 600_000
  response.setHeader("date", new Date(now).toUTCString())
  const [, claims = ""] = String(request.headers.authorization).split(".")
  const { exp } = JSON.parse(Buffer.from(claims, "base64url").toString())
  return exp * 1000 < now ? respond(401)(request, response) : succeed(request, response)
}

export const incidents = {
  "wrong-key": {
    title: "The private key belongs to another environment",
    responds: respond(401),
    client: withKey
  },
  clock: {
    title: "The clock of this machine is 10 minutes behind",
    responds: byItsOwnClock,
    client: withKey
  },
  "503-storm": { title: "The API responds with 503 to everything", responds: respond(503), calls: 60 },
  "slow-api": {
    title: "The API takes 2.6 seconds for each response",
    responds: (request, response) => void setTimeout(() => succeed(request, response), 2_600)
  },
  dns: {
    title: "The name of the API cannot be resolved",
    responds: succeed,
    client: () => withToken("https://api.sandbox.plantly.invalid")
  },
  resets: {
    title: "The connection is reset after a POST was sent",
    responds: ({ socket }) => void socket.resetAndDestroy(),
    call: "add"
  },
  "rate-limit": {
    title: "The API asks to wait for a minute",
    responds: respond(429, { "retry-after": "60" })
  },
  html: {
    title: "A captive portal responds with 200 and an HTML page",
    responds: respond(200, { "content-type": "text/html" }, "<!doctype html><title>Welcome to our Wi-Fi</title>")
  },
  redirect: {
    title: "A proxy redirects to a login page",
    responds: respond(302, { location: "https://login.example.com/" })
  },
  "wrong-merchant-account": {
    title: "The merchant account belongs to another instance",
    responds: respond(403),
    client: (baseUrl) => ({ ...withToken(baseUrl), merchantAccountId: "acme-eu" })
  }
} as const satisfies Readonly<Record<string, Incident>>

export type Name = keyof typeof incidents

/** What the same calls do on a good day. */
export const health: Incident = { title: "The API works", responds: succeed }

/** A server that responds as in the incident, until the scope closes, and the layer of a client of it. */
export const client = ({
  client = withToken,
  responds
}: Incident): Effect.Effect<Layer.Layer<CheckoutSessions, unknown>, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly baseUrl: string; readonly stop: () => void }>((resume) => {
        const server = createServer((request, response) => {
          request.resume().once("end", () => responds(request, response))
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          const stop = () => void server.close().closeAllConnections()
          resume(Effect.succeed({ baseUrl: `http://127.0.0.1:${port}`, stop }))
        })
      }),
      ({ stop }) => Effect.sync(stop)
    ),
    ({ baseUrl }) => Gr4vy.layer(client(baseUrl))
  )

/** The calls of an incident; only the last one is traced. */
export const calls = ({ call = "get", calls = 20 }: Incident): Effect.Effect<void, never, CheckoutSessions> =>
  Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    const one: Effect.Effect<CheckoutSession, unknown> = call === "get" ? sessions.get(id) : sessions.add()
    yield* Effect.forEach(Array.from({ length: calls - 1 }), () => Effect.exit(one), {
      concurrency: 20,
      discard: true
    }).pipe(Effect.withTracerEnabled(false))
    yield* Effect.exit(one)
  })
