/**
 * Webhooks: what happens in the sandbox is told to its subscribers, signed as Gr4vy signs, and told again until they accept
 * it.
 */

import type { Generic } from "@effect-gr4vy/core/Errors"
import { newUuid } from "@effect-gr4vy/core/spi/Uuid"
import * as Webhooks from "@effect-gr4vy/core/Webhooks"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Delivery } from "../model.js"
import { Collection, type Resource } from "./collection.js"
import { type Handlers, now, one, textOf } from "./wire.js"

/** Tells that something happened to a resource. */
export type Tell = (name: string, target: Resource) => Effect.Effect<void>

export interface Notices {
  readonly tell: Tell
  readonly handlers: Handlers
  readonly deliveries: Effect.Effect<ReadonlyArray<Delivery>>
}

/** A subscriber is told at once, and then after these waits, in seconds of real time. */
const waits = [1, 2, 4, 8, 16, 32]

/** Gr4vy waits as long for a response. */
const patience = 5_000

/** The most deliveries that are remembered. */
const maxDeliveries = 1_000

export const make = (
  given: ReadonlyArray<{ readonly url: string; readonly secret: string }>
): Effect.Effect<Notices, never, Scope.Scope> =>
  Effect.gen(function* () {
    const running = yield* FiberSet.make()
    const subscriptions = new Collection<Resource>()
    const deliveries: Array<Delivery> = []

    const subscribe = (url: string, secret: string, active: boolean, authentication: unknown) =>
      Effect.map(newUuid, (id) =>
        subscriptions.put({
          id,
          type: "webhook-subscription",
          merchant_account_id: "default",
          active,
          url,
          authentication: withoutSecrets(authentication),
          secret,
          rotating: false,
          creator: null
        })
      )
    for (const { secret, url } of given) yield* subscribe(url, secret, true, null)

    const post = (url: string, payload: string, headers: Readonly<Record<string, string>>) =>
      Effect.tryPromise((signal) =>
        fetch(url, {
          method: "POST",
          body: payload,
          headers: { "content-type": "application/json", ...headers },
          redirect: "manual",
          signal: AbortSignal.any([signal, AbortSignal.timeout(patience)])
        }).then(async (response) => {
          await response.body?.cancel()
          return response.status
        })
      ).pipe(Effect.orElseSucceed(() => undefined))

    const deliver = (event: { readonly id: string; readonly name: string }, payload: string, subscription: Resource) =>
      Effect.gen(function* () {
        const url = String(subscription["url"])
        for (let attempt = 1; attempt <= waits.length + 1; attempt++) {
          const secret = Redacted.make(String(subscription["secret"]))
          const status = yield* post(url, payload, yield* Webhooks.sign({ payload, secret }))
          deliveries.push({
            event: event.id,
            name: event.name,
            url,
            attempt,
            ...(status === undefined ? {} : { status })
          })
          if (deliveries.length > maxDeliveries) deliveries.shift()
          if (status !== undefined && status >= 200 && status < 300) return
          yield* realSleep(waits[attempt - 1] ?? 0)
        }
      }).pipe(Effect.ignore)

    const tell: Tell = (name, target) =>
      Effect.gen(function* () {
        const id = yield* newUuid
        const payload = JSON.stringify({
          type: "event",
          id,
          name,
          created_at: yield* now,
          merchant_account_id: "default",
          gr4vy_id: "sandbox",
          environment: "sandbox",
          target
        })
        for (const subscription of subscriptions.values) {
          if (subscription["active"] === true)
            yield* FiberSet.run(running, deliver({ id, name }, payload, subscription))
        }
      })

    const handlers: Handlers = {
      list: ({ query }) => subscriptions.page(query),
      create: ({ body }) =>
        Effect.flatMap(newSecret, (secret) =>
          subscribe(String(body["url"]), secret, body["active"] !== false, body["authentication"])
        ),
      get: (request) => subscriptions.get(one(request)),
      update: (request) =>
        Effect.map(subscriptions.get(one(request)), (before) => {
          const { active, authentication, url } = request.body
          return subscriptions.put({
            ...before,
            active: active ?? before["active"],
            url: textOf(url) ?? before["url"],
            ...(authentication === undefined ? {} : { authentication: withoutSecrets(authentication) })
          })
        }),
      delete: (request) => Effect.asVoid(subscriptions.delete(one(request))),
      rotateSecret: (request) =>
        Effect.flatMap(subscriptions.get(one(request)), (before) =>
          Effect.map(newSecret, (secret) => subscriptions.put({ ...before, secret }))
        )
    }

    return { tell, handlers, deliveries: Effect.sync(() => [...deliveries]) }
  })

/** A subscriber's server knows no test clock. */
const realSleep = (seconds: number) =>
  Effect.async<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), Duration.toMillis(Duration.seconds(seconds)))
    return Effect.sync(() => clearTimeout(timer))
  })

const newSecret: Effect.Effect<string, Generic> = Effect.map(newUuid, (id) => id.replaceAll("-", ""))

/** Passwords and client secrets are never sent back. */
const withoutSecrets = (authentication: unknown): unknown => {
  if (typeof authentication !== "object" || authentication === null) return null
  const { client_secret: _, password: __, ...shown } = authentication as Record<string, unknown>
  return shown
}
