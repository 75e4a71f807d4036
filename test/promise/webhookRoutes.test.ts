/** The routes of the guide, as people copy them. */
import { once } from "node:events"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { signWebhook } from "@effect-gr4vy/promise"
import express from "express"
import ts from "typescript"

const page = readFileSync(new URL("../../docs/webhooks.md", import.meta.url), "utf8")
const cache = new URL("../node_modules/.cache/", import.meta.url)
const secret = "route-secret"
const handled: Array<string> = []

beforeAll(() => {
  Object.assign(globalThis, { handle: (event: { readonly name: string }) => void handled.push(event.name) })
  process.env["GR4VY_WEBHOOK_SECRET"] = secret
})
afterAll(() => {
  Reflect.deleteProperty(globalThis, "handle")
  delete process.env["GR4VY_WEBHOOK_SECRET"]
})

/** The `app` of a section's block. */
const appOf = async (section: string): Promise<unknown> => {
  const [, block = ""] = new RegExp(`^## ${section}\\n\\n\`\`\`ts\\n(.*?)^\`\`\``, "ms").exec(page) ?? []
  const file = new URL(`webhooks-${section}-${process.pid}.mjs`, cache)
  mkdirSync(cache, { recursive: true })
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  writeFileSync(file, ts.transpileModule(block, { compilerOptions }).outputText)
  try {
    return (await import(file.href)).app
  } finally {
    rmSync(file)
  }
}

type Post = (body: Uint8Array | undefined, headers: Record<string, string>) => Promise<Response>

const overHttp = async (handler: Parameters<typeof createServer>[1], run: (post: Post) => Promise<void>) => {
  const server = createServer(handler).listen(0, "127.0.0.1")
  await once(server, "listening")
  const url = `http://127.0.0.1:${Object(server.address()).port}/webhooks`
  try {
    await run((body, headers) =>
      fetch(url, { method: "POST", headers, ...(body === undefined ? {} : { body: Buffer.from(body) }) })
    )
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

const payload = JSON.stringify({ type: "event", id: "e1", name: "later.event", target: { id: "x1" } })
const bytes = new TextEncoder().encode(payload)

const deliver = async (post: Post) => {
  handled.length = 0
  const headers = await signWebhook({ payload, secret })
  const statusOf = async (...args: Parameters<Post>) => (await post(...args)).status
  assert.strictEqual(await statusOf(bytes, headers), 204)
  assert.strictEqual(await statusOf(bytes, { ...headers, "content-type": "application/json" }), 204)
  assert.deepStrictEqual(handled, ["later.event", "later.event"])
  assert.strictEqual(await statusOf(bytes, {}), 400)
  assert.strictEqual(await statusOf(undefined, headers), 400)
  assert.strictEqual(await statusOf(undefined, {}), 400)
  assert.strictEqual(await statusOf(new Uint8Array([1]), { ...headers, "content-type": "text/plain" }), 400)
  assert.lengthOf(handled, 2)
}

const isListener = (
  app: unknown
): app is NonNullable<Parameters<typeof createServer>[1]> & Parameters<ReturnType<typeof express>["use"]>[0] =>
  typeof app === "function"

describe("the route of the guide accepts a delivery, and answers 400 to any other request, in", () => {
  it("Express", async () => {
    const app = await appOf("Express")
    assert(isListener(app))
    await overHttp(app, deliver)
  })

  it("Fastify", async () => {
    const app = Object(await appOf("Fastify"))
    await app.ready()
    try {
      await overHttp(app.routing, deliver)
    } finally {
      await app.close()
    }
  })

  it("Hono", async () => {
    const { fetch: answer } = Object(await appOf("Hono"))
    await deliver((body, headers) =>
      answer(
        new Request("http://shop/webhooks", {
          method: "POST",
          headers,
          ...(body === undefined ? {} : { body: Buffer.from(body) })
        })
      )
    )
  })

  it("Express, where a parser before it has read the body, with a sentence", async () => {
    const app = await appOf("Express")
    assert(isListener(app))
    await overHttp(express().use(express.json()).use(app), async (post) => {
      const headers = await signWebhook({ payload, secret })
      const response = await post(bytes, { ...headers, "content-type": "application/json" })
      assert.strictEqual(response.status, 400)
      assert.match(await response.text(), /^The payload is a parsed body\. Pass the raw body as it arrived/)
    })
  })
})
