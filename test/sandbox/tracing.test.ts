import { assert, it } from "@effect/vitest"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect, Tracer } from "effect"
import { created, outcome } from "./support.js"

for (const tracing of [true, false]) {
  it.live(`with tracing ${tracing}, server spans are ${tracing ? "named by method and route" : "not made"}`, () => {
    const names: Array<string> = []
    return Effect.gen(function* () {
      const tracer = yield* Effect.tracer
      const recording = Tracer.make({
        context: tracer.context,
        span: (name, parent, context, links, startTime, kind, options) => {
          if (kind === "server") names.push(name)
          return tracer.span(name, parent, context, links, startTime, kind, options)
        }
      })
      yield* Effect.flatMap(created, (path) => outcome("GET", path)).pipe(
        Effect.provide(Sandbox.layer({ tracing })),
        Effect.withTracer(recording)
      )
      const expected = ["POST /checkout/sessions", "GET /checkout/sessions/{checkout_session_id}"]
      assert.deepStrictEqual(names, tracing ? expected : [])
    })
  })
}
