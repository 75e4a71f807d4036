import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, Unauthorized } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Cause, ConfigProvider, Effect, HashMap, Layer, Logger, TestClock } from "effect"
import { newPair, parts, pkcs8, thumbprint } from "../../support/keys.js"
import { script, session, sessionId, status } from "../../support/script.js"

const id = CheckoutSessionId.make(sessionId)

/** The file of a private key, in a directory of its own. */
const keyFile = (content: string | Buffer) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(join(tmpdir(), "gr4vy-key-"))
      const path = join(directory, "key.pem")
      writeFileSync(path, content)
      return { path, write: (content: string | Buffer) => writeFileSync(path, content), remove: () => rmSync(path) }
    }),
    ({ path }) => Effect.sync(() => rmSync(join(path, ".."), { recursive: true }))
  )

/** An API that knows one key, told by its thumbprint. */
const api = Effect.gen(function* () {
  const state = { knows: "" }
  const kids: Array<unknown> = []
  const { baseUrl } = yield* script((request, response) => {
    const { kid } = parts((request.headers.authorization ?? "").replace(/^Bearer /, "")).header
    kids.push(kid)
    ;(kid === state.knows ? session : status(401))(request, response)
  })
  return { baseUrl, kids, state }
})

const sessionsOf = (baseUrl: string, path: string) =>
  Effect.map(
    Layer.build(Gr4vy.layerConfig()).pipe(
      Effect.withConfigProvider(
        ConfigProvider.fromMap(
          new Map([
            ["GR4VY_BASE_URL", baseUrl],
            ["GR4VY_PRIVATE_KEY_FILE", path]
          ])
        )
      )
    ),
    (context) => CheckoutSessions.pipe(Effect.provide(context))
  ).pipe(Effect.flatten)

describe("a key file", () => {
  const [old, renewed] = [newPair(), newPair()]

  it.scoped("that is rotated is read again after a 401", () =>
    Effect.gen(function* () {
      const { baseUrl, kids, state } = yield* api
      const file = yield* keyFile(pkcs8(old.privateKey))
      const sessions = yield* sessionsOf(baseUrl, file.path)
      state.knows = thumbprint(old.publicKey)
      yield* sessions.get(id)
      file.write(pkcs8(renewed.privateKey))
      state.knows = thumbprint(renewed.publicKey)
      yield* sessions.get(id)
      assert.deepStrictEqual(
        kids,
        [old, old, renewed].map((pair) => thumbprint(pair.publicKey))
      )
    })
  )

  it.scoped("that is rotated is read again when the next token is signed", () =>
    Effect.gen(function* () {
      const { baseUrl, kids, state } = yield* api
      const file = yield* keyFile(pkcs8(old.privateKey))
      const sessions = yield* sessionsOf(baseUrl, file.path)
      state.knows = thumbprint(old.publicKey)
      yield* sessions.get(id)
      file.write(pkcs8(renewed.privateKey))
      state.knows = thumbprint(renewed.publicKey)
      yield* TestClock.adjust("6 minutes")
      yield* sessions.get(id)
      assert.deepStrictEqual(
        kids,
        [old, renewed].map((pair) => thumbprint(pair.publicKey))
      )
    })
  )

  for (const [what, content] of [
    ["half written", pkcs8(renewed.privateKey).slice(0, 60)],
    ["gone", undefined],
    ["of another curve", pkcs8(newPair("prime256v1").privateKey)]
  ] as const) {
    it.scoped(`that is ${what} leaves the old key in use, and a Warning that does not show it`, () =>
      Effect.gen(function* () {
        const { baseUrl, kids, state } = yield* api
        const file = yield* keyFile(pkcs8(old.privateKey))
        const sessions = yield* sessionsOf(baseUrl, file.path)
        state.knows = thumbprint(old.publicKey)
        yield* sessions.get(id)
        if (content === undefined) file.remove()
        else file.write(content)
        const lines: Array<string> = []
        const logger = Logger.make(({ annotations, cause, logLevel, message }) => {
          lines.push(
            `${logLevel.label} ${String(message)} ${JSON.stringify(HashMap.toEntries(annotations))} ${Cause.pretty(cause)}`
          )
        })
        yield* TestClock.adjust("6 minutes")
        yield* sessions.get(id).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
        assert.deepStrictEqual(
          kids,
          [old, old].map((pair) => thumbprint(pair.publicKey))
        )
        assert.lengthOf(lines, 1)
        assert.match(lines[0] ?? "", /^WARN .*private key.*goes on/)
        assert.notInclude(lines[0] ?? "", pkcs8(renewed.privateKey).slice(30, 50))
      })
    )
  }

  it.scoped("that is not rotated costs a second 401 nothing: it is Unauthorized", () =>
    Effect.gen(function* () {
      const { baseUrl, kids } = yield* api
      const file = yield* keyFile(pkcs8(old.privateKey))
      const sessions = yield* sessionsOf(baseUrl, file.path)
      assert.instanceOf(yield* Effect.flip(sessions.get(id)), Unauthorized)
      assert.lengthOf(kids, 2)
    })
  )

  const pem = pkcs8(old.privateKey)
  const swapped = (text: string) => Buffer.from(text, "utf16le").swap16()
  for (const [what, content] of [
    ["UTF-16 with its mark, as PowerShell writes it", Buffer.from(`\uFEFF${pem.replaceAll("\n", "\r\n")}`, "utf16le")],
    ["UTF-16 without a mark", Buffer.from(pem, "utf16le")],
    ["UTF-16, big endian", swapped(`\uFEFF${pem}`)],
    ["UTF-8 with its mark", `\uFEFF${pem}`]
  ] as const) {
    it.scoped(`is read in ${what}`, () =>
      Effect.gen(function* () {
        const { baseUrl, state } = yield* api
        state.knows = thumbprint(old.publicKey)
        const file = yield* keyFile(content)
        const sessions = yield* sessionsOf(baseUrl, file.path)
        yield* sessions.get(id)
      })
    )
  }
})
