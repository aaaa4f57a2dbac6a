// The provider behind the programs that run under OpenTelemetry's instrumentation packages: the stock SDK's, or ours.
// For `program.cjs` beside it and for `../servers/program.cjs`.

/**
 * Registers the provider of that way (`stock`, `polyspan`, or `register`: one is there already, by `--import
 * polyspan/register`), with packages from `load`. Gives what reads the recorded spans, and what records one.
 */
function recording(load, way) {
  const { SpanKind, SpanStatusCode, trace, context, propagation } = load('@opentelemetry/api')

  function stock() {
    const { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } = load('@opentelemetry/sdk-trace')
    const { AsyncLocalStorageContextManager } = load('@opentelemetry/context-async-hooks')
    const { W3CTraceContextPropagator } = load('@opentelemetry/core')
    const exporter = new InMemorySpanExporter()
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
    trace.setGlobalTracerProvider(provider)
    return async () => {
      await provider.forceFlush()
      return exporter.getFinishedSpans().map((span) => ({
        id: span.spanContext().spanId,
        parent: span.parentSpanContext?.spanId,
        name: span.name,
        kind: SpanKind[span.kind].toLowerCase(),
        status: SpanStatusCode[span.status.code].toLowerCase(),
        message: span.status.message ?? '',
        attributes: span.attributes,
        events: span.events.map(({ name, attributes }) => [name, attributes]),
        links: span.links.map((link) => link.context.spanId),
        scope: [span.instrumentationScope.name, span.instrumentationScope.version],
      }))
    }
  }

  function polyspan() {
    const { MemoryExporter } = require('polyspan')
    const { TracerProvider } = require('polyspan/opentelemetry')
    const exporter = new MemoryExporter()
    const provider = new TracerProvider({ service: 'x', exporter })
    provider.register()
    return async () => {
      await provider.forceFlush()
      return exporter.spans.map((span) => ({
        id: span.spanId,
        parent: span.parentSpanId,
        name: span.name,
        kind: span.kind,
        status: span.status,
        message: span.statusMessage,
        attributes: span.attributes,
        events: span.events.map(({ name, attributes }) => [name, attributes]),
        links: span.links.map((link) => link.spanId),
        scope: [span.scope, span.scopeVersion],
      }))
    }
  }

  const spans = { stock, polyspan, register: () => async () => [] }[way]()
  const tracer = trace.getTracer('program', '1.0')

  /** Runs `body` inside a span, as an application would. */
  function inside(name, body) {
    return tracer.startActiveSpan(name, async (span) => {
      try {
        return await body()
      } catch (error) {
        span.recordException({ name: error.name, message: 'it failed' })
        span.setStatus({ code: SpanStatusCode.ERROR, message: 'it failed' })
        return undefined
      } finally {
        span.end()
      }
    })
  }

  return { spans, inside }
}

module.exports = { recording }
