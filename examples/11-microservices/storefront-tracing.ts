/**
 * OpenTelemetry in a process without Effect. Loaded first (`node --import`), it instruments `node:http`, Express and `fetch`.
 * `OTEL_SERVICE_NAME` and `OTEL_EXPORTER_OTLP_ENDPOINT` come from the environment.
 */
import { register } from "node:module"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { ExpressInstrumentation, ExpressLayerType } from "@opentelemetry/instrumentation-express"
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http"
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici"
import { NodeSDK } from "@opentelemetry/sdk-node"

register("@opentelemetry/instrumentation/hook.mjs", import.meta.url)

const sdk = new NodeSDK({
  traceExporter: new OTLPTraceExporter(),
  metricReaders: [],
  logRecordProcessors: [],
  instrumentations: [
    new HttpInstrumentation(),
    new ExpressInstrumentation({ ignoreLayersType: [ExpressLayerType.MIDDLEWARE] }),
    new UndiciInstrumentation()
  ]
})
sdk.start()

process.once("SIGTERM", () => {
  sdk.shutdown().finally(() => process.exit(0))
})
