/**
 * Idempotency keys as the API honours them: the first response to a key is stored and replayed, also a failure; a request
 * that fails validation is not stored; a copy of a running request is a 409; another request with the same key is a 400.
 */
import { Generic, type NotFound } from "@effect-gr4vy/core/Errors"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"

export type Failure = Generic | NotFound

interface Keyed {
  /** Operation and payload, to distinguish a second copy from another request with the same key. */
  readonly asked: string
  readonly response: Deferred.Deferred<unknown, Failure>
}

export interface Keys {
  /**
   * Runs `execute` once for a key. `validate` comes first and stores nothing. The execution outlives the caller's
   * connection.
   */
  readonly once: <V, A, E extends Failure, E2 extends Failure>(
    key: string,
    asked: string,
    validate: Effect.Effect<V, E>,
    execute: (valid: V) => Effect.Effect<A, E2>
  ) => Effect.Effect<A, E | E2 | Generic>
}

export const make: Effect.Effect<Keys> = Effect.map(
  Ref.make<ReadonlyMap<string, Keyed>>(new Map()),
  (keys): Keys => ({
    once: <V, A, E extends Failure, E2 extends Failure>(
      key: string,
      asked: string,
      validate: Effect.Effect<V, E>,
      execute: (valid: V) => Effect.Effect<A, E2>
    ) => {
      // `asked` names the operation, and an operation completes its response with `execute` alone.
      const answerOf = (response: Keyed["response"]) => Deferred.await(response) as Effect.Effect<A, E2>
      return Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const response = yield* Deferred.make<unknown, Failure>()
          const first = yield* Ref.modify(keys, (keys) => {
            const known = keys.get(key)
            return [known, known === undefined ? new Map(keys).set(key, { asked, response }) : keys]
          })
          if (first === undefined) {
            const forget = Ref.update(keys, (known) => new Map([...known].filter(([name]) => name !== key)))
            const valid = yield* Effect.onError(validate, () => forget)
            yield* Effect.forkDaemon(Effect.uninterruptible(Deferred.complete(response, execute(valid))))
            return yield* restore(answerOf(response))
          }
          if (first.asked !== asked) {
            return yield* new Generic({ status: 400, code: "bad_request", message: "This key is another request's" })
          }
          if (!(yield* Deferred.isDone(first.response))) {
            return yield* new Generic({
              status: 409,
              code: "concurrent_request",
              message: "The request is still running"
            })
          }
          return yield* answerOf(first.response)
        })
      )
    }
  })
)
