/**
 * What one token costs: ours against the vendor's. CPU microseconds, in turns, the median.
 */
import { generateKeyPairSync } from "node:crypto"
import { SignedCredentials } from "@effect-gr4vy/node"
import { getToken } from "@gr4vy/sdk"
import { Clock, Effect, Redacted } from "effect"

const cost = async (times: number, mint: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage()
  for (let i = 0; i < times; i++) await mint()
  const { system, user } = process.cpuUsage(before)
  return (user + system) / times
}

export const mintCosts = (times: number): Promise<{ readonly ours: number; readonly vendor: number }> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const { privateKey } = generateKeyPairSync("ec", {
        namedCurve: "P-521",
        privateKeyEncoding: { format: "pem", type: "pkcs8" },
        publicKeyEncoding: { format: "pem", type: "spki" }
      })
      const credentials = yield* SignedCredentials.make({ privateKey: Redacted.make(privateKey) })
      // Every token is asked for an hour after the last one, which has expired by then.
      let now = Date.now()
      const live = Clock.make()
      const clock: Clock.Clock = {
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => now,
        unsafeCurrentTimeNanos: () => live.unsafeCurrentTimeNanos(),
        currentTimeMillis: Effect.sync(() => now),
        currentTimeNanos: live.currentTimeNanos,
        sleep: (duration) => live.sleep(duration)
      }
      const ours = () => {
        now += 3_600_000
        return Effect.runPromise(Effect.withClock(credentials.token, clock))
      }
      const vendor = () => getToken({ privateKey })
      yield* Effect.promise(() => cost(20, ours))
      yield* Effect.promise(() => cost(20, vendor))
      return {
        ours: yield* Effect.promise(() => cost(times, ours)),
        vendor: yield* Effect.promise(() => cost(times, vendor))
      }
    }).pipe(Effect.scoped)
  )
