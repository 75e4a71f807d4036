/**
 * The OpenTelemetry context that was active when a fiber, or its root fiber, started.
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
  /** The fiber that captured it; absent in a forked fiber. */
  readonly owner: FiberId.FiberId | undefined
}

// Effect resumes many fibers from one callback, so the context that is active later may belong to another fiber. A fiber
// therefore inherits it from the fiber that forks it. A runtime that was captured in a fiber (e.g. a `ManagedRuntime`)
// gives the same references to every fiber that it starts; those fibers are not the owner.
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
  // The type `RuntimeFiber` lacks this setter, which every fiber has.
  ;(fiber as unknown as { setFiberRef: <A>(ref: FiberRef.FiberRef<A>, value: A) => void }).setFiberRef(ambient, {
    context,
    owner: fiber.id()
  })
  return context
}
