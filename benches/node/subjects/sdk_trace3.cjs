// The reference's next generation: `@opentelemetry/sdk-trace` with its batch processor and the stock OTLP/HTTP exporter.

const ApiSubject = require('./opentelemetry_api.cjs')

class Subject extends ApiSubject {
  constructor(setup) {
    super()
    const { context, trace } = setup.load('@opentelemetry/api')
    const { AsyncLocalStorageContextManager } = setup.load('@opentelemetry/context-async-hooks')
    const sdk = setup.load('@opentelemetry/sdk-trace')
    this.count = 0
    let exporter = {
      export: (spans, done) => {
        this.count += spans.length
        done({ code: 0 })
      },
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
    }
    if (setup.export === 'otlp') {
      const { OTLPTraceExporter } = setup.load('@opentelemetry/exporter-trace-otlp-proto')
      exporter = new OTLPTraceExporter({ url: `${setup.sink}/v1/traces` })
    }
    const root = setup.sampled ? new sdk.AlwaysOnSampler() : new sdk.AlwaysOffSampler()
    this.provider = new sdk.TracerProvider({
      sampler: new sdk.ParentBasedSampler({ root }),
      spanProcessors: [new sdk.BatchSpanProcessor({ exporter })],
    })
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    trace.setGlobalTracerProvider(this.provider)
    this.tracer = trace.getTracer('bench')
  }

  flush() {
    return this.provider.forceFlush()
  }

  async stop() {
    await this.provider.shutdown()
    return { exported: this.count }
  }
}

module.exports = Subject
