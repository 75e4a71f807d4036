/**
 * Buyers with their shipping details.
 */
import { Generic, type NotFound } from "@effect-gr4vy/core/Errors"
import { newUuid } from "@effect-gr4vy/core/spi/Uuid"
import * as Effect from "effect/Effect"
import { Collection, notFound, type Resource } from "./collection.js"
import type { Tell } from "./notices.js"
import { type Handlers, now, one, owner, pick, type Request, textOf } from "./wire.js"

export interface BuyerStore {
  /** The buyer that a body or a query names, by the API's id or the merchant's own; `undefined` where it names none. */
  readonly find: (named: Readonly<Record<string, unknown>>) => Effect.Effect<Resource | undefined, NotFound>
}

/** Lists what belongs to a buyer. */
type OfBuyer = (buyerId: string | undefined) => Effect.Effect<unknown>

interface Details extends Resource {
  readonly buyer_id: string
}

export const make = (tell: Tell) => {
  const buyers = new Collection<Resource>()
  const details = new Collection<Details>()

  const store: BuyerStore = {
    find: ({ buyer_external_identifier, buyer_id }) => {
      const id = textOf(buyer_id)
      const external = textOf(buyer_external_identifier)
      if (id !== undefined) return buyers.get(id)
      if (external === undefined) return Effect.succeed(undefined)
      return Effect.suspend(() => {
        const found = buyers.values.find(({ external_identifier }) => external_identifier === external)
        return found === undefined ? Effect.fail(notFound()) : Effect.succeed(found)
      })
    }
  }

  /** A second buyer with the same identifier is a conflict that names the first. */
  const unique = ({ external_identifier }: Request["body"], id?: string) =>
    Effect.suspend(() => {
      const other =
        textOf(external_identifier) &&
        buyers.values.find((buyer) => buyer["external_identifier"] === external_identifier && buyer.id !== id)
      return other
        ? Effect.fail(
            new Generic({
              status: 409,
              code: "duplicate_record",
              message: "A buyer with this external identifier exists",
              resourceId: other.id
            })
          )
        : Effect.void
    })

  const detailsOf = (request: Request) => {
    const id = owner(request).toLowerCase()
    return Effect.zipRight(
      buyers.get(id),
      details.find(one(request), ({ buyer_id }) => buyer_id === id)
    )
  }

  const addDetails = (buyer: Resource, body: Readonly<Record<string, unknown>>) =>
    Effect.map(newUuid, (id) =>
      details.put({ type: "shipping-details", id, buyer_id: buyer.id, ...pick(body, personal) })
    )

  const handlers = (paymentMethods: OfBuyer, giftCards: OfBuyer): Handlers => ({
    list: ({ query }) => {
      const [external, search] = [textOf(query["external_identifier"]), textOf(query["search"])]
      return buyers.page(
        query,
        ({ display_name, external_identifier, id }) =>
          (external === undefined || external_identifier === external) &&
          (search === undefined ||
            [id, external_identifier, display_name].some((text) => textOf(text)?.includes(search)))
      )
    },
    create: ({ body }) =>
      Effect.gen(function* () {
        yield* unique(body)
        const id = yield* newUuid
        const at = yield* now
        const buyer = buyers.put({
          type: "buyer",
          id,
          reconciliation_id: id.replaceAll("-", "").slice(0, 22),
          merchant_account_id: "default",
          ...pick(body, ["display_name", "external_identifier", "billing_details", "account_number"]),
          created_at: at,
          updated_at: at
        })
        yield* tell("buyer.created", buyer)
        return buyer
      }),
    get: (request) => buyers.get(one(request)),
    update: (request) =>
      Effect.gen(function* () {
        const buyer = yield* buyers.get(one(request))
        yield* unique(request.body, buyer.id)
        const changed = buyers.put({ ...buyer, ...request.body, updated_at: yield* now })
        yield* tell("buyer.updated", changed)
        return changed
      }),
    delete: (request) => Effect.flatMap(buyers.delete(one(request)), (buyer) => tell("buyer.deleted", buyer)),
    shippingDetails: {
      list: (request) =>
        Effect.map(buyers.get(one(request)), ({ id }) => ({
          items: details.values.filter(({ buyer_id }) => buyer_id === id)
        })),
      create: (request) => Effect.flatMap(buyers.get(one(request)), (buyer) => addDetails(buyer, request.body)),
      get: detailsOf,
      update: (request) => Effect.map(detailsOf(request), (before) => details.put({ ...before, ...request.body })),
      delete: (request) => Effect.flatMap(detailsOf(request), ({ id }) => Effect.asVoid(details.delete(id)))
    },
    paymentMethods: { list: ({ query }) => Effect.flatMap(store.find(query), (buyer) => paymentMethods(buyer?.id)) },
    giftCards: { list: ({ query }) => Effect.flatMap(store.find(query), (buyer) => giftCards(buyer?.id)) }
  })

  return { store, handlers }
}

const personal = ["first_name", "last_name", "email_address", "phone_number", "address"]
