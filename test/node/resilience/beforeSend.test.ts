/** What runs before each request of a call. */
import { assert, describe, it } from "@effect/vitest"
import { Endpoint } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Deferred, Effect, Fiber, Redacted, Schema } from "effect"
import { script, session, silent } from "../../support/script.js"

const token = Redacted.make("token")

const things = {
  pay: Endpoint.post("Things.pay", "/things", { success: Schema.Unknown, resend: "once" }),
  look: Endpoint.get("Things.look", "/looks", { success: Schema.Unknown })
}

const clientOf = (baseUrl: string, options: { readonly deadline?: number } = {}) =>
  Effect.map(Gr4vy.makeClient({ baseUrl, token, retry: RetryPolicy.none, connections: 4, ...options }), (client) =>
    Endpoint.clientOf(things, client)
  )

describe("beforeSend", () => {
  it.live("may call the same client: as many calls as there are connections do not wait for each other", () =>
    Effect.gen(function* () {
      const server = yield* script(session)
      const { look, pay } = yield* clientOf(server.baseUrl, { deadline: 2000 })
      const gate = yield* Deferred.make<void>()
      let begun = 0
      const beforeSend = () =>
        Effect.suspend(() => {
          if (++begun === 4) Deferred.unsafeDone(gate, Effect.void)
          return Effect.zipRight(Deferred.await(gate), Effect.ignore(look()))
        })
      yield* Effect.all(
        Array.from({ length: 4 }, () => pay({ beforeSend })),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(server.requests.map(({ url }) => url).sort(), [
        ...new Array<string>(4).fill("/looks"),
        ...new Array<string>(4).fill("/things")
      ])
    }).pipe(Effect.scoped)
  )

  it.live("has ended, finalizers and all, when an interruption of its call has", () =>
    Effect.gen(function* () {
      const server = yield* script(session)
      const { pay } = yield* clientOf(server.baseUrl)
      const began = yield* Deferred.make<void>()
      let isOver = false
      const beforeSend = () =>
        Effect.onInterrupt(Effect.zipRight(Deferred.succeed(began, undefined), Effect.never), () =>
          Effect.zipRight(
            Effect.sleep(50),
            Effect.sync(() => {
              isOver = true
            })
          )
        )
      const call = yield* Effect.fork(pay({ beforeSend }))
      yield* Deferred.await(began)
      yield* Fiber.interrupt(call)
      assert.isTrue(isOver)
      assert.lengthOf(server.requests, 0)
    }).pipe(Effect.scoped)
  )

  it.live("is ended by the deadline of its call, which does not wait for its finalizers", () =>
    Effect.gen(function* () {
      const server = yield* script(silent)
      const { pay } = yield* clientOf(server.baseUrl, { deadline: 100 })
      const finalizing = yield* Deferred.make<void>()
      const finish = yield* Deferred.make<void>()
      const beforeSend = () =>
        Effect.onInterrupt(Effect.never, () =>
          Effect.zipRight(Deferred.succeed(finalizing, undefined), Deferred.await(finish))
        )
      const error = yield* Effect.flip(pay({ beforeSend }))
      assert.deepInclude(
        { ...error, message: error.message },
        {
          reason: "Timeout",
          delivered: "no",
          message: "beforeSend did not end before the call's deadline. The request was not sent."
        }
      )
      yield* Deferred.await(finalizing)
      yield* Deferred.succeed(finish, undefined)
      assert.lengthOf(server.requests, 0)
    }).pipe(Effect.scoped)
  )
})
