/** Whether an operation is sent twice, and what a server says of its secrets, from the wire. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Endpoint } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Exit, Predicate, Redacted } from "effect"
import { loopback } from "../support/loopback.js"
import { sinks } from "../support/sinks.js"
import { argumentsOf, operations } from "../support/wholeApi.js"

/** The requests that a server reads in full, and the exit of each call. */
const serving = (answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) =>
  Effect.gen(function* () {
    const seen: Array<IncomingMessage> = []
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        seen.push(request)
        answer(request, response, Buffer.concat(chunks).toString("utf8"))
      })
    })
    const { port } = yield* loopback(server)
    const client = Gr4vy.layerClient({
      baseUrl: `http://127.0.0.1:${port}`,
      token: Redacted.make("any"),
      retry: RetryPolicy.make({ maxAttempts: 3, baseDelay: 1, maxDelay: 2 })
    })
    const call = (endpoint: Endpoint.Any, args: ReadonlyArray<unknown>) =>
      Effect.gen(function* () {
        const { call } = yield* Endpoint.client({ call: endpoint })
        // The arguments are made from the endpoint's own schemas.
        const send = call as unknown as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
        return yield* Effect.exit(send(...args))
      }).pipe(Effect.provide(client))
    return { call, seen }
  })

const classes: Record<string, ReadonlyArray<string>> = {
  keyed: [
    ...["create_transaction", "capture_transaction", "void_transaction", "create_transaction_refund"],
    ...["create_full_transaction_refund", "increment_transaction_authorization"],
    ...["activate_gift_card", "issue_gift_card"]
  ],
  idempotent: [
    ...["list_gift_card_balances", "list_payment_options", "verify_payment_service_credentials", "sync_transaction"],
    ...["cancel_transaction", "suspend_payment_method_network_token", "resume_payment_method_network_token"],
    ...["expire_payment_link", "create_report_execution_url"]
  ],
  create: [
    ...["create_google_pay_digital_wallet_session", "create_apple_pay_digital_wallet_session"],
    ...["create_paze_digital_wallet_session", "create_paze_mobile_session"],
    ...["create_click_to_pay_digital_wallet_session", "create_payment_service_session"],
    ...["create_payment_service_definition_session"]
  ]
}

const posts = operations.filter(({ endpoint }) => endpoint.method === "POST")

const classOf = (id: string): string => Object.keys(classes).find((name) => classes[name]?.includes(id)) ?? "once"

describe("an operation of the whole API", () => {
  it("has the resend class that its facts allow; one that is not named here is sent once", () => {
    assert.strictEqual(posts.length, 46)
    for (const { id, endpoint } of operations) {
      assert.strictEqual(endpoint.resend, endpoint.method === "POST" ? classOf(id) : "idempotent", id)
    }
    const named = Object.values(classes).flat()
    assert.includeMembers(
      posts.map(({ id }) => id),
      named
    )
  })

  it.scopedLive("is sent again after a reset only in a class that allows it", () =>
    Effect.gen(function* () {
      const { call, seen } = yield* serving(({ socket }) => socket.resetAndDestroy())
      for (const { id, endpoint } of operations) {
        seen.length = 0
        const exit = yield* call(endpoint, argumentsOf(endpoint, 1))
        assert(Exit.isFailure(exit), id)
        const allowed = endpoint.method !== "POST" || classOf(id) === "keyed" || classOf(id) === "idempotent" ? 3 : 1
        assert.strictEqual(seen.length, allowed, id)
        const keys = new Set(seen.map(({ headers }) => headers["idempotency-key"]))
        assert.deepStrictEqual([...keys], [classOf(id) === "keyed" ? "order-1/1" : undefined], id)
      }
    })
  )

  it.scopedLive(
    "shows no secret of its payload in an error or a log, if the server says it back",
    () =>
      Effect.gen(function* () {
        const { call } = yield* serving((_, response, body) => {
          const details = [{ location: "body", pointer: "/", type: "invalid", message: body }]
          response
            .writeHead(422, { "content-type": "application/json" })
            .end(JSON.stringify({ type: "error", code: "bad_request", status: 422, message: body, details }))
        })
        const secretive = new Set<string>()
        for (const { id, endpoint } of operations) {
          let tried = 0
          // Not every sample of a payload has a secret.
          for (let seed = 1; seed <= 8 && tried < 2; seed++) {
            const args = argumentsOf(endpoint, seed)
            const secrets = secretsIn(args)
            if (secrets.length === 0) continue
            tried++
            const exit = yield* call(endpoint, args)
            assert(Exit.isFailure(exit), id)
            secretive.add(id)
            const all = yield* sinks(exit.cause)
            for (const [sink, text] of all) {
              for (const secret of secrets) {
                assert.notInclude(text, secret, `${id} → ${sink}`)
                assert.notInclude(text, JSON.stringify(secret).slice(1, -1), `${id} → ${sink}`)
              }
            }
          }
        }
        assert.includeMembers(
          [...secretive],
          [
            ...["create_payment_method", "create_transaction", "create_gift_card", "activate_gift_card"],
            ...["list_gift_card_balances", "create_payout", "create_payment_service", "update_payment_service"],
            ...["verify_payment_service_credentials", "create_webhook_subscription", "create_merchant_account"]
          ]
        )
      }),
    120_000
  )
})

/** The secrets that are long enough to be told from other text. */
const secretsIn = (value: unknown): ReadonlyArray<string> => {
  if (Redacted.isRedacted(value)) {
    const secret = Redacted.value(value)
    return Predicate.isString(secret) ? [secret].filter((text) => text.length >= 6) : leavesOf(secret)
  }
  return Array.isArray(value)
    ? value.flatMap(secretsIn)
    : Predicate.isRecord(value)
      ? Object.values(value).flatMap(secretsIn)
      : []
}

const leavesOf = (value: unknown): ReadonlyArray<string> =>
  Predicate.isString(value)
    ? [value].filter((text) => text.length >= 6)
    : Predicate.isRecord(value)
      ? Object.values(value).flatMap(leavesOf)
      : []
