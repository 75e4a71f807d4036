import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Context, Effect, Layer, RcMap, Redacted } from "effect"

/** Clients by tenant: built at a tenant's first call, closed after five minutes without one. */
export const makeTenants = <E, R>(optionsOf: (tenant: string) => Effect.Effect<Gr4vy.Options, E, R>) =>
  Effect.gen(function* () {
    const clients = yield* RcMap.make({
      lookup: (tenant: string) => Layer.build(Layer.unwrapEffect(Effect.map(optionsOf(tenant), Gr4vy.layer))),
      idleTimeToLive: "5 minutes",
      capacity: 500
    })
    const forget = (tenant: string) => RcMap.invalidate(clients, tenant)
    const client = (tenant: string) =>
      // RcMap keeps a failure as long as a client.
      Effect.tapErrorCause(RcMap.get(clients, tenant), () => forget(tenant))
    return {
      /** Provides the tenant's client to a program. */
      as:
        (tenant: string) =>
        <A, E1, R1>(program: Effect.Effect<A, E1, R1>) =>
          Effect.scoped(Effect.flatMap(client(tenant), (context) => Effect.provide(program, context))),
      /** Closes the tenant's client after its last running call: its key has changed. */
      forget
    }
  })

/** What `makeTenants` returns, as a service of your application. */
export class Tenants extends Context.Tag("Tenants")<
  Tenants,
  Effect.Effect.Success<ReturnType<typeof makeTenants<never, never>>>
>() {}

/** A tenant's settings, from your database or secret manager. */
const optionsOf = (tenant: string): Effect.Effect<Gr4vy.Options> =>
  Effect.succeed({ id: tenant, privateKey: Redacted.make("-----BEGIN PRIVATE KEY-----…"), connections: 8 })

export const TenantsLive = Layer.scoped(Tenants, makeTenants(optionsOf))

/** The call is inside `as`, so that its client cannot close before it ends. */
export const open = (tenant: string) =>
  Effect.flatMap(Tenants, ({ as }) =>
    Effect.flatMap(CheckoutSessions, (sessions) => sessions.add({ amount: 1299, currency: "USD" })).pipe(as(tenant))
  )
