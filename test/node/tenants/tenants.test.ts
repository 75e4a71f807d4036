import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import type { Gr4vy } from "@effect-gr4vy/node"
import { Cause, Effect, Exit, Redacted, Scope, TestClock } from "effect"
import { root } from "../../packages/consumer.js"
import { newPair, pkcs8 } from "../../support/keys.js"
import { loopback } from "../../support/loopback.js"
import { session } from "../../support/script.js"
import { makeTenants } from "../../support/tenants.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const privateKey = Redacted.make(pkcs8(newPair().privateKey))

const get = Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(id))

/** A server that counts connections and tokens, and tenants that all call it. */
const setUp = (authentication: Gr4vy.Authentication = { privateKey }) =>
  Effect.gen(function* () {
    const tokens = new Set<string>()
    const server = yield* loopback(
      createServer((request, response) => {
        tokens.add(request.headers.authorization ?? "")
        session(request, response)
      })
    )
    let asked = 0
    let outage = false
    const tenants = yield* makeTenants(() =>
      Effect.suspend(() => {
        asked++
        return outage
          ? Effect.fail("no settings" as const)
          : Effect.succeed({
              baseUrl: `http://127.0.0.1:${server.port}`,
              tokenLifetime: "1 hour" as const,
              ...authentication
            })
      })
    )
    return {
      ...server,
      tenants,
      tokens: () => tokens.size,
      asked: () => asked,
      fails: (on: boolean) => {
        outage = on
      }
    }
  })

describe("a client per tenant", () => {
  it.scoped("makes 200 calls of one tenant with one connection and one token", () =>
    Effect.gen(function* () {
      const { accepted, asked, tenants, tokens } = yield* setUp()
      for (let call = 0; call < 200; call++) yield* tenants.as("acme")(get)
      assert.deepStrictEqual([asked(), accepted(), tokens()], [1, 1, 1])
    })
  )

  it.scoped("gives each tenant a client of its own, also when their first calls come at once", () =>
    Effect.gen(function* () {
      const { asked, tenants, tokens } = yield* setUp()
      const calls = Array.from({ length: 60 }, (_, call) => tenants.as(`tenant-${call % 20}`)(get))
      yield* Effect.all(calls, { concurrency: "unbounded" })
      assert.deepStrictEqual([asked(), tokens()], [20, 20])
    })
  )

  it.scoped("closes the connections of a tenant that has been idle for five minutes, and opens new ones after", () =>
    Effect.gen(function* () {
      const { accepted, asked, open, quiet, tenants } = yield* setUp()
      yield* tenants.as("acme")(get)
      yield* TestClock.adjust("299 seconds")
      yield* tenants.as("acme")(get)
      assert.deepStrictEqual([asked(), accepted(), open()], [1, 1, 1])
      yield* TestClock.adjust("299 seconds")
      assert.strictEqual(open(), 1)
      yield* TestClock.adjust("1 second")
      yield* quiet
      yield* tenants.as("acme")(get)
      assert.deepStrictEqual([asked(), accepted()], [2, 2])
    })
  )

  it.scoped("refuses a tenant over the capacity before anything is sent, until another was idle long enough", () =>
    Effect.gen(function* () {
      const { asked, tenants } = yield* setUp({ token: Redacted.make("any") })
      const use = (tenant: number) => tenants.as(`tenant-${tenant}`)(Effect.void)
      yield* Effect.forEach(Array.from({ length: 500 }), (_, tenant) => use(tenant))
      const error = yield* Effect.flip(use(500))
      assert.isTrue(Cause.isExceededCapacityException(error))
      assert.strictEqual(asked(), 500)
      yield* TestClock.adjust("5 minutes")
      yield* use(500)
    })
  )

  it.scoped("asks again for settings that could not be had", () =>
    Effect.gen(function* () {
      const { asked, fails, tenants } = yield* setUp()
      fails(true)
      assert.strictEqual(yield* Effect.flip(tenants.as("acme")(get)), "no settings")
      fails(false)
      yield* tenants.as("acme")(get)
      assert.strictEqual(asked(), 2)
    })
  )

  it.scoped("lets a running call end with the client that is forgotten", () =>
    Effect.gen(function* () {
      const { asked, tenants } = yield* setUp()
      yield* tenants.as("acme")(
        Effect.gen(function* () {
          yield* get
          yield* tenants.forget("acme")
          yield* get
        })
      )
      assert.strictEqual(asked(), 1)
      yield* tenants.as("acme")(get)
      assert.strictEqual(asked(), 2)
    })
  )

  it.scoped("leaves no connection once the scope of all of them is closed", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { accepted, port, quiet } = yield* loopback(createServer(session))
      const optionsOf = () => Effect.succeed({ baseUrl: `http://127.0.0.1:${port}`, privateKey })
      const tenants = yield* Scope.extend(makeTenants(optionsOf), scope)
      yield* Effect.forEach(["a", "b", "c"], (tenant) => tenants.as(tenant)(get))
      assert.strictEqual(accepted(), 3)
      yield* Scope.close(scope, Exit.void)
      yield* quiet
    })
  )

  it("is the recipe that docs/tenants.md shows", () => {
    const recipe = readFileSync(join(root, "test/support/tenants.ts"), "utf8")
    assert.include(readFileSync(join(root, "docs/tenants.md"), "utf8"), `\`\`\`ts\n${recipe}\`\`\``)
  })
})
