/**
 * Serves endpoints: converts a request to the arguments of an endpoint's function, and its result to a response in the
 * API's own form.
 *
 * @since 0.1.0
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { ErrorDetail, Generic, NotFound, RequestFailed, Unauthorized } from "@effect-gr4vy/core/Errors"
import {
  argumentsOf,
  isKey,
  listOf,
  parseJson,
  problems,
  splitTemplate,
  statusOf
} from "@effect-gr4vy/core/spi/Serving"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type { Accept } from "./accepted.js"
import type { Handler } from "./api/wire.js"
import { ErrorBody } from "./errorBody.js"
import { Example } from "./examples.js"
import { toColons } from "./httpApi.js"

/**
 * Carries out a group of an `HttpApi` by a function for each of its endpoints.
 *
 * @since 0.1.0
 * @category layers
 */
export const group = <Id extends string, Name extends string, Es extends Endpoint.Endpoints, E, R>(
  api: { readonly identifier: Id; readonly groups: Readonly<Record<string, HttpApiGroup.HttpApiGroup.Any>> },
  name: Name,
  endpoints: Es,
  client: Effect.Effect<Endpoint.Client<Es>, E, R>,
  accepts: Readonly<Record<string, Accept>> = {}
): Layer.Layer<HttpApiGroup.ApiGroup<Id, Name>, E, R> =>
  // The types of `group` and `handleRaw` follow each endpoint by its name; a loop over a record cannot.
  HttpApiBuilder.group(
    undecoded(api, name) as never,
    name as never,
    ((handlers: Handlers) =>
      Effect.map(client, (functions) =>
        listOf(endpoints).reduce((all, { endpoint, path }) => {
          const name = path.join(".")
          return all.handleRaw(name, serve(endpoint, functionAt(functions, path), accepts[name]))
        }, handlers)
      )) as never
  ) as unknown as Layer.Layer<HttpApiGroup.ApiGroup<Id, Name>, E, R>

interface Handlers {
  handleRaw(
    name: string,
    handler: (
      request: Received
    ) => Effect.Effect<
      HttpServerResponse.HttpServerResponse,
      unknown,
      HttpRouter.RouteContext | HttpServerRequest.ParsedSearchParams
    >
  ): Handlers
}

type Function_ = (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>

/** The function of an endpoint, by the names that lead to it. */
const functionAt = (functions: object, path: ReadonlyArray<string>): Function_ | OnTheWire =>
  // By its type, a client has a function under the names of each endpoint.
  path.reduce<unknown>((at, name) => Reflect.get(Object(at), name), functions) as Function_ | OnTheWire

/** The group as routes alone: the platform's own errors of a request that does not decode quote its values. */
const undecoded = (
  { groups, identifier }: { readonly identifier: string; readonly groups: Readonly<Record<string, unknown>> },
  name: string
) => {
  const { endpoints, middlewares } = groups[name] as HttpApiGroup.HttpApiGroup.AnyWithProps
  const nothing = { pathSchema: Option.none(), urlParamsSchema: Option.none(), headersSchema: Option.none() }
  const routes = Record.map(endpoints, (endpoint) => ({ ...endpoint, ...nothing }))
  return { identifier, groups: { [name]: { endpoints: routes, middlewares } } }
}

interface Received {
  readonly request: HttpServerRequest.HttpServerRequest
}

/** Answers with JSON as it is. The schemas of the endpoint have accepted the request. */
export class OnTheWire {
  constructor(readonly answer: Handler) {}
}

/** A request that was accepted, with the names of the wire. */
const asSent = (request: HttpServerRequest.HttpServerRequest) =>
  Effect.gen(function* () {
    const { params } = yield* HttpRouter.RouteContext
    const body = Either.getOrUndefined(parseJson(yield* Effect.orDie(request.text)))
    return {
      params: Record.filter(params, Predicate.isString),
      query: yield* HttpServerRequest.ParsedSearchParams,
      body: Predicate.isRecord(body) ? body : {},
      headers: request.headers,
      key: request.headers["idempotency-key"] ?? globalThis.crypto.randomUUID()
    }
  })

const serve = (endpoint: Endpoint.Any, run: Function_ | OnTheWire, accept: Accept = identity) => {
  const { errors, headers, params, payload, payloadOptional, query, resend, status, success } = endpoint
  const { names } = splitTemplate(endpoint.path)
  const [name] = names
  const decodePath = Schema.decodeUnknown(Schema.Struct(params))
  const readQuery = query && queryReader(query)
  const readHeaders = headers && headersReader(headers)
  const readPayload = payload && payloadReader(payload, payloadOptional, accept)
  const encodeSuccess = success && Schema.encodeUnknown(success)
  const toArguments = argumentsOf(endpoint)

  const pathOf = Effect.gen(function* () {
    if (name === undefined) return undefined
    const given = (yield* HttpRouter.RouteContext).params
    // An invalid id names no resource.
    const path: Readonly<Record<string, unknown>> = yield* Effect.mapError(decodePath(given), () => notFound())
    return names.length === 1 ? path[name] : path
  })

  const optionsOf = ({ headers }: HttpServerRequest.HttpServerRequest) =>
    Effect.gen(function* () {
      const declared = readHeaders === undefined ? {} : { headers: yield* readHeaders(headers) }
      if (resend !== "keyed") return declared
      // A request without a key is never a copy of another.
      const idempotencyKey = headers["idempotency-key"] ?? globalThis.crypto.randomUUID()
      return isKey(idempotencyKey) ? { ...declared, idempotencyKey } : yield* keyRefused()
    })

  return ({ request }: Received) =>
    Effect.gen(function* () {
      const given = {
        params: yield* pathOf,
        query: readQuery && (yield* readQuery(yield* HttpServerRequest.ParsedSearchParams)),
        payload: readPayload && (yield* readPayload(request)),
        options: yield* optionsOf(request)
      }
      if (run instanceof OnTheWire) return bodyOf(yield* run.answer(yield* asSent(request)), status)
      const result = yield* run(...toArguments(given))
      const value = result instanceof Example ? result.value : result
      const response =
        encodeSuccess === undefined || (value === undefined && endpoint.successOptional)
          ? HttpServerResponse.empty({ status: encodeSuccess === undefined ? status : 204 })
          : bodyOf(yield* Effect.orDie(encodeSuccess(value)), status)
      return result instanceof Example ? HttpServerResponse.setHeader(response, "x-sandbox-example", "true") : response
    }).pipe(Effect.catchAll((error) => respondToError(error, errors)))
}

/** `undefined` is the wire form of a value that has no body. */
const bodyOf = (encoded: unknown, status: number): HttpServerResponse.HttpServerResponse =>
  encoded === undefined ? HttpServerResponse.empty({ status }) : HttpServerResponse.unsafeJson(encoded, { status })

const notFound = () => new NotFound({ code: "not_found", message: "The resource could not be found" })

const refused = (location: string, found: ReadonlyArray<{ readonly pointer: string; readonly message: string }>) =>
  new Generic({
    status: 400,
    code: "bad_request",
    message: "Request failed validation",
    details: found.map((each) => new ErrorDetail({ location, type: "value_error", ...each }))
  })

const keyRefused = () =>
  refused("header", [{ pointer: "idempotency-key", message: "must be 1 to 255 visible ASCII characters" }])

/** A query as a struct of its schema: a parameter that may come more than once is a list, also where it comes once. */
const queryReader = (query: Schema.Schema.AnyNoContext) => {
  const decode = Schema.decodeUnknown(query, { errors: "all" })
  const lists = new Set(
    AST.getPropertySignatures(AST.encodedAST(query.ast)).flatMap(({ name, type }) => (isList(type) ? [name] : []))
  )
  return (given: Readonly<Record<string, string | ReadonlyArray<string>>>) =>
    Effect.mapError(
      decode(Record.map(given, (value, name) => (lists.has(name) && Predicate.isString(value) ? [value] : value))),
      (error) =>
        refused(
          "query",
          onTheWire(query, error, (path) => path.join("."))
        )
    )
}

/** The declared headers by their names in the schema: a server has them in lower case. */
const headersReader = (schema: Schema.Schema.AnyNoContext) => {
  const decode = Schema.decodeUnknown(schema, { errors: "all" })
  const names = AST.getPropertySignatures(AST.encodedAST(schema.ast)).map(({ name }) => String(name))
  return (headers: Readonly<Record<string, string | undefined>>) => {
    const given = names.flatMap((name) => {
      const value = headers[name.toLowerCase()]
      return value === undefined ? [] : [[name, value] as const]
    })
    return Effect.mapError(decode(Object.fromEntries(given)), (error) =>
      refused(
        "header",
        onTheWire(schema, error, (path) => path.join("."))
      )
    )
  }
}

const isList = (ast: AST.AST): boolean => AST.isTupleType(ast) || (AST.isUnion(ast) && ast.types.some(isList))

/** The problems of a request by the names that it has on the wire. */
const onTheWire = (
  schema: Schema.Schema.AnyNoContext,
  error: ParseResult.ParseError,
  pointerOf: (path: ReadonlyArray<string>) => string
) => {
  const names = renames(schema.ast)
  return problems(error, schema.ast).map(({ message, path }) => ({
    pointer: pointerOf(path),
    message: message.replace(/\w+/g, (word) => names.get(word) ?? word)
  }))
}

/** The names of a schema's properties on the wire, by those in TypeScript, where they differ. */
const renames = (ast: AST.AST): ReadonlyMap<string, string> => {
  const names = new Map<string, string>()
  const seen = new Set<AST.AST>()
  const walk = (ast: AST.AST): void => {
    if (seen.has(ast)) return
    seen.add(ast)
    switch (ast._tag) {
      case "Transformation":
        if (AST.isTypeLiteralTransformation(ast.transformation)) {
          for (const { from, to } of ast.transformation.propertySignatureTransformations) {
            if (from !== to) names.set(String(to), String(from))
          }
        }
        walk(ast.from)
        break
      case "TypeLiteral":
        for (const { type } of [...ast.propertySignatures, ...ast.indexSignatures]) walk(type)
        break
      case "TupleType":
        for (const { type } of [...ast.elements, ...ast.rest]) walk(type)
        break
      case "Union":
        for (const type of ast.types) walk(type)
        break
      case "Refinement":
        walk(ast.from)
        break
      case "Suspend":
        walk(ast.f())
    }
  }
  walk(ast)
  return names
}

const payloadReader = (payload: Schema.Schema.AnyNoContext, optional: boolean, accept: Accept) => {
  // The contract has no other properties, and a client that misspells one would never learn of it.
  const decode = Schema.decodeUnknown(payload, { errors: "all", onExcessProperty: "error" })
  return (request: HttpServerRequest.HttpServerRequest): Effect.Effect<unknown, Generic> =>
    Effect.flatMap(Effect.orDie(request.text), (text) => {
      if (text === "" && optional) return Effect.succeed(undefined)
      const json = parseJson(text)
      if (Either.isLeft(json)) {
        return Effect.fail(
          new Generic({ status: 400, code: "incorrect_json", message: "The request body was not valid JSON." })
        )
      }
      const body = accept(json.right)
      if (body === undefined && optional) return Effect.succeed(undefined)
      return Effect.mapError(decode(body), (error) =>
        refused(
          "body",
          onTheWire(payload, error, (path) => path.map((key) => `/${key}`).join(""))
        )
      )
    })
}

/**
 * The response to a failure, of an endpoint's function or of the way there: in the API's own form and status, or in the
 * form of an error class that the endpoint declares.
 *
 * @since 0.1.0
 * @category responses
 */
export const respondToError = (
  error: unknown,
  declared: ReadonlyArray<Schema.Schema.AnyNoContext> = []
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  for (const schema of declared) {
    const status = statusOf(schema)
    if (schema !== NotFound && status !== undefined && Schema.is(schema)(error)) {
      return Effect.map(Effect.orDie(Schema.encodeUnknown(schema)(error)), (body) => bodyOf(withoutTag(body), status))
    }
  }
  return respond(ofApi(error))
}

/** `_tag` is how a program tells our classes apart, and no property of the API's. */
const withoutTag = (body: unknown): unknown => {
  if (!Predicate.isRecord(body)) return body
  const { _tag: _, ...fields } = body
  return { type: "error", ...fields }
}

const ofApi = (error: unknown): Unauthorized | NotFound | Generic => {
  if (error instanceof Unauthorized || error instanceof NotFound) return error
  if (error instanceof Generic) {
    // A redirect or an unknown status is not an error of the API and is not passed on.
    return error.status < 400 || error.status > 599
      ? new Generic({ status: 502, code: "bad_gateway", message: error.message })
      : error
  }
  // The upstream of this server may have no response: a gateway reports that in the API's form.
  if (error instanceof RequestFailed) return gatewayError(error)
  if (error instanceof HttpServerError.RouteNotFound) return notFound()
  return new Generic({ status: 500, code: "server_error", message: "Something went wrong on the server." })
}

const gatewayError = ({ message, reason }: RequestFailed): Generic => {
  switch (reason) {
    case "InvalidRequest":
      return new Generic({ status: 400, code: "bad_request", message })
    case "Timeout":
      return new Generic({ status: 504, code: "gateway_timeout", message })
    default:
      return new Generic({ status: 502, code: "bad_gateway", message })
  }
}

/**
 * An error of the API as its response, with `Retry-After` where it has one.
 *
 * @since 0.1.0
 * @category responses
 */
export const respond = (
  error: Unauthorized | NotFound | Generic,
  headers: Readonly<Record<string, string>> = {}
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.map(Effect.orDie(encodeError(error)), (body) =>
    HttpServerResponse.unsafeJson(withResource(body, error), {
      status: error.status,
      headers:
        error instanceof Generic && error.retryAfter !== undefined
          ? { ...headers, "retry-after": String(Math.ceil(Duration.toSeconds(error.retryAfter))) }
          : headers
    })
  )

/** A conflict names the resource that is there already. */
const withResource = (body: object, error: Unauthorized | NotFound | Generic): object =>
  error instanceof Generic && error.resourceId !== undefined ? { ...body, resource_id: error.resourceId } : body

const encodeError = Schema.encode(Schema.Union(ErrorBody.Unauthorized, ErrorBody.NotFound, ErrorBody.Generic))

/**
 * The route of a path.
 *
 * @since 0.1.0
 * @category routes
 */
export interface Route {
  /** The template of the path. */
  readonly route: string
  /** The methods allowed there, `HEAD` beside `GET`. */
  readonly methods: ReadonlyArray<string>
}

/**
 * Finds the route of a request among endpoints by its method and path; `undefined` where no endpoint has such a path.
 * If two templates match, the literal segment wins over the parameter.
 *
 * @since 0.1.0
 * @category routes
 */
export const router = (
  endpoints: ReadonlyArray<Endpoint.Any>
): ((method: string, path: string) => Route | undefined) => {
  const routes = endpoints
    .map(({ method, path }) => ({
      methods: method === "GET" ? ["GET", "HEAD"] : [method],
      pattern: new RegExp(`^${splitTemplate(path).texts.map(escape).join("[^/]+")}/?$`),
      route: path
    }))
    .sort(textFirst)
  return (method, path) => {
    const matching = routes.filter(({ pattern }) => pattern.test(path))
    const at = matching.find(({ methods }) => methods.includes(method)) ?? matching[0]
    return at && { route: at.route, methods: [...new Set(matching.flatMap(({ methods }) => methods))] }
  }
}

const textFirst = Order.mapInput(Order.string, ({ route }: Pick<Route, "route">) =>
  // No text comes after this character.
  route.replace(/\{[^{}]+\}/g, "\uffff")
)

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

/**
 * The endpoint that answers the request at hand, of all that are served. For the middleware of a group.
 *
 * @since 0.1.0
 * @category routes
 */
export const current = (
  endpoints: ReadonlyArray<Endpoint.Any>
): Effect.Effect<Endpoint.Any | undefined, never, HttpRouter.RouteContext> =>
  Effect.map(HttpRouter.RouteContext, ({ route }) =>
    endpoints.find(({ method, path }) => method === route.method && toColons(path) === route.path)
  )
