/**
 * A payment from end to end: create a session with an amount and a cart → the page gets what it needs → the card arrives
 * from the browser → authorize → capture → refund. And what to do with a decline, with a payment the buyer has to
 * approve, and with an outcome that is unknown.
 *
 *   npm run example 12             the whole way, printed, against the embedded sandbox
 *   npm run example 12 serve       a small shop for a browser, on PORT (3000)
 *
 * What a shop copies is 12-take-a-payment/payment.ts and transactions.ts.
 */
import { generateKeyPairSync } from "node:crypto"
import { createServer } from "node:http"
import { HttpServer } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { type CheckoutSession, Endpoint } from "@effect-gr4vy/core"
import { Gr4vy, Sandbox, SignedCredentials } from "@effect-gr4vy/node"
import { Config, Console, Context, Effect, Layer, Redacted } from "effect"
import { cents, makeAcquirer } from "./12-take-a-payment/acquirer.js"
import { capture, type Order, openSession, pay, refund, totalOf } from "./12-take-a-payment/payment.js"
import { shop } from "./12-take-a-payment/shop.js"
import { type Transaction, transactions } from "./12-take-a-payment/transactions.js"
import { drawTrace } from "./support/drawTrace.js"
import { keepSpans } from "./support/trace.js"
