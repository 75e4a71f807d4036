/**
 * An endpoint of the API as a value: its method, path and schemas, and whether a request to it may be sent a second
 * time. A client, a fake and a server are derived from it.
 *
 * ```ts
 * import { Endpoint, NotFound } from "@effect-gr4vy/core"
 * import { Effect, Schema } from "effect"
 *
 * const Transaction = Schema.Struct({ id: Schema.String, status: Schema.String })
 *
 * const transactions = {
 *   create: Endpoint.post("Transactions.create", "/transactions", {
 *     payload: Schema.Struct({ amount: Schema.Int, currency: Schema.String }),
 *     success: Transaction,
 *     resend: "keyed",
 *     scope: "transactions.write"
 *   }),
 *   get: Endpoint.get("Transactions.get", "/transactions/{transaction_id}", {
 *     params: { transaction_id: Schema.String },
 *     success: Transaction,
 *     errors: [NotFound],
 *     scope: "transactions.read"
 *   })
 * }
 *
 * const program = Effect.gen(function* () {
 *   const { create, get } = yield* Endpoint.client(transactions)
 *   const { id } = yield* create({ amount: 1299, currency: "USD" }, { idempotencyKey: "order-1001/1" })
 *   return yield* get(id)
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import type * as HttpClient from "@effect/platform/HttpClient"
import type { HttpMethod } from "@effect/platform/HttpMethod"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as Stream from "effect/Stream"
import type { Generic, RequestFailed, Unauthorized } from "./Errors.js"
import { Gr4vyHttpClient } from "./Gr4vyHttpClient.js"
import { call } from "./internal/call.js"
import { type Checked, checkFacts, checkOptions, type Refused } from "./internal/declare.js"
import { declaredErrors, withStatus } from "./internal/declared.js"
import { encodeRequest } from "./internal/encodeRequest.js"
import type { Any, CallOptions, Docs, FreeHeaders, KeyedCallOptions, Resend } from "./internal/endpoint.js"
import { functionsOf, isEndpoint, listOf } from "./internal/nested.js"
import { pagesFrom } from "./internal/pages.js"
import { isJson, StatusAnnotation, statusOf } from "./internal/status.js"
import { advice } from "./spi/Names.js"
import { spanned } from "./spi/Span.js"

export type { Any, CallOptions, Docs, FreeHeaders, KeyedCallOptions, Resend } from "./internal/endpoint.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-gr4vy/core/Endpoint")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * The inputs of an endpoint by their place in the request, in terms of `@effect/platform`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Wire<Path, UrlParams, Payload, Headers = never> {
  readonly path: Path
  readonly urlParams: UrlParams
  readonly payload: Payload
  readonly headers: Headers
}

/**
 * An endpoint: `Args` are the arguments of its function, `A` is its success, `E` the errors it declares, `W` its inputs by
 * their place in the request.
 *
 * @since 0.1.0
 * @category models
 */
export interface Endpoint<
  in out Args extends ReadonlyArray<unknown>,
  out A,
  out E,
  out W extends Wire<unknown, unknown, unknown, unknown> = Wire<never, never, never>
> extends Any {
  readonly [TypeId]: {
    readonly _Args: (_: Args) => Args
    readonly _A: (_: never) => A
    readonly _E: (_: never) => E
    readonly _W: (_: never) => W
  }
}

/**
 * The function of an endpoint. Every call can fail with `Unauthorized`, `Generic` and `RequestFailed`, and with the
 * errors that the endpoint declares.
 *
 * @since 0.1.0
 * @category models
 */
export type Call<E> =
  E extends Endpoint<infer Args, infer A, infer Error, infer _>
    ? (...args: Args) => Effect.Effect<A, Error | Unauthorized | Generic | RequestFailed>
    : never

/**
 * Endpoints by the names of their functions, nested to any depth.
 *
 * @since 0.1.0
 * @category models
 */
export interface Endpoints {
  readonly [name: string]: Any | Endpoints
}

/**
 * A function for each endpoint, nested as the endpoints are.
 *
 * @since 0.1.0
 * @category models
 */
export type Client<Es extends Endpoints> = {
  readonly [Name in keyof Es]: Es[Name] extends Any
    ? Call<Es[Name]>
    : Es[Name] extends Endpoints
      ? Client<Es[Name]>
      : never
}

/**
 * Functions for some of the endpoints, nested as the endpoints are.
 *
 * @since 0.1.0
 * @category models
 */
export type PartialClient<Es extends Endpoints> = {
  readonly [Name in keyof Es]?: Es[Name] extends Any
    ? Call<Es[Name]>
    : Es[Name] extends Endpoints
      ? PartialClient<Es[Name]>
      : never
}

/**
 * The property under which an implementation keeps its endpoints.
 *
 * @since 0.1.0
 * @category type ids
 */
export const Implemented: unique symbol = Symbol.for("@effect-gr4vy/core/Endpoint/Implemented")

/**
 * Endpoints with the code that implements them. A server serves it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Implementation<Es extends Endpoints = Endpoints> {
  readonly [Implemented]: Es
}

export {
  /**
   * A request that knows its endpoint. The endpoint decides whether the request may be retried and how its span is named.
   *
   * @since 0.1.0
   * @category models
   */
  EndpointRequest as Request
} from "./spi/EndpointRequest.js"

// --- constructors ----------------------------------------------------------------------------------------------------

type AnySchema = Schema.Schema.AnyNoContext

/** The names in a path: `"a" | "b"` for `/x/{a}/y/{b}`. */
type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never

type Params = Readonly<Record<string, AnySchema>>

/** Requires exactly the names in the path. */
type ForPath<Path extends string, P extends Params> = [NamesIn<Path>] extends [keyof P]
  ? [keyof P] extends [NamesIn<Path>]
    ? unknown
    : { readonly params: { readonly [Name in Exclude<keyof P, NamesIn<Path>>]: never } }
  : { readonly params: { readonly [Name in NamesIn<Path>]: AnySchema } }

/**
 * A payload that may be left out, or a success that may have no body.
 *
 * @since 0.1.0
 * @category models
 */
export interface Optional<S extends AnySchema> {
  readonly optional: S
}

type MaybeOptional = AnySchema | Optional<AnySchema> | undefined

type IsUnion<A, B = A> = A extends unknown ? ([B] extends [A] ? false : true) : never

type TypeOf<S> = S extends AnySchema ? Schema.Schema.Type<S> : never

// --- the arguments of a function: parameters, payload, query, options

type ParamArgs<P extends Params> = [keyof P] extends [never]
  ? []
  : IsUnion<keyof P> extends true
    ? [params: { readonly [Name in keyof P]: Schema.Schema.Type<P[Name]> }]
    : [param: Schema.Schema.Type<P[keyof P]>]

/** An argument may be left out only if all that follow may. */
type PayloadArgs<B extends MaybeOptional, Rest extends ReadonlyArray<unknown>> =
  B extends Optional<infer S>
    ? [] extends Rest
      ? [payload?: Schema.Schema.Type<S>, ...rest: Rest]
      : [payload: Schema.Schema.Type<S> | undefined, ...rest: Rest]
    : B extends AnySchema
      ? [payload: Schema.Schema.Type<B>, ...rest: Rest]
      : Rest

type QueryArgs<Q extends AnySchema | undefined, Rest extends ReadonlyArray<unknown>> = Q extends AnySchema
  ? Record<never, never> extends Schema.Schema.Type<Q>
    ? [] extends Rest
      ? [query?: Schema.Schema.Type<Q>, ...rest: Rest]
      : [query: Schema.Schema.Type<Q> | undefined, ...rest: Rest]
    : [query: Schema.Schema.Type<Q>, ...rest: Rest]
  : Rest

/** The declared headers, and any others beside them. */
type HeadersOf<H extends AnySchema | undefined> = H extends AnySchema
  ? Schema.Schema.Type<H> & {
      readonly [name: string]: Schema.Schema.Type<H>[keyof Schema.Schema.Type<H>] | string | undefined
    }
  : FreeHeaders

type OptionArgs<R extends Resend, H extends AnySchema | undefined> = [H] extends [AnySchema]
  ? Record<never, never> extends Schema.Schema.Type<H>
    ? R extends "keyed"
      ? [options: KeyedCallOptions<HeadersOf<H>>]
      : [options?: CallOptions<HeadersOf<H>>]
    : [
        options: (R extends "keyed" ? KeyedCallOptions<HeadersOf<H>> : CallOptions<HeadersOf<H>>) & {
          readonly headers: HeadersOf<H>
        }
      ]
  : R extends "keyed"
    ? [options: KeyedCallOptions]
    : [options?: CallOptions]

type Args<
  P extends Params,
  B extends MaybeOptional,
  Q extends AnySchema | undefined,
  H extends AnySchema | undefined,
  R extends Resend
> = [...ParamArgs<P>, ...PayloadArgs<B, QueryArgs<Q, OptionArgs<R, H>>>]

type SuccessOf<S extends MaybeOptional> = S extends AnySchema
  ? Schema.Schema.Type<S>
  : S extends Optional<infer T>
    ? Schema.Schema.Type<T> | undefined
    : // biome-ignore lint/suspicious/noConfusingVoidType: it is the type of a return value
      void

type WireOf<
  P extends Params,
  Q extends AnySchema | undefined,
  B extends MaybeOptional,
  H extends AnySchema | undefined
> = Wire<
  [keyof P] extends [never] ? never : { readonly [Name in keyof P]: Schema.Schema.Type<P[Name]> },
  TypeOf<Q>,
  B extends Optional<infer S> ? Schema.Schema.Type<S> : TypeOf<B>,
  TypeOf<H>
>

type ErrorOf<E extends ReadonlyArray<AnySchema>> = Schema.Schema.Type<E[number]>

/** The options of the verbs that are idempotent by HTTP. */
interface IdempotentOptions {
  /** `"once"` if a second copy does harm all the same: then it is never retried once it may have arrived. */
  readonly resend?: "idempotent" | "once"
}

/** The options of the verbs that are not. */
interface ResendOptions<R extends Resend> {
  /**
   * Whether it may be retried: `"keyed"` if the server honours `Idempotency-Key`, `"once"` if a second copy does harm,
   * `"create"` if a second copy is harmless, `"idempotent"` if it changes nothing.
   */
  readonly resend: R
}

/** The options of a verb whose request may have a body. */
interface PayloadOptions<B extends MaybeOptional> {
  /** The schema of the JSON body; {@link optional} if it may be left out. */
  readonly payload?: B
}

/** The options of all constructors. */
interface Options<
  P extends Params,
  Q extends AnySchema | undefined,
  H extends AnySchema | undefined,
  S extends MaybeOptional,
  E extends ReadonlyArray<AnySchema>
> {
  /** A schema for each name in the path; a secret parameter is a `Redacted`. */
  readonly params?: P
  /** The schema of the query: a struct whose encoded fields are strings, or lists of strings for repeated keys. */
  readonly query?: Q
  /**
   * The schema of the headers: a struct whose encoded keys are the names of the headers, and whose encoded fields are
   * strings. A call gives them in its option `headers`.
   */
  readonly headers?: H
  /** The schema of the response's body; {@link optional} if it may be absent. Without it a success has no body. */
  readonly success?: S
  /** The status of a success when the endpoint is served: 200 (201 for `POST`) by default, 204 without `success`. */
  readonly status?: number
  /**
   * The errors that the endpoint adds to `Unauthorized`, `Generic` and `RequestFailed`: `NotFound`, or your own error
   * class with its status ({@link status}).
   */
  readonly errors?: E
  /** The scope that a token needs, e.g. `transactions.read`. */
  readonly scope?: string
  /** Raises the time limit of one attempt for this endpoint; the client's own limit is 10 seconds by default. */
  readonly attemptTimeout?: Duration.DurationInput
  /**
   * Checks that a response belongs to this request, e.g. that it has the same id. Otherwise the call fails with
   * `InvalidResponse` and the connection is closed. By default every response is accepted.
   */
  readonly belongs?: (
    success: Exclude<SuccessOf<S>, undefined>,
    params: { readonly [N in keyof P]: Schema.Schema.Type<P[N]> }
  ) => boolean
  readonly docs?: Docs
}

/**
 * Declares a `GET`, which is idempotent. Its function takes the path parameter (a record if there are several), then the
 * query.
 *
 * @since 0.1.0
 * @category constructors
 */
export const get = <
  const Path extends string,
  P extends Params = Record<never, never>,
  Q extends AnySchema | undefined = undefined,
  H extends AnySchema | undefined = undefined,
  S extends MaybeOptional = undefined,
  E extends ReadonlyArray<AnySchema> = readonly []
>(
  name: string,
  path: Path & Checked<Path>,
  options: Options<P, Q, H, S, E> & IdempotentOptions & ForPath<Path, P>
): Endpoint<Args<P, undefined, Q, H, "idempotent">, SuccessOf<S>, ErrorOf<E>, WireOf<P, Q, undefined, H>> =>
  declare("get", "GET", name, path, options)

/**
 * Declares a `PUT`, which is idempotent. Its function takes the path parameter (a record if there are several), the
 * payload, then the query.
 *
 * @since 0.1.0
 * @category constructors
 */
export const put = <
  const Path extends string,
  P extends Params = Record<never, never>,
  Q extends AnySchema | undefined = undefined,
  H extends AnySchema | undefined = undefined,
  B extends MaybeOptional = undefined,
  S extends MaybeOptional = undefined,
  E extends ReadonlyArray<AnySchema> = readonly []
>(
  name: string,
  path: Path & Checked<Path>,
  options: Options<P, Q, H, S, E> & PayloadOptions<B> & IdempotentOptions & ForPath<Path, P>
): Endpoint<Args<P, B, Q, H, "idempotent">, SuccessOf<S>, ErrorOf<E>, WireOf<P, Q, B, H>> =>
  declare("put", "PUT", name, path, options)

const delete_ = <
  const Path extends string,
  P extends Params = Record<never, never>,
  Q extends AnySchema | undefined = undefined,
  H extends AnySchema | undefined = undefined,
  B extends MaybeOptional = undefined,
  S extends MaybeOptional = undefined,
  E extends ReadonlyArray<AnySchema> = readonly []
>(
  name: string,
  path: Path & Checked<Path>,
  options: Options<P, Q, H, S, E> & PayloadOptions<B> & IdempotentOptions & ForPath<Path, P>
): Endpoint<Args<P, B, Q, H, "idempotent">, SuccessOf<S>, ErrorOf<E>, WireOf<P, Q, B, H>> =>
  declare("delete", "DELETE", name, path, options)

export {
  /**
   * Declares a `DELETE`, which is idempotent. A 404 to a retry is a success without a body if an earlier copy may have
   * arrived.
   *
   * @since 0.1.0
   * @category constructors
   */
  delete_ as delete
}

/**
 * Declares a `POST`. `resend` says whether it may be retried. Its function takes the path parameter (a record if there are
 * several), the payload, the query, then the options.
 *
 * @since 0.1.0
 * @category constructors
 */
export const post = <
  const Path extends string,
  const R extends Resend,
  P extends Params = Record<never, never>,
  Q extends AnySchema | undefined = undefined,
  H extends AnySchema | undefined = undefined,
  B extends MaybeOptional = undefined,
  S extends MaybeOptional = undefined,
  E extends ReadonlyArray<AnySchema> = readonly []
>(
  name: string,
  path: Path & Checked<Path>,
  options: Options<P, Q, H, S, E> & PayloadOptions<B> & ResendOptions<R> & ForPath<Path, P>
): Endpoint<Args<P, B, Q, H, R>, SuccessOf<S>, ErrorOf<E>, WireOf<P, Q, B, H>> =>
  declare("post", "POST", name, path, options)

/**
 * Declares a `PATCH`. `resend` says whether it may be retried, as for {@link post}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const patch = <
  const Path extends string,
  const R extends Resend,
  P extends Params = Record<never, never>,
  Q extends AnySchema | undefined = undefined,
  H extends AnySchema | undefined = undefined,
  B extends MaybeOptional = undefined,
  S extends MaybeOptional = undefined,
  E extends ReadonlyArray<AnySchema> = readonly []
>(
  name: string,
  path: Path & Checked<Path>,
  options: Options<P, Q, H, S, E> & PayloadOptions<B> & ResendOptions<R> & ForPath<Path, P>
): Endpoint<Args<P, B, Q, H, R>, SuccessOf<S>, ErrorOf<E>, WireOf<P, Q, B, H>> =>
  declare("patch", "PATCH", name, path, options)

/**
 * Converts an existing `HttpApiEndpoint` of `@effect/platform`. The options add what that value lacks: whether a request
 * may be retried, and the span's name. An error without a status has the platform's, 500.
 *
 * Throws an `IllegalArgumentException` for an endpoint that this client cannot call: one that is not JSON
 * (`HttpApiSchema.withEncoding`), a `GET` with a payload, which the platform puts into the query, an error that is not an
 * object, and a path with a wildcard, a regular expression, or other names than its `setPath`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromHttpApi = <Name extends string, Path, UrlParams, Body, A, Error, const R extends Resend>(
  endpoint: HttpApiEndpoint.HttpApiEndpoint<Name, HttpMethod, Path, UrlParams, Body, never, A, Error>,
  options: {
    readonly resend: R
    /** The name of the call's span; the endpoint's own by default. */
    readonly name?: string
    readonly scope?: string
    readonly attemptTimeout?: Duration.DurationInput
  }
): Endpoint<
  [
    ...([Path] extends [never] ? [] : IsUnion<keyof Path> extends true ? [params: Path] : [param: Path[keyof Path]]),
    ...([Body] extends [never] ? [] : [payload: Body]),
    ...([UrlParams] extends [never] ? [] : [query: UrlParams]),
    ...OptionArgs<R, undefined>
  ],
  A,
  Error,
  Wire<Path, UrlParams, Body>
> => {
  const { errorSchema, method, path, pathSchema, payloadSchema, successSchema, urlParamsSchema } = endpoint
  const params = Option.match(pathSchema, { onNone: () => ({}), onSome: propertiesOf })
  const errors = declaredErrors(errorSchema).map((error) => withStatus(error, 500))
  const problem = problemOf(endpoint, params, errors)
  if (problem !== undefined) {
    throw new Cause.IllegalArgumentException(`Endpoint.fromHttpApi: ${endpoint.name} ${problem}`)
  }
  const hasBody = !AST.isVoidKeyword(AST.encodedAST(successSchema.ast))
  const hasValue = !AST.isVoidKeyword(successSchema.ast) && !AST.isNeverKeyword(successSchema.ast)
  return make("fromHttpApi", {
    resend: options.resend,
    scope: options.scope,
    attemptTimeout: options.attemptTimeout,
    name: options.name ?? endpoint.name,
    method,
    path: path.replace(/:(\w+)/g, "{$1}"),
    params,
    query: Option.getOrUndefined(withoutContext(urlParamsSchema)),
    payload: Option.getOrUndefined(withoutContext(payloadSchema)),
    // The value of an empty response comes from its schema (`HttpApiSchema.asEmpty`).
    success: hasValue ? Schema.make(successSchema.ast) : undefined,
    errors,
    status: statusOf(successSchema) ?? (hasBody && hasValue ? 200 : 204)
  })
}

interface PlatformFacts {
  readonly method: HttpMethod
  readonly path: string
  readonly headersSchema: Option.Option<unknown>
  readonly payloadSchema: Option.Option<Schema.Schema.All>
  readonly successSchema: Schema.Schema.All
}

/** Says why an endpoint of the platform's cannot be called, without a full stop. */
const problemOf = (
  { headersSchema, method, path, payloadSchema, successSchema }: PlatformFacts,
  params: Params,
  errors: ReadonlyArray<AnySchema>
): string | undefined => {
  const names = Array.from(path.matchAll(/:(\w+)/g), ([, name]) => name)
  if (/[:*(){}?#]/.test(path.replace(/:\w+/g, ""))) {
    return `must have a path of texts and names alone, without a wildcard, a regular expression or a mark: ${path}`
  }
  if ([...names].sort().join() !== Object.keys(params).sort().join()) {
    return `must have a struct for setPath with exactly the names of its path: ${path}`
  }
  if (Option.isSome(headersSchema)) return "must have no headers of its own (setHeaders)"
  const isBodiless = method === "GET" || method === "HEAD" || method === "OPTIONS"
  if (isBodiless && Option.isSome(payloadSchema))
    return `must have a query (setUrlParams) in place of a ${method}'s payload`
  if (![successSchema, ...Option.toArray(payloadSchema), ...errors].every(isJson)) {
    return "must have JSON for its payload, success and errors"
  }
  return errors.every(({ ast }) => !isSingle(AST.encodedAST(ast)))
    ? undefined
    : "must have errors that are objects on the wire, or empty"
}

/** A schema of values that are no object. */
const isSingle = (ast: AST.AST): boolean =>
  AST.isStringKeyword(ast) ||
  AST.isNumberKeyword(ast) ||
  AST.isBooleanKeyword(ast) ||
  AST.isLiteral(ast) ||
  AST.isTupleType(ast) ||
  (AST.isRefinement(ast) && isSingle(ast.from))

const withoutContext = (schema: Option.Option<Schema.Schema.All>): Option.Option<AnySchema> =>
  Option.map(schema, ({ ast }) => Schema.make(ast))

/** The schemas of a struct's properties, by their names. */
const propertiesOf = ({ ast }: Schema.Schema.All): Params =>
  Object.fromEntries(
    (AST.isTypeLiteral(ast) ? ast.propertySignatures : []).map(({ name, type }) => [String(name), Schema.make(type)])
  )

/**
 * Marks a payload that may be left out, or a success that may have no body: the success is then `undefined`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const optional = <S extends AnySchema>(schema: S): Optional<S> => ({ optional: schema })

/**
 * The annotation with the HTTP status of an error class. `HttpApiSchema.annotations({ status })` of `@effect/platform` is
 * the same annotation.
 *
 * ```ts
 * import { Endpoint } from "@effect-gr4vy/core"
 * import { Schema } from "effect"
 *
 * class Conflict extends Schema.TaggedError<Conflict>()(
 *   "Conflict",
 *   { message: Schema.String, resource_id: Schema.String },
 *   Endpoint.status(409)
 * ) {}
 * ```
 *
 * @since 0.1.0
 * @category annotations
 */
export const status = (status: number): { readonly [StatusAnnotation]: number } => ({ [StatusAnnotation]: status })

// --- what is derived from endpoints ----------------------------------------------------------------------------------

/**
 * Creates a function for each endpoint, over the `Gr4vyHttpClient` of the context.
 *
 * @since 0.1.0
 * @category clients
 */
export const client = <Es extends Endpoints>(endpoints: Es): Effect.Effect<Client<Es>, never, Gr4vyHttpClient> =>
  Effect.map(Gr4vyHttpClient, (http) => clientOf(endpoints, http))

/**
 * {@link client} over a given client.
 *
 * @since 0.1.0
 * @category clients
 */
export const clientOf = <Es extends Endpoints>(
  endpoints: Es,
  http: HttpClient.HttpClient.With<RequestFailed>
): Client<Es> =>
  // TypeScript cannot follow that a record keeps its keys, nor that each function is the one of its endpoint.
  functionsOf(endpoints, (endpoint) => {
    const inSpan = spanned(endpoint.name)
    const send = call(http, endpoint)
    return (...args) => inSpan(() => send(args))
  }) as Client<Es>

/**
 * Creates the same functions over your own code, for fakes, in-memory stores and servers. Arguments are checked first:
 * invalid input fails with `RequestFailed`, reason `InvalidRequest`, and never reaches a handler.
 *
 * Throws an `IllegalArgumentException` if a handler is missing.
 *
 * @since 0.1.0
 * @category implementations
 */
export const implement = <Es extends Endpoints>(
  endpoints: Es,
  handlers: NoInfer<Client<Es>>
): Client<Es> & Implementation<Es> =>
  implementing(endpoints, handlers, (name) => {
    throw new Cause.IllegalArgumentException(`Endpoint.implement: there is no handler for ${name}`)
  })

/** `missing` makes the handler of an endpoint for which there is none. */
const implementing = <Es extends Endpoints>(
  endpoints: Es,
  handlers: NoInfer<PartialClient<Es>>,
  missing: (name: string) => Handler
): Client<Es> & Implementation<Es> => {
  const functions = functionsOf(endpoints, (endpoint, path) => {
    const inSpan = spanned(endpoint.name)
    const encode = encodeRequest(endpoint)
    const handler = handlerAt(handlers, path) ?? missing(path.join("."))
    return (...args) =>
      inSpan(() => {
        const request = encode(args)
        if (Either.isLeft(request)) return Effect.fail(request.left)
        const { beforeSend } = request.right
        return beforeSend === undefined ? handler(...args) : Effect.zipRight(beforeSend(1), handler(...args))
      })
  })
  // See `clientOf`.
  return Object.defineProperty(functions, Implemented, { value: endpoints }) as Client<Es> & Implementation<Es>
}

type Handler = (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>

/** The handler of an endpoint, by the names that lead to it. A handler of a class finds its `this`. */
const handlerAt = (handlers: unknown, path: ReadonlyArray<string>): Handler | undefined => {
  const [name = "", ...rest] = path
  const found = Predicate.hasProperty(handlers, name) ? handlers[name] : undefined
  if (rest.length > 0) return handlerAt(found, rest)
  // TypeScript cannot follow that the handler under this name takes this endpoint's arguments.
  return Predicate.isFunction(found) ? (found.bind(handlers) as Handler) : undefined
}

/**
 * A tag whose service has a function for each of the endpoints, with its layers.
 *
 * @since 0.1.0
 * @category services
 */
export interface ServiceClass<Self, Id extends string, Es extends Endpoints, Shape = Client<Es>>
  extends Context.TagClass<Self, Id, Shape> {
  /** The endpoints, nested as the functions are. */
  readonly endpoints: Es
  /** The service over a `Gr4vyHttpClient`. */
  readonly layer: Layer.Layer<Self, never, Gr4vyHttpClient>
  /** The service over your own code, as {@link implement} makes it: arguments are checked, and the sandbox can serve it. */
  readonly of: (handlers: Shape) => Shape & Implementation<Es>
  /**
   * The service for a test, over some functions. Arguments are checked as in the real one. A call of a function that is not
   * given dies with an error that names it. Throws an `IllegalArgumentException` for a name that no endpoint has.
   */
  readonly fake: (handlers: PartialClient<Es>) => Layer.Layer<Self>
}

/**
 * Creates the tag of a service from its endpoints. `Shape` is a type of your own for the service, e.g. an interface with
 * documented methods; `Client<Es>` by default.
 *
 * ```ts
 * import { Endpoint } from "@effect-gr4vy/core"
 * import { Effect, Schema } from "effect"
 *
 * const Report = Schema.Struct({ id: Schema.String, name: Schema.String })
 *
 * class Reports extends Endpoint.Service<Reports>()("app/Reports", {
 *   get: Endpoint.get("Reports.get", "/reports/{report_id}", {
 *     params: { report_id: Schema.String },
 *     success: Report,
 *     scope: "reports.read"
 *   })
 * }) {}
 *
 * const program = Effect.flatMap(Reports, (reports) => reports.get("r1"))
 *
 * const live = Effect.provide(program, Reports.layer)
 * const tested = Effect.provide(program, Reports.fake({ get: (id) => Effect.succeed({ id, name: "Sales" }) }))
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Service =
  <Self, Shape = unknown>() =>
  <const Id extends string, Es extends Endpoints>(
    id: Id,
    endpoints: Es & Fitting<Es, Shape>
  ): ServiceClass<Self, Id, Es, ShapeOf<Es, Shape>> => {
    const tag = Context.Tag(id)<Self, ShapeOf<Es, Shape>>()
    const all: Es = endpoints
    const own: Omit<ServiceClass<Self, Id, Es, ShapeOf<Es, Shape>>, keyof Context.TagClass<Self, Id, unknown>> &
      Pick<ServiceClass<Self, Id, Es, ShapeOf<Es, Shape>>, "of"> = {
      endpoints,
      // By `Fitting`, a client of these endpoints has the shape.
      layer: Layer.effect(tag, client(all) as Effect.Effect<ShapeOf<Es, Shape>, never, Gr4vyHttpClient>),
      of: (handlers) => implement(all, handlers as Client<Es>) as ShapeOf<Es, Shape> & Implementation<Es>,
      fake: (handlers) => {
        const unknown = unknownHandler(all, handlers)
        if (unknown !== undefined) throw new Cause.IllegalArgumentException(`${id}.fake: ${unknown}`)
        const missing = (name: string) => () =>
          Effect.dieMessage(`${id}.${name} was called, but ${id}.fake was not given a function for it`)
        return Layer.succeed(tag, implementing(all, handlers, missing) as ShapeOf<Es, Shape>)
      }
    }
    return Object.assign(tag, own)
  }

type ShapeOf<Es extends Endpoints, Shape> = unknown extends Shape ? Client<Es> : Shape

/** Requires that a client of the endpoints has the shape. */
type Fitting<Es extends Endpoints, Shape> = [Client<Es>] extends [Shape]
  ? unknown
  : Refused<"The functions of these endpoints do not have the shape of the service">

const unknownHandler = (endpoints: Endpoints, handlers: unknown, within = ""): string | undefined => {
  if (!Predicate.isRecord(handlers)) return `give an object of functions${within === "" ? "" : ` for ${within}`}`
  for (const [name, handler] of Object.entries(handlers)) {
    const endpoint = Object.hasOwn(endpoints, name) ? endpoints[name] : undefined
    const at = within === "" ? name : `${within}.${name}`
    if (endpoint === undefined) return `there is no endpoint ${at} (${advice(name, Object.keys(endpoints))})`
    if (handler === undefined) continue
    if (!isEndpoint(endpoint)) {
      const problem = unknownHandler(endpoint, handler, at)
      if (problem !== undefined) return problem
    } else if (!Predicate.isFunction(handler)) return `${at} must be a function`
  }
  return undefined
}

/**
 * One page of a list that continues at a cursor. The last page has none.
 *
 * @since 0.1.0
 * @category lists
 */
export interface Page<out A> {
  readonly items: ReadonlyArray<A>
  readonly nextCursor?: string | null | undefined
  /** The same, for endpoints that keep the names on the wire. */
  readonly next_cursor?: string | null | undefined
}

/**
 * The part of a list's query that says where a page begins.
 *
 * @since 0.1.0
 * @category lists
 */
export interface Cursor {
  readonly cursor?: string
}

/**
 * The pages of a list, as a stream. A page is requested when the stream is pulled, so one page at a time is in memory, and an
 * interruption ends with the page under way. `query` is the query of every page; its `cursor` is where the first begins.
 *
 * Fails as the call does, and with `RequestFailed`, reason `InvalidResponse`, if a cursor repeats: the list would never end.
 *
 * ```ts
 * import { Endpoint } from "@effect-gr4vy/core"
 * import { Effect, Schema, Stream } from "effect"
 *
 * const buyers = {
 *   list: Endpoint.get("Buyers.list", "/buyers", {
 *     query: Schema.Struct({ cursor: Schema.optional(Schema.String), limit: Schema.optional(Schema.NumberFromString) }),
 *     success: Schema.Struct({ items: Schema.Array(Schema.Struct({ id: Schema.String })), next_cursor: Schema.NullOr(Schema.String) })
 *   })
 * }
 *
 * const count = Effect.gen(function* () {
 *   const { list } = yield* Endpoint.client(buyers)
 *   return yield* Stream.runFold(Endpoint.pages(list, { limit: 50 }), 0, (total, { items }) => total + items.length)
 * })
 * ```
 *
 * @since 0.1.0
 * @category lists
 */
export const pages = <Q, P extends Page<unknown>, E, R>(
  call: (query: Q & Cursor) => Effect.Effect<P, E, R>,
  query?: Q
): Stream.Stream<P, E | RequestFailed, R> =>
  pagesFrom(
    (cursor) =>
      call(
        // TypeScript cannot follow that a query which may be left out is the one that the call takes.
        (cursor === undefined ? query : { ...query, cursor }) as Q & Cursor
      ),
    Predicate.hasProperty(query, "cursor") && Predicate.isString(query.cursor) ? query.cursor : undefined
  )

/**
 * The items of a list, page by page, as {@link pages} reads them. A function with parameters is wrapped:
 * `Endpoint.items((query) => buyers.giftCards.list(buyerId, query), { limit: 50 })`.
 *
 * @since 0.1.0
 * @category lists
 */
export const items = <Q, A, E, R>(
  call: (query: Q & Cursor) => Effect.Effect<Page<A>, E, R>,
  query?: Q
): Stream.Stream<A, E | RequestFailed, R> => Stream.mapConcat(pages(call, query), ({ items }) => items)

/**
 * The scopes that a token needs to call these endpoints, each once.
 *
 * @since 0.1.0
 * @category scopes
 */
export const scopes = (endpoints: Endpoints): ReadonlyArray<string> => [
  ...new Set(listOf(endpoints).flatMap(({ endpoint: { scope } }) => scope ?? []))
]

const variance = {
  _Args: <A>(args: A): A => args,
  _A: (_: never): never => _,
  _E: (_: never): never => _,
  _W: (_: never): never => _
}

interface Facts {
  readonly name: string
  readonly method: HttpMethod
  readonly path: string
  readonly resend: Resend
  readonly status?: number | undefined
  readonly params?: Params | undefined
  readonly query?: AnySchema | undefined
  readonly headers?: AnySchema | undefined
  readonly payload?: MaybeOptional
  readonly success?: MaybeOptional
  readonly errors?: ReadonlyArray<AnySchema> | undefined
  readonly scope?: string | undefined
  readonly attemptTimeout?: Duration.DurationInput | undefined
  readonly belongs?: Any["belongs"]
  readonly docs?: Docs | undefined
}

/** The endpoint of a constructor. What TypeScript refuses is refused here too. */
const declare = <Args extends ReadonlyArray<unknown>, A, E, W extends Wire<unknown, unknown, unknown, unknown>>(
  constructor: "get" | "put" | "patch" | "delete" | "post",
  method: HttpMethod,
  name: string,
  path: string,
  options: Omit<Facts, "name" | "method" | "path" | "resend"> & { readonly resend?: Resend }
): Endpoint<Args, A, E, W> => {
  checkOptions(constructor, name, options)
  return make(constructor, { ...options, name, path, method, resend: options.resend ?? "idempotent" })
}

const make = <Args extends ReadonlyArray<unknown>, A, E, W extends Wire<unknown, unknown, unknown, unknown>>(
  constructor: string,
  facts: Facts
): Endpoint<Args, A, E, W> => {
  const { attemptTimeout, belongs, docs = {}, errors = [], headers, method, name, params = {}, path } = facts
  const { payload, query, resend, scope, success } = facts
  const payloadOptional = isOptional(payload)
  const successOptional = isOptional(success)
  const endpoint: Endpoint<Args, A, E, W> = {
    [TypeId]: variance,
    name,
    method,
    path,
    resend,
    scope,
    attemptTimeout: attemptTimeout === undefined ? undefined : Duration.toMillis(attemptTimeout),
    status: facts.status ?? (success === undefined ? 204 : method === "POST" ? 201 : 200),
    params,
    query,
    headers,
    payload: payloadOptional ? payload.optional : payload,
    payloadOptional,
    success: successOptional ? success.optional : success,
    successOptional,
    errors: errors.flatMap(declaredErrors),
    belongs,
    docs
  }
  checkFacts(constructor, endpoint)
  return endpoint
}

const isOptional = (schema: MaybeOptional): schema is Optional<AnySchema> =>
  schema !== undefined && "optional" in schema
