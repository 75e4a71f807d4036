/**
 * Prism over today's description of the API, as a client's transport: it says what a request breaks, and makes up the
 * responses.
 */
import { fileURLToPath } from "node:url"
import { HttpClient, HttpClientError, HttpClientResponse } from "@effect/platform"
import { createInstance, getHttpOperationsFromSpec } from "@stoplight/prism-http"
import { Effect, Layer } from "effect"

/** A description is read once: it takes half a second. */
const descriptionAt = (path: string) =>
  Effect.runSync(
    Effect.cached(Effect.promise(() => getHttpOperationsFromSpec(fileURLToPath(new URL(path, import.meta.url)))))
  )

const silent = {
  child: () => silent,
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  success: () => {}
}

export interface Call {
  readonly request: string
  readonly violations: ReadonlyArray<string>
  readonly status: number
  readonly body: unknown
}

type Described = ReturnType<typeof descriptionAt>

/** `status` asks for a response of this status, `seed` decides what is made up, `lists` are the parameters that are lists also of one; a static response is made of examples. */
const prismOver = (described: Described) =>
  Effect.gen(function* () {
    const operations = yield* described
    const calls: Array<Call> = []
    const next: { status?: number; seed: number; dynamic: boolean; lists: ReadonlySet<string> } = {
      seed: 1,
      dynamic: true,
      lists: new Set()
    }
    const config = {
      isProxy: false,
      upstreamProxy: undefined,
      checkSecurity: true,
      validateRequest: true,
      validateResponse: false,
      errors: false
    } as const
    // Of a logger it needs these functions alone.
    const instance = createInstance({ ...config, mock: { dynamic: true } }, { logger: silent as never })
    const answer = async (method: string, url: URL, headers: Record<string, string>, body: string | undefined) => {
      const outcome = await instance.request(
        {
          method: method.toLowerCase() as "get",
          url: { path: url.pathname, baseUrl: "", query: queryOf(url, next.lists) },
          headers: {
            ...listed(headers, next.lists),
            ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) })
          },
          ...(body === undefined ? {} : { body: JSON.parse(body) })
        },
        operations,
        {
          ...config,
          mock: {
            dynamic: next.dynamic,
            seed: String(next.seed++),
            ...(next.status === undefined ? {} : { code: next.status })
          }
        }
      )()
      if (outcome._tag === "Left") throw outcome.left
      const { output, validations } = outcome.right
      const text = typeof output.body === "string" ? output.body : JSON.stringify(output.body)
      calls.push({
        request: `${method} ${url.pathname} ${body ?? ""}`,
        violations: validations.input.map(({ message, path }) => `${path?.join(".")}: ${message}`),
        status: output.statusCode,
        body: text === undefined ? undefined : JSON.parse(text)
      })
      return new Response(output.statusCode === 204 ? null : text, {
        status: output.statusCode,
        headers: { "content-type": "application/json" }
      })
    }
    const client = HttpClient.make((request, url) =>
      Effect.tryPromise({
        try: () =>
          answer(
            request.method,
            url,
            { ...request.headers },
            request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : undefined
          ),
        catch: (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause })
      }).pipe(Effect.map((response) => HttpClientResponse.fromWeb(request, response)))
    )
    return { calls, next, layer: Layer.succeed(HttpClient.HttpClient, client) }
  })

const queryOf = ({ searchParams }: URL, lists: ReadonlySet<string>): Record<string, string | Array<string>> =>
  Object.fromEntries(
    Array.from(new Set(searchParams.keys()), (name) => {
      const [first = "", ...others] = searchParams.getAll(name)
      return [name, others.length === 0 && !lists.has(name) ? first : [first, ...others]]
    })
  )

/** Prism takes a header as it is given, and its types know none that are lists. */
const listed = (headers: Record<string, string>, lists: ReadonlySet<string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, lists.has(name) ? ([value] as never) : value])
  )

/** The operations on Checkout Sessions, as they are today. */
export const prism = prismOver(descriptionAt("../openapi/today.json"))

/** The whole API. */
export const wholeApi = prismOver(descriptionAt("../../packages/api/openapi.json"))
