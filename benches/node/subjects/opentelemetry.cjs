// The reference: `@opentelemetry/sdk-trace-node` with its batch processor and the stock OTLP/HTTP exporter.

const ApiSubject = require('./opentelemetry_api.cjs')

class Subject extends ApiSubject {
  constructor(setup) {
    super()
    const { NodeTracerProvider } = setup.load('@opentelemetry/sdk-trace-node')
    const base = setup.load('@opentelemetry/sdk-trace-base')
    let exporter = {
      export: (spans, done) => {
        this.count += spans.length
        done({ code: 0 })
      },
      shutdown: async () => undefined,
    }
    this.count = 0
    if (setup.export === 'otlp') {
      const { OTLPTraceExporter } = setup.load('@opentelemetry/exporter-trace-otlp-proto')
      exporter = new OTLPTraceExporter({ url: `${setup.sink}/v1/traces` })
    }
    const root = setup.sampled ? new base.AlwaysOnSampler() : new base.AlwaysOffSampler()
    this.provider = new NodeTracerProvider({
      sampler: new base.ParentBasedSampler({ root }),
      spanProcessors: [new base.BatchSpanProcessor(exporter)],
    })
    this.provider.register()
    this.tracer = this.provider.getTracer('bench')
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
