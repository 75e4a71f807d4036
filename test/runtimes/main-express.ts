/** The promise package in a plain Express application. */
import { deepStrictEqual } from "node:assert/strict"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { type Client, create, Generic, NotFound, RequestFailed, Unauthorized } from "@effect-gr4vy/promise"
import express, { type ErrorRequestHandler } from "express"
import { runChecks, silentApi } from "./checks.js"

/** An application as one would write it: a signal per request, one place for what can go wrong. */
const application = (gr4vy: Client) => {
  const app = express()
  app.post("/checkout", async (_, response) => {
    const buyer = new AbortController()
    response.once("close", () => buyer.abort())
    const session = await gr4vy.add({}, { signal: buyer.signal })
    response.status(201).json(session)
  })
  app.get("/checkout/:id", async (request, response) => {
    response.json(await gr4vy.get(request.params.id))
  })
  const failed: ErrorRequestHandler = (error, _, response, next) => {
    if (response.destroyed) return
    if (error instanceof NotFound) response.sendStatus(404)
    else if (error instanceof RequestFailed) response.sendStatus(error.reason === "InvalidRequest" ? 400 : 503)
    else if (error instanceof Generic || error instanceof Unauthorized) response.sendStatus(502)
    else next(error)
  }
  return app.use(failed)
}

const serving = async <A>(baseUrl: string, f: (url: string) => Promise<A>): Promise<A> => {
  await using gr4vy = await create({ baseUrl, token: "any", retry: "none" })
  const server = application(gr4vy).listen(0, "127.0.0.1")
  await once(server, "listening")
  // It listens on a port, so that its address is none of a pipe.
  const { port } = server.address() as AddressInfo
  try {
    return await f(`http://127.0.0.1:${port}/checkout`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

await runChecks({
  "a session is created and read; what fails has its status": () =>
    serving(process.argv[2] ?? "", async (url) => {
      const created = await fetch(url, { method: "POST" })
      deepStrictEqual(created.status, 201)
      const session: { readonly id: string } = Object(await created.json())
      const read = await fetch(`${url}/${session.id}`)
      deepStrictEqual(await read.json(), session)
      deepStrictEqual((await fetch(`${url}/8724fd24-5489-4a5d-90fd-0604df7d3b83`)).status, 404)
      deepStrictEqual((await fetch(`${url}/not%20an%20id`)).status, 400)
    }),
  "a buyer who leaves ends the request on the wire": async () => {
    const api = await silentApi()
    await serving(api.baseUrl, async (url) => {
      const buyer = new AbortController()
      const answer = fetch(url, { method: "POST", signal: buyer.signal }).catch(() => "left")
      await api.asked
      buyer.abort()
      deepStrictEqual(await answer, "left")
      await api.hungUp
    })
    api.close()
  }
})
