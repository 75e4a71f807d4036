/**
 * The server behind `Sandbox.layer`. It is loaded when a sandbox starts, so that a program that only calls the API does not
 * load it.
 */

import { setMaxListeners } from "node:events"
import type { IncomingMessage, ServerResponse } from "node:http"
import { setTimeout } from "node:timers/promises"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as OpenApi from "@effect/platform/OpenApi"
import { CheckoutSessions } from "@effect-gr4vy/core/CheckoutSessions"
import * as CheckoutSessionsMemory from "@effect-gr4vy/core/CheckoutSessionsMemory"
import * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { checkoutSessions } from "@effect-gr4vy/core/Endpoints"
import { Unauthorized } from "@effect-gr4vy/core/Errors"
import { isEndpoint, listOf } from "@effect-gr4vy/core/spi/Serving"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { BearerAuth, CheckoutSessionsApi } from "../CheckoutSessionsApi.js"
import * as CheckoutSessionsServer from "../CheckoutSessionsServer.js"
import { type Accept, accepted } from "./accepted.js"
import { resources } from "./api/resources.js"
import * as World from "./api/world.js"
import { cardForm, formTokens, sessionOfCardForm } from "./cardForm.js"
import type { Api } from "./docs.js"
import { picker, scriptHeader } from "./faults.js"
import { httpApiGroup } from "./httpApi.js"
import type { Fault, Options, Running, Seen } from "./model.js"
import { faultProblem, implementations, isBodiless, isImplementation, optionsProblem } from "./options.js"
import { approvalPath, pages } from "./pages.js"
import { current, group, router } from "./serve.js"
import { invalidOption, type StartError } from "./startError.js"
import { verifyToken } from "./verifyToken.js"
import { serve } from "./webServer.js"

const maxBodyBytes = 1024 * 1024

/** The number of stored requests; the oldest is removed first. */
const maxSeen = 10_000

export const start = (options: Options): Effect.Effect<Running, StartError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(options)
    const random = yield* Effect.random
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const script = [...(options.faults ?? [])]
    const pick = picker(script, options.faultRates ?? [], () => Effect.runSync(random.next))
    const latency = Duration.toMillis(options.latency ?? 0)
    const host = options.host ?? "127.0.0.1"
    const sessions = yield* memory(options)
    let baseUrl = ""
    const world = yield* World.make({
      sessions,
      webhooks: options.webhooks ?? [],
      approvalUrl: (id) => `${baseUrl}${approvalPath(id)}`
    })
    const own = yield* Effect.provideService(ownGroups(options.endpoints ?? []), CheckoutSessions, sessions)
    const groups = [
      { name: "checkoutSessions", endpoints: checkoutSessions, functions: sessions, accepts: accepted },
      ...apiGroups(world, own),
      ...own
    ]
    const endpoints = groups.flatMap(({ endpoints }) => listOf(endpoints).map(({ endpoint }) => endpoint))
    yield* eachOnce(endpoints)
    const routeAt = router(endpoints)
    const api = describe(groups)
    const formToken = formTokens()
    const handler = yield* contract(options, { api, groups, endpoints, formToken })
    const closing = new AbortController()
    // Each request that waits listens for the end.
    setMaxListeners(0, closing.signal)
    const seen: Array<Seen> = []

    const exchange = async (request: IncomingMessage, body: Buffer | undefined, response: ServerResponse) => {
      // Durations are in real time, even under a `TestClock`.
      const started = performance.now()
      const method = request.method ?? "GET"
      const url = new URL(`http://localhost${request.url?.startsWith("/") === true ? request.url : "/"}`)
      const headers = headersOf(request)

      const send = async (answer: Response, fault: Fault = {}) => {
        const content = Buffer.from(await answer.arrayBuffer())
        const cut = fault.reset === true || fault.reset === "after" || fault.truncate === true
        const entry: Seen = {
          method,
          route: routeAt(method, url.pathname)?.route,
          path: withoutCard(url.pathname),
          headers: withoutSecrets(headers),
          ...(cut ? {} : { status: answer.status }),
          millis: performance.now() - started
        }
        seen.push(entry)
        if (seen.length > maxSeen) seen.shift()
        if (options.onRequest !== undefined) runFork(options.onRequest(entry))
        if (cut && (fault.truncate !== true || content.length === 0)) return void request.socket.resetAndDestroy()
        response.writeHead(answer.status, {
          ...Object.fromEntries(answer.headers),
          ...(answer.status === 204 ? {} : { "content-length": content.length })
        })
        if (!cut) return void response.end(content)
        response.write(content.subarray(0, content.length / 2), () => request.socket.destroy())
      }

      if (url.pathname === "/docs" || url.pathname === "/openapi.json") {
        const docs = await import("./docs.js")
        const page = await docs.answer(api, originOf(request), new Request(url))
        response.writeHead(page.status, Object.fromEntries(page.headers))
        return void response.end(Buffer.from(await page.arrayBuffer()))
      }

      const page = await pages(method, url, world)
      if (page !== undefined) {
        response.writeHead(page.status, page.headers)
        return void response.end(page.body)
      }

      const session = method === "GET" ? sessionOfCardForm(url.pathname) : undefined
      if (session !== undefined) {
        response.writeHead(200, { "content-type": "text/html; charset=utf-8" })
        return void response.end(cardForm(session, formToken(session)))
      }

      const picked = pick(headers[scriptHeader])
      if (Either.isLeft(picked)) {
        return await send(
          problem(400, "bad_request", "Request failed validation", [
            { location: "header", type: "value_error", pointer: scriptHeader, message: picked.left }
          ])
        )
      }
      const fault = picked.right ?? {}
      const delay = latency + (fault.delayMillis ?? 0)
      if (delay > 0) await setTimeout(delay, undefined, { signal: closing.signal })
      if (fault.status !== undefined) return await send(faultAnswer(fault), fault)
      if (fault.reset === "before") return await send(problem(500, "reset", ""), { reset: true })
      if (body === undefined) {
        return await send(problem(413, "payload_too_large", `A request body is at most ${maxBodyBytes} bytes.`), fault)
      }
      // These have no place in a `Request`.
      if (method === "TRACE" || method === "TRACK") {
        return await send(problem(405, "method_not_allowed", `${method} is not allowed here.`), fault)
      }
      const bodiless = body.length === 0 || method === "GET" || method === "HEAD"
      const answer = await handler(new Request(url, { method, headers, body: bodiless ? null : body }))
      const isUnknown = answer.status === 404 && routeAt(method, url.pathname) === undefined
      await send(isUnknown ? problem(404, "not_found", otherPath) : answer, fault)
    }

    const port = yield* serve(exchange, { host, port: options.port ?? 0, maxBodyBytes })
    yield* Effect.addFinalizer(() => Effect.sync(() => closing.abort()))

    const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host
    baseUrl = `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`
    const originOf = ({ headers: { host } }: IncomingMessage) =>
      host !== undefined && /^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(host) ? `http://${host}` : baseUrl

    return {
      baseUrl,
      bank: world.bank,
      deliveries: world.deliveries,
      seen: Effect.sync(() => [...seen]),
      failNext: (...faults) =>
        Effect.suspend(() => {
          const problem = faults.map(faultProblem).find(Predicate.isNotUndefined)
          return problem === undefined
            ? Effect.sync(() => void script.push(...faults))
            : Effect.die(new Cause.IllegalArgumentException(`Sandbox: a fault is wrong: ${problem}.`))
        })
    }
  })

/** A misspelt name, or a value that cannot be used, would leave the sandbox without what a test relies on. */
const checkOptions = (options: Options) => {
  const problem = optionsProblem(options)
  return problem === undefined ? Effect.void : Effect.fail(invalidOption(problem))
}

type FormToken = ReturnType<typeof formTokens>

/** Endpoints that are served together, and the code that carries them out. */
interface Group {
  readonly name: string
  readonly endpoints: Endpoint.Endpoints
  readonly functions: unknown
  readonly accepts?: Readonly<Record<string, Accept>>
}

const memory = ({ sessionLifetime }: Options) =>
  CheckoutSessionsMemory.make(sessionLifetime === undefined ? {} : { lifetime: sessionLifetime })

const ownGroups = (
  given: NonNullable<Options["endpoints"]>
): Effect.Effect<ReadonlyArray<Group>, StartError, CheckoutSessions> =>
  Effect.forEach(given, (one, index) =>
    Effect.flatMap(Effect.isEffect(one) ? one : Effect.succeed(one), (functions) =>
      isImplementation(functions)
        ? Effect.succeed({ name: `own${index + 1}`, endpoints: functions[Endpoint.Implemented], functions })
        : Effect.fail(invalidOption(`endpoints must be ${implementations}`))
    )
  )

/** The resources of the whole API, without the endpoints that the user serves. */
const apiGroups = (world: World.World, own: ReadonlyArray<Group>): ReadonlyArray<Group> => {
  const taken = new Set(own.flatMap(({ endpoints }) => listOf(endpoints).map(({ endpoint }) => placeOf(endpoint))))
  return resources.map(([name, { endpoints }]) => ({
    name,
    endpoints: without(endpoints, taken),
    functions: World.functionsOf(endpoints, world.handlers[name])
  }))
}

const without = (endpoints: Endpoint.Endpoints, taken: ReadonlySet<string>): Endpoint.Endpoints =>
  Object.fromEntries(
    Object.entries(endpoints).flatMap(
      ([name, inner]): ReadonlyArray<[string, Endpoint.Endpoints[string]]> =>
        !isEndpoint(inner) ? [[name, without(inner, taken)]] : taken.has(placeOf(inner)) ? [] : [[name, inner]]
    )
  )

const placeOf = ({ method, path }: Endpoint.Any): string => `${method} ${path.replace(/\{[^{}]+\}/g, "{}")}`

/** Two endpoints at one place would hide one of them. */
const eachOnce = (endpoints: ReadonlyArray<Endpoint.Any>) => {
  const places = endpoints.map(placeOf)
  const twice = places.find((place, index) => places.indexOf(place) !== index)
  return twice === undefined ? Effect.void : Effect.fail(invalidOption(`two endpoints are served at ${twice}`))
}

/** The contract with a group for each resource, and for each implementation of the user's. */
const describe = ([, ...others]: ReadonlyArray<Group>): Api =>
  others.reduce<Api>(
    (api, { endpoints, name }) =>
      api.add(
        httpApiGroup(name, endpoints)
          .middleware(BearerAuth)
          .annotateContext(OpenApi.annotations({ title: titleOf(endpoints) }))
      ) as unknown as Api,
    // The platform's own type for an API of any groups, whose members' types no generic holds.
    CheckoutSessionsApi as unknown as Api
  )

/** `Transactions` for `Transactions.create`. */
const titleOf = (endpoints: Endpoint.Endpoints): string =>
  [...new Set(listOf(endpoints).map(({ endpoint: { name } }) => name.replace(/\.[^.]*$/, "")))].join(", ")

const routes = (api: Api, { accepts, endpoints, functions, name }: Group) =>
  // By the group's construction there is a function for each endpoint.
  group(api, name, endpoints, Effect.succeed(functions as Endpoint.Client<Endpoint.Endpoints>), accepts)

/** The endpoints over their implementations, as a fetch-style handler. */
const contract = (
  options: Options,
  served: {
    readonly api: Api
    readonly groups: ReadonlyArray<Group>
    readonly endpoints: ReadonlyArray<Endpoint.Any>
    readonly formToken: FormToken
  }
) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const tracer = yield* Effect.tracer
    const routeAt = router(served.endpoints)
    const spanName = ({ method, url }: HttpServerRequest.HttpServerRequest) =>
      [method, routeAt(method, url.split("?", 1).join())?.route ?? []].flat().join(" ")
    const { dispose, handler } = HttpApiBuilder.toWebHandler(
      Layer.mergeAll(
        Layer.succeed(HttpApi.Api, { api: served.api, context: Context.empty() }),
        CheckoutSessionsServer.errorsOf(served.endpoints),
        HttpServer.layerContext
      ).pipe(
        Layer.provide(served.groups.reduce((all, one) => Layer.merge(all, routes(served.api, one)), Layer.empty)),
        Layer.provide(Layer.succeed(BearerAuth, yield* bearer(options.publicKey, served))),
        Layer.provideMerge(Layer.succeed(HttpMiddleware.SpanNameGenerator, spanName)),
        // Sessions expire by the clock of the program that started the sandbox, which may be a `TestClock`.
        Layer.provideMerge(Layer.setClock(clock)),
        // Without tracing, the server's spans would appear in the caller's own trace.
        Layer.provideMerge(options.tracing === true ? Layer.setTracer(tracer) : Layer.setTracerEnabled(false))
      )
    )
    yield* Effect.addFinalizer(() => Effect.promise(dispose))
    return handler
  })

/** Accepts any bearer token, unless there is a key to check it. */
const bearer = (
  publicKey: string | undefined,
  { endpoints, formToken }: { readonly endpoints: ReadonlyArray<Endpoint.Any>; readonly formToken: FormToken }
) =>
  Effect.gen(function* () {
    if (publicKey === undefined) {
      return BearerAuth.of({
        BearerAuth: () =>
          // The request itself: what `HttpApi` hands over is cut from a header of any scheme.
          Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
            /^bearer +\S/i.test(headers["authorization"] ?? "")
              ? Effect.void
              : Effect.fail(new Unauthorized({ code: "unauthorized", message: "No valid API authentication found" }))
          )
      })
    }
    const verify = yield* Effect.mapError(verifyToken(publicKey), ({ message }) =>
      invalidOption(`publicKey: ${message.charAt(0).toLowerCase()}${message.slice(1).replace(/\.$/, "")}`)
    )
    return BearerAuth.of({
      BearerAuth: (token) =>
        Effect.gen(function* () {
          const endpoint = yield* current(endpoints)
          if (endpoint === checkoutSessions.updateFields) {
            const { params } = yield* HttpRouter.RouteContext
            if (Redacted.value(token) === formToken(params["checkout_session_id"] ?? "")) return
          }
          yield* verify(token, endpoint?.scope, yield* Clock.currentTimeMillis)
        })
    })
  })

const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))

const withoutSecrets = ({ authorization: _, "proxy-authorization": __, cookie: ___, ...headers }: Seen["headers"]) =>
  headers

/** An unknown path may contain anything, so digits that look like a card number are not stored. */
const withoutCard = (path: string) => path.replace(/\d{13,}/g, "[redacted]")

/** The message about any other path. It does not repeat that path, which may contain anything. */
const otherPath =
  'The sandbox does not serve this path. It serves the paths of the API, which /openapi.json lists, /docs, and a page about itself at /. A program serves other endpoints with Sandbox.layer({ endpoints: [...] }): see "Endpoints of your own" in docs/sandbox.md.'

const faultAnswer = ({ code, message, retryAfterSeconds, status = 500 }: Fault) =>
  problem(
    status,
    code ?? "sandbox_fault",
    message ?? "The sandbox was asked to fail.",
    [],
    retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }
  )

/** A response in the API's own form. */
const problem = (
  status: number,
  code: string,
  message: string,
  details: ReadonlyArray<unknown> = [],
  headers: Readonly<Record<string, string>> = {}
) =>
  // A `Response` has no body with these.
  isBodiless(status)
    ? new Response(null, { status, headers })
    : Response.json({ type: "error", code, status, message, details }, { status, headers })
