/**
 * The service: create, read, update, fill and delete Checkout Sessions.
 *
 * @since 0.1.0
 */
import { type Engine, type Operation, openFake, openMemory, type Work } from "@effect-gr4vy/promise/spi/bridge"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Generic, NotFound, RequestFailed, Unauthorized } from "./Errors.js"
import { durationsOf, Gr4vy, type Options, type Overrides } from "./Gr4vy.js"
import { run, workOf } from "./internal/host.js"
import { values } from "./internal/values.js"
import type {
  CheckoutSession,
  CheckoutSessionCreate,
  CheckoutSessionSecureFieldsUpdate,
  CheckoutSessionUpdate
} from "./sessions.js"

/**
 * Options of one call.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions {
  /**
   * Runs before each request of the call, before a connection is taken; `attempt` is 1 for the first. If it fails, the
   * request is not sent and the call fails with that error. An interruption of the call waits for its finalizers.
   */
  readonly beforeSend?: ((attempt: number) => Effect.Effect<void, RequestFailed>) | undefined
  /** Headers of the call's requests. The client's own headers and those of the connection are refused. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  /** The merchant account of this call; overrides the client's. */
  readonly merchantAccountId?: string | undefined
  /** The time limit of one attempt of this call, at least 1 millisecond. The deadline of the whole call still applies. */
  readonly attemptTimeout?: Duration.Input | undefined
  /**
   * `"send"` sends properties that this version does not know, under the names they have.
   *
   * @default "refuse"
   */
  readonly unknownProperties?: "refuse" | "send" | undefined
}

/**
 * The operations on Checkout Sessions. An id is a UUID; another string fails with `RequestFailed`, reason `InvalidRequest`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionsService {
  /**
   * Creates a Checkout Session. Its lifetime is 1 hour by default; `session.expiresIn` sets another. Without `session` the
   * request has no body. By default it is sent at most once, because a second request could create a second session; a
   * retry policy with `creates: "at-least-once"` changes that.
   */
  readonly add: (
    session?: CheckoutSessionCreate,
    options?: CallOptions
  ) => Effect.Effect<CheckoutSession, Unauthorized | Generic | RequestFailed>
  /** Reads a Checkout Session. */
  readonly get: (
    id: string,
    options?: CallOptions
  ) => Effect.Effect<CheckoutSession, Unauthorized | NotFound | Generic | RequestFailed>
  /**
   * Changes a Checkout Session and returns it. An absent property does not change; `null` clears it. `expiresIn` counts
   * from now; without it the expiry does not change.
   */
  readonly update: (
    id: string,
    session: CheckoutSessionUpdate,
    options?: CallOptions
  ) => Effect.Effect<CheckoutSession, Unauthorized | NotFound | Generic | RequestFailed>
  /**
   * Stores secure fields on a Checkout Session, which then expires in 5 minutes; `get` returns the new expiry. Without
   * `update` the request has no body. Sending a card from a server requires PCI DSS certification.
   */
  readonly updateFields: (
    id: string,
    update?: CheckoutSessionSecureFieldsUpdate,
    options?: CallOptions
  ) => Effect.Effect<void, Unauthorized | NotFound | Generic | RequestFailed>
  /** Deletes a Checkout Session. */
  readonly delete: (
    id: string,
    options?: CallOptions
  ) => Effect.Effect<void, Unauthorized | NotFound | Generic | RequestFailed>
}

/**
 * Gr4vy Checkout Sessions.
 *
 * @example
 * ```ts
 * import { CheckoutSessions } from "@effect-gr4vy/effect4"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const sessions = yield* CheckoutSessions
 *   const session = yield* sessions.add({ amount: 1299, currency: "EUR" })
 *   return yield* sessions.get(session.id)
 * }).pipe(Effect.provide(CheckoutSessions.layerConfig()))
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export class CheckoutSessions extends Context.Service<CheckoutSessions, CheckoutSessionsService>()(
  "@effect-gr4vy/effect4/CheckoutSessions"
) {
  /**
   * The service over a client, which other services may share.
   *
   * @since 0.1.0
   */
  static readonly layerClient: Layer.Layer<CheckoutSessions, never, Gr4vy> = Layer.effect(
    CheckoutSessions,
    Effect.map(Gr4vy, (engine) => over(engine))
  )

  /**
   * The service with a client of its own. Fails with a `ConfigError` that says what to change if an option is missing, invalid
   * or unknown.
   *
   * @since 0.1.0
   */
  static readonly layer = (options: Options): Layer.Layer<CheckoutSessions, Config.ConfigError> =>
    Layer.provide(CheckoutSessions.layerClient, Gr4vy.layer(options))

  /**
   * The service with a client from the configuration: see `Gr4vy.layerConfig`.
   *
   * @since 0.1.0
   */
  static readonly layerConfig = (overrides: Overrides = {}): Layer.Layer<CheckoutSessions, Config.ConfigError> =>
    Layer.provide(CheckoutSessions.layerClient, Gr4vy.layerConfig(overrides))

  /**
   * The service in memory: real ids, the API's lifetimes and errors, expiry by Effect's `Clock`. Use it to test code that uses
   * Checkout Sessions. `lifetime` is that of a new session, 1 hour by default.
   *
   * @since 0.1.0
   */
  static readonly layerMemory = (options?: { readonly lifetime?: Duration.Input }): Layer.Layer<CheckoutSessions> => {
    const lifetime = options?.lifetime === undefined ? undefined : Duration.toMillis(options.lifetime)
    return layerOf(() => openMemory(lifetime, values))
  }

  /**
   * The service for a test, over some functions. Arguments are checked as in the real one. A call of a function that is not
   * given dies with an error that names it.
   *
   * @example
   * ```ts
   * import { CheckoutSessions, NotFound } from "@effect-gr4vy/effect4"
   * import { Effect } from "effect"
   *
   * const Gone = CheckoutSessions.fake({ get: () => Effect.fail(new NotFound({ message: "gone" })) })
   * ```
   *
   * @since 0.1.0
   */
  static readonly fake = (handlers: Partial<CheckoutSessionsService>): Layer.Layer<CheckoutSessions> => {
    const unknown = Object.keys(handlers).filter((name) => !operations.some((known) => known === name))
    if (unknown.length > 0) {
      throw new Error(
        `CheckoutSessions.fake: there is no ${unknown.join(", ")}. Give some of ${operations.join(", ")}.`
      )
    }
    return Layer.unwrap(
      Effect.map(Effect.context(), (context) => {
        const handlerOf =
          (operation: Operation) =>
          (args: ReadonlyArray<unknown>): Work => {
            // TypeScript cannot follow that these are the arguments of this operation.
            const handler = handlers[operation] as
              | ((...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>)
              | undefined
            const effect =
              handler === undefined
                ? Effect.die(
                    new Error(`CheckoutSessions.${operation} was called, but CheckoutSessions.fake was not given it`)
                  )
                : Effect.suspend(() => handler.apply(handlers, [...args]))
            return workOf(effect, context)
          }
        const all = {
          add: handlerOf("add"),
          get: handlerOf("get"),
          update: handlerOf("update"),
          updateFields: handlerOf("updateFields"),
          delete: handlerOf("delete")
        }
        return layerOf(() => openFake(all, values))
      })
    )
  }
}

const operations = ["add", "get", "update", "updateFields", "delete"] as const satisfies ReadonlyArray<Operation>

const layerOf = (open: () => Promise<Engine>): Layer.Layer<CheckoutSessions> =>
  Layer.effect(
    CheckoutSessions,
    Effect.map(
      Effect.acquireRelease(Effect.promise(open), (engine) => Effect.promise(() => engine.close())),
      over
    )
  )

/** The service over an engine. Each call is an effect, so its span, clock and policy are those of where it runs. */
const over = ({ call }: Engine): CheckoutSessionsService => {
  const calling = <A, E>(
    operation: Operation,
    args: ReadonlyArray<unknown>,
    options: CallOptions | undefined
  ): Effect.Effect<A, E> =>
    options === undefined
      ? run((host, done) => call(operation, args, host, done))
      : Effect.flatMap(Effect.context(), (context) => {
          const given = [...args, optionsOf(options, context)]
          return run((host, done) => call(operation, given, host, done))
        })
  return {
    add: (session, options) => calling("add", [session], options),
    get: (id, options) => calling("get", [id], options),
    update: (id, session, options) => calling("update", [id, session], options),
    updateFields: (id, update, options) => calling("updateFields", [id, update], options),
    delete: (id, options) => calling("delete", [id], options)
  }
}

const optionsOf = (options: CallOptions, context: Context.Context<never>): object => {
  const { beforeSend } = options
  return {
    ...durationsOf(options),
    ...(beforeSend === undefined
      ? {}
      : {
          beforeSend: (attempt: number) =>
            workOf(
              Effect.suspend(() => beforeSend(attempt)),
              context
            )
        })
  }
}
