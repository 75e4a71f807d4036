/**
 * Connections and the retry budget in whatever order fibers run: the scheduler permutes and stops them anywhere, by a seed.
 */
import { createServer } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId } from "@effect-gr4vy/core"
import type { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import type { TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import { RetryPolicy } from "@effect-gr4vy/node"
import { Cause, Clock, Context, DefaultServices, Duration, Effect, Exit, Fiber } from "effect"
import { type Pending, settle } from "../../../packages/node/dist/internal/pending.js"
import { Connections } from "../../../packages/node/dist/internal/transport/connections.js"
import type { Lease, WireRequest } from "../../../packages/node/dist/internal/transport/transport.js"
import { handClock } from "../../support/handClock.js"
import { loopback } from "../../support/loopback.js"
import { random, withScheduler } from "../../support/permuting.js"
import { type Answer, lost, simulated, status } from "../../support/simulated.js"

const liveClock = Context.get(DefaultServices.liveServices, Clock.Clock)
const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

const forEverySeed = <E, R>(count: number, run: (seed: number) => Effect.Effect<void, E, R>) =>
  Effect.forEach(
    Array.from({ length: count }, (_, seed) => seed),
    (seed) =>
      run(seed).pipe(
        withScheduler(seed),
        Effect.mapErrorCause((cause) => Cause.parallel(Cause.die(new Error(`seed ${seed}`)), cause))
      ),
    { discard: true }
  )

const connectionsOf = (limit: number, origin = "http://127.0.0.1:9") =>
  Effect.acquireRelease(
    Effect.sync(
      () =>
        new Connections({
          origin,
          connections: limit,
          maxConnectionAge: 300_000,
          maxResponseBytes: 1_000,
          requestIdNames: [],
          counted: () => false
        })
    ),
    (connections) => connections.close
  )

/** Waits for pending work. Without a success it is given up, and so is what it may have handed over already. */
const finished = <A, E>(
  pending: Pending<A, E>,
  restore: <B, E2>(effect: Effect.Effect<B, E2>) => Effect.Effect<B, E2>,
  giveBack: (value: A) => void = () => {}
) => {
  const handedOver: Array<A> = []
  return settle<A, E>(
    (resume) =>
      pending.begin((exit) => {
        if (Exit.isSuccess(exit)) handedOver.push(exit.value)
        resume(exit)
      }),
    restore,
    (exit) => {
      if (Exit.isSuccess(exit)) return
      pending.cancel()
      handedOver.forEach(giveBack)
    }
  )
}

/** Uses a connection as an attempt does: what is free, or the next that becomes free. */
const using = <A, E>(
  connections: Connections,
  use: (lease: Lease) => Effect.Effect<A, E>,
  reusable: () => boolean = () => true,
  millis = 60_000
) =>
  Effect.uninterruptibleMask((restore) => {
    const hold = (lease: Lease) =>
      Effect.ensuring(
        restore(use(lease)),
        Effect.sync(() => lease.release(reusable()))
      )
    const lease = connections.acquire()
    return lease === undefined
      ? Effect.flatMap(
          finished(connections.wait(liveClock, millis), restore, (lease) => lease.release(true)),
          hold
        )
      : hold(lease)
  })

const exchanged = (lease: Lease, request: WireRequest) =>
  Effect.withFiberRuntime<BufferedResponse, TransportFailure>((fiber) =>
    Effect.uninterruptibleMask((restore) => finished(lease.send(request, { clock: liveClock, fiber }, 5_000), restore))
  )

describe("in whatever order fibers run, connections", () => {
  it.effect("are never more than their limit, never lost, and never used by two at a time", () =>
    forEverySeed(100, (seed) =>
      Effect.scoped(
        Effect.gen(function* () {
          const limit = 1 + (seed % 4)
          const connections = yield* connectionsOf(limit)
          const next = random(seed)
          const held = new Set<Lease>()
          let most = 0
          const call = using(
            connections,
            (lease) =>
              Effect.gen(function* () {
                assert.isFalse(held.has(lease))
                held.add(lease)
                most = Math.max(most, held.size)
                yield* Effect.yieldNow()
                if (next() < 0.2) return yield* Effect.fail("lost")
                yield* Effect.yieldNow()
              }).pipe(Effect.ensuring(Effect.sync(() => held.delete(lease)))),
            () => next() < 0.7
          )
          const fibers = yield* Effect.forEach(Array.from({ length: 24 }), () => Effect.fork(call))
          for (const fiber of fibers) if (next() < 0.3) yield* Fiber.interruptFork(fiber)
          const exits = yield* Effect.forEach(fibers, Fiber.await)
          for (const exit of exits) {
            assert(
              Exit.isSuccess(exit) || Exit.isInterrupted(exit) || Cause.squash(exit.cause) === "lost",
              String(exit)
            )
          }
          assert.isAtMost(most, limit)
          const { active, pending } = connections.usage()
          assert.deepStrictEqual({ active, pending }, { active: 0, pending: 0 })
          // Each place is there for the next calls, and no more than that.
          const leases = Array.from({ length: limit + 1 }, () => connections.acquire())
          assert.strictEqual(leases.filter((lease) => lease !== undefined).length, limit)
          for (const lease of leases) lease?.release(true)
        })
      )
    )
  )

  it.effect(
    "go to waiting calls in the order in which they began to wait; those that were interrupted are passed over",
    () =>
      forEverySeed(100, (seed) =>
        Effect.scoped(
          Effect.gen(function* () {
            const connections = yield* connectionsOf(1)
            const next = random(seed)
            const served: Array<number> = []
            const first = connections.acquire()
            const fibers: Array<Fiber.Fiber<void, unknown>> = []
            for (let n = 0; n < 12; n++) {
              const use = () =>
                Effect.zipRight(
                  Effect.sync(() => served.push(n)),
                  Effect.yieldNow()
                )
              fibers.push(yield* Effect.fork(using(connections, use, () => next() < 0.5)))
              while (connections.usage().pending <= n) yield* Effect.yieldNow()
            }
            const leaving = fibers.filter(() => next() < 0.3)
            yield* Effect.forEach(leaving, Fiber.interruptFork)
            if (next() < 0.5) yield* Effect.yieldNow()
            first?.release(true)
            yield* Effect.forEach(fibers, Fiber.await)
            assert.deepStrictEqual(
              served,
              [...served].sort((one, other) => one - other)
            )
            const stayed = fibers.flatMap((fiber, n) => (leaving.includes(fiber) ? [] : [n]))
            assert.includeMembers(served, stayed)
            assert.strictEqual(connections.usage().active, 0)
          })
        )
      )
  )

  it.effect("fail every waiting and later call once they are closed", () =>
    forEverySeed(60, (seed) =>
      Effect.scoped(
        Effect.gen(function* () {
          const connections = yield* connectionsOf(2)
          const next = random(seed)
          const fibers = yield* Effect.forEach(Array.from({ length: 8 }), () =>
            Effect.fork(using(connections, () => Effect.yieldNow()))
          )
          if (next() < 0.5) yield* Effect.yieldNow()
          yield* connections.close
          const late = yield* Effect.exit(using(connections, () => Effect.void))
          assert.isTrue(Exit.isFailure(late))
          for (const exit of yield* Effect.forEach(fibers, Fiber.await)) {
            if (Exit.isFailure(exit)) {
              assert.deepInclude(Cause.squash(exit.cause), {
                reason: "Connect",
                delivered: "no",
                resend: "never",
                message:
                  "The client is closed: its layer's scope has ended. Nothing was sent. Provide the layer to the whole program, or keep it in a ManagedRuntime."
              })
            }
          }
          assert.strictEqual(connections.usage().pending, 0)
        })
      )
    )
  )

  it.scopedLive("over real sockets: an interrupted call frees its place, and every other call gets its response", () =>
    Effect.gen(function* () {
      let [inFlight, most] = [0, 0]
      const server = createServer((_, response) => {
        most = Math.max(most, ++inFlight)
        response.once("close", () => inFlight--)
        setImmediate(() => response.end("fine"))
      })
      const { open, port, quiet } = yield* loopback(server)
      yield* forEverySeed(30, (seed) =>
        Effect.gen(function* () {
          const connections = yield* connectionsOf(3, `http://127.0.0.1:${port}`)
          const next = random(seed)
          const request = {
            method: "GET" as const,
            url: `http://127.0.0.1:${port}/`,
            headers: {},
            body: undefined,
            secrets: undefined,
            isRepeatable: true
          }
          const call = using(connections, (lease) => exchanged(lease, request))
          const fibers = yield* Effect.forEach(Array.from({ length: 16 }), () => Effect.fork(call))
          const leaving = fibers.filter(() => next() < 0.4)
          yield* Effect.forEach(leaving, (fiber) =>
            Effect.zipRight(next() < 0.5 ? Effect.yieldNow() : Effect.void, Fiber.interruptFork(fiber))
          )
          for (const fiber of fibers) {
            const exit = yield* Fiber.await(fiber)
            assert(Exit.isSuccess(exit) || (leaving.includes(fiber) && Exit.isInterrupted(exit)), String(exit))
          }
          const { active, pending } = connections.usage()
          assert.deepStrictEqual({ active, pending }, { active: 0, pending: 0 })
        }).pipe(Effect.scoped)
      )
      yield* Effect.timeout(quiet, "2 seconds")
      assert.strictEqual(open(), 0)
      assert.isAtMost(most, 4)
    })
  )
})

describe("a connection that has carried a response", () => {
  const served = Effect.gen(function* () {
    let requests = 0
    const server = createServer((_, response) => {
      requests++
      response.end("fine")
    })
    const at = yield* loopback(server)
    const origin = `http://127.0.0.1:${at.port}`
    const connections = yield* connectionsOf(1, origin)
    const request = {
      method: "POST" as const,
      url: `${origin}/`,
      headers: {},
      body: undefined,
      secrets: undefined,
      isRepeatable: false
    }
    const call = using(connections, (lease) => exchanged(lease, request))
    return { ...at, call, connections, requests: () => requests, server }
  })

  it.scopedLive("is idle until the server closes it", () =>
    Effect.gen(function* () {
      const { call, connections, server } = yield* served
      yield* call
      assert.deepStrictEqual(connections.usage(), { active: 0, idle: 1, pending: 0 })
      server.closeAllConnections()
      const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
      yield* Effect.repeat(turn, { until: () => connections.usage().idle === 0 }).pipe(Effect.timeout("2 seconds"))
      assert.deepStrictEqual(connections.usage(), { active: 0, idle: 0, pending: 0 })
    })
  )

  it.scopedLive("stays good for the next call if one is interrupted before its POST is sent", () =>
    Effect.gen(function* () {
      const { accepted, call, requests } = yield* served
      yield* call
      // The request waits for the event loop to go round.
      const held = yield* Effect.fork(call)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(held)
      yield* call
      assert.deepStrictEqual([requests(), accepted()], [2, 1])
    })
  )
})

/** A clock of the retries' waits alone: they end once the gate is open, and no time limit ever does. */
const gatedClock = () => {
  const gate = Effect.unsafeMakeLatch()
  const clock: Clock.Clock = {
    ...handClock().clock,
    sleep: (duration) => (Duration.lessThan(duration, "1 seconds") ? gate.await : Effect.never)
  }
  return { clock, gate }
}

describe("in whatever order fibers run, the retry budget", () => {
  const retry = RetryPolicy.make({ baseDelay: 1, maxDelay: 2, maxAttempts: 3 })
  const calls = 12

  /** Calls that wait for their first retry, some of which are interrupted: in that wait, or at any time after it began. */
  const waiting = (seed: number, when: "in the wait" | "whenever", ...answers: ReadonlyArray<Answer>) =>
    Effect.gen(function* () {
      const { budget, sentAt, sessions } = simulated(answers, { retry })
      const next = random(seed)
      for (let n = 0; n < 3; n++) budget.take(false)
      const before = budget.available
      const { clock, gate } = gatedClock()
      const call = Effect.either(Effect.withClock(sessions.get(id), clock))
      const fibers = yield* Effect.forEach(Array.from({ length: calls }), () => Effect.fork(call))
      while (sentAt.length < calls) yield* Effect.yieldNow()
      const leaving = fibers.filter(() => next() < 0.4)
      if (when === "whenever") yield* Effect.fork(gate.open)
      yield* Effect.forEach(leaving, Fiber.interruptFork)
      if (when === "in the wait") yield* Effect.forEach(leaving, Fiber.await)
      yield* gate.open
      yield* Effect.forEach(fibers, Fiber.await)
      return { spent: before - budget.available, retries: sentAt.length - calls, left: leaving.length }
    })

  const busy = Array.from({ length: calls }, () => status(503))

  it.effect("pays for retries that were sent, not for those that were interrupted while they waited", () =>
    forEverySeed(100, (seed) =>
      Effect.map(waiting(seed, "in the wait", lost), ({ left, retries, spent }) =>
        assert.deepStrictEqual([spent, retries], [20 * (calls - left), 2 * (calls - left)])
      )
    )
  )

  it.effect("is refunded for retries that succeeded or were interrupted while they waited", () =>
    forEverySeed(100, (seed) =>
      Effect.map(waiting(seed, "in the wait", ...busy, status(200)), ({ spent }) => assert.strictEqual(spent, 0))
    )
  )

  it.effect("is charged exactly once for each retry that was sent, whenever calls are interrupted", () =>
    forEverySeed(100, (seed) =>
      Effect.map(waiting(seed, "whenever", lost), ({ left, retries, spent }) => {
        assert.isAtLeast(spent, 10 * retries)
        // A call that is interrupted at the very moment of its sending has paid already.
        assert.isAtMost(spent, 10 * (retries + left))
      })
    )
  )
})
