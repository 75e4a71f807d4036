/**
 * The lifecycle of a Checkout Session: create → get → store a card → get → delete → get.
 *
 * Against the embedded sandbox:  npm run demo
 * Against the real API:          GR4VY_ID=… GR4VY_TOKEN=… (or GR4VY_PRIVATE_KEY_FILE=…) npm run demo
 *
 * This demo sends a test card from the server, so that it runs without a browser. Do that only in tests against the
 * sandbox, or if you are PCI DSS certified for it. In a shop the card goes from the buyer's browser to Gr4vy: see
 * 12-take-a-payment.ts.
 */
import { CheckoutSessionSecureFieldsUpdate, CheckoutSessions } from "@effect-gr4vy/core"
import { Console, Duration, Effect, Redacted } from "effect"
import { run } from "./support/run.js"

export const quickstart = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions

  const created = yield* sessions.add({ amount: 1299, currency: "USD" })
  yield* Console.log(`created   ${created.id}`)

  const read = yield* sessions.get(created.id)
  yield* Console.log(`read      expires in ${inWords(yield* read.timeLeft)}`)

  // In a shop the browser does this. A test card, for the sandbox.
  yield* sessions.updateFields(
    created.id,
    CheckoutSessionSecureFieldsUpdate.make({
      paymentMethod: {
        method: "card",
        number: Redacted.make("4111111111111111"),
        expirationDate: "11/29",
        securityCode: Redacted.make("123")
      }
    })
  )
  const filled = yield* sessions.get(created.id)
  yield* Console.log(`card      stored, expires in ${inWords(yield* filled.timeLeft)}`)

  yield* sessions.delete(created.id)
  return yield* sessions.get(created.id).pipe(
    Effect.map(() => "still there"),
    Effect.catchTag("NotFound", (error) => Effect.succeed(`gone: ${error.message}`)),
    Effect.tap((outcome) => Console.log(`deleted   ${outcome}`))
  )
})

const inWords = (left: Duration.Duration) => Duration.format(Duration.seconds(Math.round(Duration.toSeconds(left))))

run(import.meta.filename, quickstart)
