/**
 * An OTLP/HTTP receiver that none of us wrote.
 */
import { MockOtlpServer } from "@elastic/mockotlpserver"
import { Effect } from "effect"
import { fromOtlp, fromOtlpMetrics, type Measured, type OtlpMetrics, type OtlpTraces, type Shown } from "./spans.js"

export const otlpReceiver = Effect.acquireRelease(
  Effect.promise(async () => {
    const bodies: Array<OtlpTraces> = []
    const metrics: Array<OtlpMetrics> = []
    const server = new MockOtlpServer({
      logLevel: "fatal",
      services: ["http"],
      httpHostname: "127.0.0.1",
      httpPort: 0,
      onTrace: (trace) => bodies.push(trace as OtlpTraces),
      onMetrics: (metric) => metrics.push(metric as OtlpMetrics)
    })
    await server.start()
    return {
      server,
      url: server.httpUrl.origin,
      bodies: bodies as ReadonlyArray<OtlpTraces>,
      spans: (): ReadonlyArray<Shown> => bodies.flatMap(fromOtlp),
      /** What the last export held: exports are cumulative. */
      metrics: (): ReadonlyArray<Measured> => metrics.slice(-1).flatMap(fromOtlpMetrics)
    }
  }),
  ({ server }) => Effect.promise(() => server.close())
)
