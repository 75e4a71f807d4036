import type { ServerResponse } from "node:http"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Credentials, Endpoint, Gr4vyHttpClient, RequestFailed } from "@effect-gr4vy/core"
import { Chunk, Deferred, Effect, Fiber, Layer, Redacted, Schema, Stream } from "effect"
import { heapUsed } from "../support/heap.js"
import { token } from "../support/layers.js"
import { type Answer, script } from "../support/script.js"

const Query = Schema.Struct({
  cursor: Schema.optional(Schema.String),
  limit: Schema.optional(Schema.NumberFromString)
})

const buyers = {
  list: Endpoint.get("Buyers.list", "/buyers", {
    query: Query,
    success: Schema.Struct({
      items: Schema.Array(Schema.Int),
      nextCursor: Schema.optional(Schema.NullOr(Schema.String)).pipe(Schema.fromKey("next_cursor"))
    })
  }),
  cards: Endpoint.get("Buyers.cards", "/buyers/{buyer_id}/cards", {
    params: { buyer_id: Schema.String },
    query: Query,
    success: Schema.Struct({ items: Schema.Array(Schema.Int), next_cursor: Schema.NullOr(Schema.String) })
  })
}

/** A server of lists: the pages by their cursors, the first under "". */
const serving = (
  pages: Readonly<Record<string, { readonly items: ReadonlyArray<number>; readonly next: string | null }>>
) =>
  Effect.gen(function* () {
    const answer: Answer = ({ url = "" }, response: ServerResponse) => {
      const page = pages[new URL(url, "http://localhost").searchParams.get("cursor") ?? ""]
      response
        .writeHead(page === undefined ? 500 : 200, { "content-type": "application/json" })
        .end(JSON.stringify({ items: page?.items, next_cursor: page?.next }))
    }
    const { baseUrl, requests } = yield* script(answer)
    const client = yield* Effect.provide(
      Endpoint.client(buyers),
      Gr4vyHttpClient.layer({ baseUrl }).pipe(
        Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make(token))])
      )
    )
    return { client, urls: () => requests.map(({ url }) => url) }
  })

const three = {
  "": { items: [1, 2], next: "b" },
  b: { items: [], next: "c d/é" },
  "c d/é": { items: [3], next: null }
}

describe("a list as a stream", () => {
  it.scopedLive("has the items of every page, and asks for each page once, with the query", () =>
    Effect.gen(function* () {
      const { client, urls } = yield* serving(three)
      const items = yield* Stream.runCollect(Endpoint.items(client.list, { limit: 2 }))
      assert.deepStrictEqual(Chunk.toReadonlyArray(items), [1, 2, 3])
      assert.deepStrictEqual(urls(), [
        "/buyers?limit=2",
        "/buyers?limit=2&cursor=b",
        "/buyers?limit=2&cursor=c+d%2F%C3%A9"
      ])
    })
  )

  it.scopedLive("has its pages, whatever their cursor is called", () =>
    Effect.gen(function* () {
      const { client, urls } = yield* serving(three)
      const pages = yield* Stream.runCollect(Endpoint.pages((query) => client.cards("b1", query)))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(pages).map(({ items }) => items),
        [[1, 2], [], [3]]
      )
      assert.deepStrictEqual(urls()[2], "/buyers/b1/cards?cursor=c+d%2F%C3%A9")
    })
  )

  it.scopedLive("begins at the cursor of the query", () =>
    Effect.gen(function* () {
      const { client, urls } = yield* serving(three)
      const items = yield* Stream.runCollect(Endpoint.items(client.list, { cursor: "b" }))
      assert.deepStrictEqual(Chunk.toReadonlyArray(items), [3])
      assert.lengthOf(urls(), 2)
    })
  )

  it.scopedLive("asks for a page only when the one before it was taken", () =>
    Effect.gen(function* () {
      const { client, urls } = yield* serving(three)
      const pull = yield* Stream.toPull(Endpoint.pages(client.list))
      assert.lengthOf(urls(), 0)
      yield* pull
      assert.lengthOf(urls(), 1)
      yield* pull
      assert.lengthOf(urls(), 2)
      const first = yield* Stream.runCollect(Stream.take(Endpoint.items(client.list), 2))
      assert.deepStrictEqual(Chunk.toReadonlyArray(first), [1, 2])
      assert.lengthOf(urls(), 3)
    })
  )

  it.scopedLive("fails where a cursor repeats, after the items before it", () =>
    Effect.gen(function* () {
      for (const pages of [
        { "": { items: [1], next: "a" }, a: { items: [2], next: "a" } },
        { "": { items: [1], next: "a" }, a: { items: [2], next: "b" }, b: { items: [], next: "a" } }
      ]) {
        const { client, urls } = yield* serving(pages)
        const taken: Array<number> = []
        const error = yield* Effect.flip(
          Stream.runForEach(Endpoint.items(client.list), (item) => Effect.sync(() => taken.push(item)))
        )
        assert.instanceOf(error, RequestFailed)
        assert.deepInclude(error, { reason: "InvalidResponse", delivered: "yes" })
        assert.include(error.message, "leads back to an earlier page")
        assert.deepStrictEqual(taken, [1, 2])
        assert.lengthOf(urls(), Object.keys(pages).length)
      }
    })
  )

  it.scopedLive("fails where the query's own cursor comes back", () =>
    Effect.gen(function* () {
      const { client, urls } = yield* serving({ a: { items: [1], next: "a" } })
      const error = yield* Effect.flip(Stream.runDrain(Endpoint.items(client.list, { cursor: "a" })))
      assert.propertyVal(error, "reason", "InvalidResponse")
      assert.lengthOf(urls(), 1)
    })
  )

  it.scopedLive("can be run twice", () =>
    Effect.gen(function* () {
      const { client } = yield* serving(three)
      const all = Stream.runCollect(Endpoint.items(client.list))
      assert.deepStrictEqual(yield* all, yield* all)
    })
  )

  it.scopedLive("ends at an empty cursor, which would be the beginning", () =>
    Effect.gen(function* () {
      const { client, urls } = yield* serving({ "": { items: [1], next: "" } })
      yield* Stream.runDrain(Endpoint.items(client.list))
      assert.lengthOf(urls(), 1)
    })
  )

  it.scopedLive("fails as the call fails, and keeps the items before it", () =>
    Effect.gen(function* () {
      const { client } = yield* serving({ "": { items: [1], next: "gone" } })
      const taken: Array<number> = []
      const error = yield* Effect.flip(
        Stream.runForEach(Endpoint.items(client.list), (item) => Effect.sync(() => taken.push(item)))
      )
      assert.propertyVal(error, "_tag", "Generic")
      assert.deepStrictEqual(taken, [1])
    })
  )

  it.effect("is interrupted with the page under way, and asks for no other", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const events: Array<string> = []
      const list = ({ cursor = "first" }: { readonly cursor?: string } = {}) =>
        Effect.suspend(() => {
          events.push(cursor)
          if (cursor === "first") return Effect.succeed({ items: [1], nextCursor: "second" })
          return Deferred.succeed(started, undefined).pipe(
            Effect.zipRight(Effect.never),
            Effect.onInterrupt(() => Effect.sync(() => events.push("interrupted")))
          )
        })
      const fiber = yield* Effect.fork(Stream.runDrain(Endpoint.items(list)))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(events, ["first", "second", "interrupted"])
    })
  )

  it.live("holds one page at a time", () =>
    Effect.gen(function* () {
      const pages = 12
      const made: Array<WeakRef<object>> = []
      const list = ({ cursor = "0" }: { readonly cursor?: string } = {}) =>
        Effect.sync(() => {
          const items = Array.from({ length: 1000 }, (_, index) => ({ index }))
          made.push(new WeakRef(items))
          const next = Number(cursor) + 1
          return { items, nextCursor: next === pages ? null : String(next) }
        })
      const alive: Array<number> = []
      // A reference that was just made is kept until the end of its job.
      const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      const count = Effect.sync(() => {
        heapUsed()
        alive.push(made.filter((page) => page.deref() !== undefined).length)
      })
      yield* Stream.runForEachChunk(Endpoint.items(list), () => Effect.zipRight(turn, count))
      assert.lengthOf(alive, pages)
      assert.isAtMost(Math.max(...alive), 2)
    })
  )
})
