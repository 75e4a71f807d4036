import { Gr4vy } from "@effect-gr4vy/node"
import { Effect, Layer, RcMap } from "effect"

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
