// Express as OpenTelemetry's own packages instrument it, through the engine: nothing of ours is needed for the spans of
// requests, and what of ours is there joins them.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import { after, before, beforeEach, test } from 'node:test'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { MemoryExporter, type SpanRecord, span } from 'polyspan'
import { polyspanExpress } from 'polyspan/express'
import { TracerProvider } from 'polyspan/opentelemetry'
import { named } from './recorded'
import { CALLER, type Running, running, TRACE } from './web'

const exporter = new MemoryExporter()
let provider: TracerProvider
let stock: Running
let both: Running
before(async () => {
  provider = new TracerProvider({ service: 'stock', exporter })
  assert.ok(provider.register())
  registerInstrumentations({ instrumentations: [new HttpInstrumentation(), new ExpressInstrumentation()] })
  // After the instrumentations, as a program that is started with `--import` has it.
  const express: typeof import('express') = createRequire(__filename)('express')
  const listening = async (ours: boolean): Promise<Running> => {
    const app = express()
    if (ours) app.use(polyspanExpress())
    app.get('/users/:id', (request, response) => {
      span('load', () => void response.json({ id: request.params.id }))
    })
    const server: Server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return running(server)
  }
  stock = await listening(false)
  both = await listening(true)
})
beforeEach(() => exporter.clear())
after(async () => {
  await stock.close()
  await both.close()
  await provider.shutdown()
})

/** Asks a server and waits until the request's span has ended. */
async function asked({ port }: Running, headers: Record<string, string>): Promise<SpanRecord[]> {
  const response = await fetch(`http://127.0.0.1:${port}/users/7`, { headers })
  assert.deepEqual(await response.json(), { id: '7' })
  const spans: SpanRecord[] = []
  for (const bound = Date.now() + 30_000; !spans.some(isRequest) && Date.now() < bound; ) {
    await provider.forceFlush()
    spans.push(...exporter.take())
  }
  return spans
}
const isRequest = ({ scope, kind }: SpanRecord): boolean =>
  kind === 'server' && scope === '@opentelemetry/instrumentation-http'

/** The spans above one, the nearest first. */
function above(spans: SpanRecord[], span: SpanRecord): SpanRecord[] {
  const next = spans.find((each) => each.spanId === span.parentSpanId)
  return next === undefined ? [] : [next, ...above(spans, next)]
}

test('the instrumentations alone', async () => {
  const spans = await asked(stock, { traceparent: `00-${TRACE}-${CALLER}-01` })
  const request = spans.find(isRequest) as SpanRecord
  assert.deepEqual([request.name, request.traceId, request.parentSpanId], ['GET /users/:id', TRACE, CALLER])
  assert.equal(request.attributes['http.response.status_code'], 200)
  assert.ok(above(spans, named(spans, 'load')).includes(request))
  assert.ok(spans.some((each) => each.scope === '@opentelemetry/instrumentation-express'))
})

test('our middleware beside them joins their span', async () => {
  for (const headers of [{ traceparent: `00-${TRACE}-${CALLER}-01` }, {}]) {
    const spans = await asked(both, headers as Record<string, string>)
    const request = spans.find(isRequest) as SpanRecord
    const ours = spans.find((each) => each.kind === 'server' && each !== request) as SpanRecord
    assert.equal(ours.name, 'GET /users/:id')
    assert.ok(above(spans, ours).includes(request))
    // The instrumentation gives handlers the context that was there before our middleware.
    assert.ok(above(spans, named(spans, 'load')).includes(request))
    assert.ok(spans.every((each) => each.traceId === request.traceId))
  }
})
