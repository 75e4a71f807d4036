/**
 * The client of promises from CommonJS, on Node 20.19 or later: `require` takes ES modules there.
 *
 *   GR4VY_BASE_URL=http://localhost:4010 GR4VY_TOKEN=any node examples/07-commonjs.cjs
 *
 * `npx @effect-gr4vy/sandbox --port 4010` is such a server.
 */
const { create, NotFound } = require("@effect-gr4vy/promise")

const main = async () => {
  const gr4vy = await create()
  try {
    const session = await gr4vy.add({ amount: 1299, currency: "USD" })
    console.log(`open   expires at ${session.expiresAt.toISOString()}`)
    await gr4vy.delete(session.id)
    await gr4vy.get(session.id)
  } catch (error) {
    if (!(error instanceof NotFound)) throw error
    console.log(`gone   ${error.message}`)
  } finally {
    await gr4vy.close()
  }
}

main()
