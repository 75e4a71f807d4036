/**
 * Payment links.
 */
import { newUuid } from "@effect-gr4vy/core/spi/Uuid"
import * as Effect from "effect/Effect"
import type { BuyerStore } from "./buyers.js"
import { Collection, type Resource } from "./collection.js"
import type { Tell } from "./notices.js"
import { type Handlers, now, one, passes, pick } from "./wire.js"

export const make = (options: { readonly buyers: BuyerStore; readonly tell: Tell }): Handlers => {
  const { buyers, tell } = options
  const links = new Collection<Resource>()
  return {
    list: ({ query }) =>
      links.page(query, (link) => ["currency", "status"].every((name) => passes(query[name], link[name]))),
    create: ({ body }) =>
      Effect.gen(function* () {
        const id = yield* newUuid
        const at = yield* now
        const buyer = yield* Effect.orElseSucceed(buyers.find(body), () => undefined)
        const link = links.put({
          id,
          type: "payment-link",
          url: `https://pay.example.com/${id}`,
          ...pick(body, [...contents, "amount", "country", "currency"]),
          intent: body["intent"] ?? "authorize",
          payment_source: body["payment_source"] ?? "ecommerce",
          store: body["store"] ?? false,
          buyer: body["buyer"] ?? buyer ?? null,
          created_at: at,
          updated_at: at,
          status: "active"
        })
        yield* tell("payment-link.created", link)
        return link
      }),
    get: (request) => links.get(one(request)),
    expire: (request) =>
      Effect.gen(function* () {
        const link = yield* links.get(one(request))
        yield* tell("payment-link.updated", links.put({ ...link, status: "expired", updated_at: yield* now }))
      })
  }
}

const contents = [
  ...["expires_at", "external_identifier", "statement_descriptor", "locale", "merchant_name", "merchant_url"],
  ...["merchant_banner_url", "merchant_color", "merchant_message", "merchant_terms_and_conditions_url"],
  ...["merchant_favicon_url", "return_url", "cart_items", "metadata", "connection_options", "buyer_id"],
  "installment_count"
]
