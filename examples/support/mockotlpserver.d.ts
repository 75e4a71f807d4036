// The package ships no types; this is what the examples use of it.
declare module "@elastic/mockotlpserver" {
  export class MockOtlpServer {
    constructor(options: {
      readonly logLevel: string
      readonly services: ReadonlyArray<"http" | "grpc" | "ui">
      readonly httpHostname: string
      readonly httpPort: number
      readonly onTrace: (trace: unknown) => void
      readonly onMetrics: (metrics: unknown) => void
      readonly onLogs: (logs: unknown) => void
    })
    readonly httpUrl: URL
    start(): Promise<void>
    close(): Promise<void>
  }
}
