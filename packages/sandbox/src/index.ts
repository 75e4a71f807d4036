/**
 * A local Gr4vy Checkout Sessions API: the sandbox, the HTTP contract and the server that carries it out.
 *
 * @since 0.1.0
 */
export { CheckoutSessionsApi } from "./CheckoutSessionsApi.js"
export * as CheckoutSessionsServer from "./CheckoutSessionsServer.js"
export * as Sandbox from "./Sandbox.js"
