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
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type { Generic, RequestFailed, Unauthorized } from "./Errors.js"
import { Gr4vyHttpClient } from "./Gr4vyHttpClient.js"
import { call } from "./internal/call.js"
import { declaredErrors, withStatus } from "./internal/declared.js"
import { encodeRequest } from "./internal/encodeRequest.js"
import type { Any, CallOptions, Docs, KeyedCallOptions, Resend } from "./internal/endpoint.js"
import { isJson, StatusAnnotation, statusOf } from "./internal/status.js"
import { spanned } from "./spi/Span.js"

export type { Any, CallOptions, Docs, KeyedCallOptions, Resend } from "./internal/endpoint.js"

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
export interface Wire<Path, UrlParams, Payload> {
  readonly path: Path
  readonly urlParams: UrlParams
  readonly payload: Payload
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
  out W extends Wire<unknown, unknown, unknown> = Wire<never, never, never>
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
 * Endpoints by the names of their functions.
 *
 * @since 0.1.0
 * @category models
 */
export type Endpoints = Readonly<Record<string, Any>>

/**
 * A function for each endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export type Client<Es extends Endpoints> = { readonly [Name in keyof Es]: Call<Es[Name]> }

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
 * An optional payload.
 *
 * @since 0.1.0
 * @category models
 */
export interface Optional<S extends AnySchema> {
  readonly optional: S
}

type Payload = AnySchema | Optional<AnySchema> | undefined

type IsUnion<A, B = A> = A extends unknown ? ([B] extends [A] ? false : true) : never

type ParamArgs<P extends Params> = [keyof P] extends [never]
  ? []
  : IsUnion<keyof P> extends true
    ? [params: { readonly [Name in keyof P]: Schema.Schema.Type<P[Name]> }]
    : [param: Schema.Schema.Type<P[keyof P]>]

type QueryArgs<Q extends AnySchema | undefined> = Q extends AnySchema
  ? Record<never, never> extends Schema.Schema.Type<Q>
    ? [query?: Schema.Schema.Type<Q>]
    : [query: Schema.Schema.Type<Q>]
  : []

type PayloadArgs<P extends Payload, R extends Resend> =
  P extends Optional<infer S>
    ? R extends "keyed"
      ? [payload: Schema.Schema.Type<S> | undefined]
      : [payload?: Schema.Schema.Type<S>]
    : P extends AnySchema
      ? [payload: Schema.Schema.Type<P>]
      : []

type OptionArgs<R extends Resend> = R extends "keyed" ? [options: KeyedCallOptions] : [options?: CallOptions]

// biome-ignore lint/suspicious/noConfusingVoidType: it is the type of a return value
type SuccessOf<S extends AnySchema | undefined> = S extends AnySchema ? Schema.Schema.Type<S> : void

type WireOf<P extends Params, Q extends AnySchema | undefined, B extends Payload> = Wire<
  [keyof P] extends [never] ? never : { readonly [Name in keyof P]: Schema.Schema.Type<P[Name]> },
  Q extends AnySchema ? Schema.Schema.Type<Q> : never,
  B extends Optional<infer S> ? Schema.Schema.Type<S> : B extends AnySchema ? Schema.Schema.Type<B> : never
>

type ErrorOf<E extends ReadonlyArray<AnySchema>> = Schema.Schema.Type<E[number]>

/** The options of the verbs that are idempotent by HTTP. */
interface IdempotentOptions {
  /** `"once"` if a second copy does harm all the same: then it is never retried once it may have arrived. */
  readonly resend?: "idempotent" | "once"
}

/** The options of all constructors. */
interface CommonOptions<P extends Params, E extends ReadonlyArray<AnySchema>> {
  /** A schema for each name in the path; a secret parameter is a `Redacted`. */
  readonly params?: P
  /**
   * The errors that the endpoint adds to `Unauthorized`, `Generic` and `RequestFailed`: `NotFound`, or your own error
   * class with its status ({@link status}).
   */
  readonly errors?: E
  /** The scope that a token needs, e.g. `transactions.read`. */
  readonly scope?: string
  /** Raises the time limit of one attempt for this endpoint; the client's own limit is 10 seconds by default. */
  readonly attemptTimeout?: Duration.DurationInput
  readonly docs?: Docs
}

interface SuccessOptions<P extends Params, S extends AnySchema | undefined> {
  /** The schema of the response's body. */
  readonly success: S
  /**
   * Checks that a response belongs to this request, e.g. that it has the same id. Otherwise the call fails with
   * `InvalidResponse` and the connection is closed. By default every response is accepted.
   */
  readonly belongs?: (success: SuccessOf<S>, params: { readonly [N in keyof P]: Schema.Schema.Type<P[N]> }) => boolean
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
  S extends AnySchema,
  P extends Params = Record<never, never>,
  Q extends AnySchema | undefined = undefined,
  E extends ReadonlyArray<AnySchema> = readonly []
>(
  name: string,
  path: Path,
  options: CommonOptions<P, E> &
    IdempotentOptions &
    SuccessOptions<P, S> & {
      /** The schema of the query: a struct whose encoded fields are strings or lists of strings. */
      readonly query?: Q
    } & ForPath<Path, P>
): Endpoint<
  [...ParamArgs<P>, ...QueryArgs<Q>, options?: CallOptions],
  SuccessOf<S>,
  ErrorOf<E>,
  WireOf<P, Q, undefined>
> => make({ ...options, name, path, method: "GET", resend: options.resend ?? "idempotent", status: 200 })

/**
 * Declares a `PUT`, which is idempotent. Without `success` its response is 204 without a body.
 *
 * @since 0.1.0
 * @category constructors
 */
export const put = <
  const Path extends string,
  P extends Params = Record<never, never>,
  B extends Payload = undefined,
  S extends AnySchema | undefined = undefined,
  E extends ReadonlyArray<AnySchema> = readonly []
>(
  name: string,
  path: Path,
  options: CommonOptions<P, E> &
    IdempotentOptions &
    Partial<SuccessOptions<P, S>> & {
      /** The schema of the JSON body; {@link optional} if it may be absent. */
      readonly payload?: B
    } & ForPath<Path, P>
): Endpoint<
  [...ParamArgs<P>, ...PayloadArgs<B, "idempotent">, options?: CallOptions],
  SuccessOf<S>,
  ErrorOf<E>,
  WireOf<P, undefined, B>
> =>
  make({
    ...options,
    name,
    path,
    method: "PUT",
    resend: options.resend ?? "idempotent",
    status: options.success === undefined ? 204 : 200
  })

const delete_ = <
  const Path extends string,
  P extends Params = Record<never, never>,
  E extends ReadonlyArray<AnySchema> = readonly []
>(
  name: string,
  path: Path,
  options: CommonOptions<P, E> & IdempotentOptions & ForPath<Path, P>
): Endpoint<[...ParamArgs<P>, options?: CallOptions], void, ErrorOf<E>, WireOf<P, undefined, undefined>> =>
  make({ ...options, name, path, method: "DELETE", resend: options.resend ?? "idempotent", status: 204 })

export {
  /**
   * Declares a `DELETE`, which is idempotent; its success is 204 without a body. A 404 to a retry is a success if an
   * earlier copy may have arrived.
   *
   * @since 0.1.0
   * @category constructors
   */
  delete_ as delete
}

/**
 * Declares a `POST`. `resend` says whether it may be retried: `"keyed"` if the server honours `Idempotency-Key`, `"once"`
 * if a second copy does harm, `"create"` if a second copy is harmless, `"idempotent"` if it changes nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const post = <
  const Path extends string,
  const R extends Resend,
  P extends Params = Record<never, never>,
  B extends Payload = undefined,
  S extends AnySchema | undefined = undefined,
  E extends ReadonlyArray<AnySchema> = readonly []
>(
  name: string,
  path: Path,
  options: CommonOptions<P, E> &
    Partial<SuccessOptions<P, S>> & {
      readonly resend: R
      /** The schema of the JSON body; {@link optional} if it may be absent. */
      readonly payload?: B
      /** The status of a success when the endpoint is served: 201 by default, 204 without `success`. */
      readonly status?: number
    } & ForPath<Path, P>
): Endpoint<
  [...ParamArgs<P>, ...PayloadArgs<B, R>, ...OptionArgs<R>],
  SuccessOf<S>,
  ErrorOf<E>,
  WireOf<P, undefined, B>
> =>
  make({
    ...options,
    name,
    path,
    method: "POST",
    status: options.status ?? (options.success === undefined ? 204 : 201)
  })

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
    ...([UrlParams] extends [never] ? [] : [query: UrlParams]),
    ...([Body] extends [never] ? [] : [payload: Body]),
    ...OptionArgs<R>
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
  return make({
    ...options,
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
 * Marks a payload as optional.
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
  mapEndpoints(endpoints, (endpoint) => {
    const inSpan = spanned(endpoint.name)
    const send = call(http, endpoint)
    return (...args) => inSpan(() => send(args))
  })

/**
 * Creates the same functions over your own code, for fakes, in-memory stores and servers. Arguments are checked first:
 * invalid input fails with `RequestFailed`, reason `InvalidRequest`, and never reaches a handler.
 *
 * @since 0.1.0
 * @category implementations
 */
export const implement = <Es extends Endpoints>(
  endpoints: Es,
  handlers: NoInfer<Client<Es>>
): Client<Es> & Implementation<Es> => {
  const functions = mapEndpoints(endpoints, (endpoint, name) => {
    const inSpan = spanned(endpoint.name)
    const encode = encodeRequest(endpoint)
    // TypeScript cannot follow that the handler under this name takes this endpoint's arguments.
    const handler = handlers[name] as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
    return (...args) =>
      inSpan(() => {
        const request = encode(args)
        if (Either.isLeft(request)) return Effect.fail(request.left)
        const { beforeSend } = request.right
        return beforeSend === undefined ? handler(...args) : Effect.zipRight(beforeSend(1), handler(...args))
      })
  })
  return Object.defineProperty(Object.assign({ [Implemented]: endpoints }, functions), Implemented, {
    enumerable: false
  })
}

/**
 * The scopes that a token needs to call these endpoints, each once.
 *
 * @since 0.1.0
 * @category scopes
 */
export const scopes = (endpoints: Endpoints): ReadonlyArray<string> => [
  ...new Set(Object.values(endpoints).flatMap(({ scope }) => scope ?? []))
]

const mapEndpoints = <Es extends Endpoints>(
  endpoints: Es,
  f: (endpoint: Any, name: keyof Es & string) => (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
): Client<Es> =>
  // TypeScript cannot follow that a record keeps its keys, nor that each function is the one of its endpoint.
  Object.fromEntries(Object.entries(endpoints).map(([name, endpoint]) => [name, f(endpoint, name)])) as Client<Es>

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
  readonly status: number
  readonly params?: Params | undefined
  readonly query?: AnySchema | undefined
  readonly payload?: Payload
  readonly success?: AnySchema | undefined
  readonly errors?: ReadonlyArray<AnySchema> | undefined
  readonly scope?: string | undefined
  readonly attemptTimeout?: Duration.DurationInput | undefined
  readonly belongs?: Any["belongs"]
  readonly docs?: Docs | undefined
}

const make = <Args extends ReadonlyArray<unknown>, A, E, W extends Wire<unknown, unknown, unknown>>({
  attemptTimeout,
  belongs,
  docs = {},
  errors = [],
  method,
  name,
  params = {},
  path,
  payload,
  query,
  resend,
  scope,
  status,
  success
}: Facts): Endpoint<Args, A, E, W> => {
  const isOptional = payload !== undefined && "optional" in payload
  return {
    [TypeId]: variance,
    name,
    method,
    path,
    resend,
    scope,
    attemptTimeout: attemptTimeout === undefined ? undefined : Duration.toMillis(attemptTimeout),
    status,
    params,
    query,
    payload: isOptional ? payload.optional : payload,
    payloadOptional: isOptional,
    success,
    errors: errors.flatMap(declaredErrors),
    belongs,
    docs
  }
}
