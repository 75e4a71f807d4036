/**
 * The storefront: Express, without Effect. It requests a session from the checkout service.
 */
import express from "express"

const app = express()

app.post("/pay", async (_, response) => {
  const answer = await fetch(`${process.env["CHECKOUT_URL"]}/sessions`, { method: "POST" })
  response.status(answer.status).json(await answer.json())
})

const server = app.listen(0, "127.0.0.1", () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) process.send?.(`http://127.0.0.1:${address.port}`)
})
