/**
 * What was active in OpenTelemetry where a fiber, or the fiber that forked it, began.
 */
import type * as Otel from "@opentelemetry/api"
import * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as Option from "effect/Option"
import { activeContext } from "./context.js"

interface Ambient {
  readonly context: Otel.Context
  /** The fiber it was captured in; a fork hands it on without one. */
  readonly owner: FiberId.FiberId | undefined
}

// Effect resumes many fibers from one callback, so that what is active in OpenTelemetry later on may be another
// fiber's. A fiber inherits it from the fiber that forks it. A runtime that was captured in a fiber (a `ManagedRuntime`,
// say) forks the same references wherever it starts a fiber: then the one that is running is not the owner.
const ambient: FiberRef.FiberRef<Ambient | undefined> = globalValue(
  Symbol.for("@effect-gr4vy/node/OtelTracer/ambient"),
  () =>
    FiberRef.unsafeMake<Ambient | undefined>(undefined, {
      fork: (inherited) => {
        if (inherited === undefined) return undefined
        const forking = Option.getOrUndefined(Fiber.getCurrentFiber())
        return forking?.id() === inherited.owner ? { context: inherited.context, owner: undefined } : undefined
      },
      join: (parent) => parent
    })
)

export const ambientOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Otel.Context => {
  const known = fiber.getFiberRef(ambient)
  if (known?.owner === fiber.id()) return known.context
  const context = known !== undefined && known.owner === undefined ? known.context : activeContext()
  // `RuntimeFiber` leaves out the setter that every fiber has.
  ;(fiber as unknown as { setFiberRef: <A>(ref: FiberRef.FiberRef<A>, value: A) => void }).setFiberRef(ambient, {
    context,
    owner: fiber.id()
  })
  return context
}
