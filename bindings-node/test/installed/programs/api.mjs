// Records by the API of OpenTelemetry, with spans of the package's own interface in between.

import assert from 'node:assert/strict'
import { context, propagation, SpanKind, trace } from '@opentelemetry/api'
import { span } from 'polyspan'
import { TracerProvider } from 'polyspan/opentelemetry'

const provider = new TracerProvider()
assert.ok(provider.register())
const tracer = trace.getTracer('app', '1.2.3')
await tracer.startActiveSpan('request', { kind: SpanKind.SERVER }, async (request) => {
  await span('between', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1))
    tracer.startActiveSpan('inner', (inner) => {
      assert.equal(inner.spanContext().traceId, request.spanContext().traceId)
      inner.end()
    })
  })
  const carrier = {}
  propagation.inject(context.active(), carrier)
  assert.ok(carrier.traceparent.includes(request.spanContext().traceId))
  request.recordException(new Error('told'))
  request.end()
})
await provider.shutdown()
console.log('recorded 3 true')
