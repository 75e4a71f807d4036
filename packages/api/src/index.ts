/**
 * Every operation of the Gr4vy API as typed, safe endpoints.
 *
 * @since 0.1.0
 */
export { CheckoutSessions } from "@effect-gr4vy/core/CheckoutSessions"
export * as Api from "./Api.js"
export * from "./generated.js"
export * as Payment from "./Payment.js"
export * as WebhookEvent from "./WebhookEvent.js"
