// The context manager of the OpenTelemetry API: emitters, baggage that others set, and managers that follow it.

import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { after, before, beforeEach, test } from 'node:test'
import { context as api, type ContextManager, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { baggage, context, inject, MemoryExporter, setLogger, span } from 'polyspan'
import { TracerProvider } from 'polyspan/opentelemetry'

setLogger(() => undefined)
const exporter = new MemoryExporter()
let provider: TracerProvider
before(() => {
  provider = new TracerProvider({ service: 'tests', exporter })
  assert.ok(provider.register())
})
beforeEach(async () => {
  await provider.forceFlush()
  exporter.clear()
})
after(() => provider.shutdown())

test('baggage that is set by the API where nothing of ours is', () => {
  const carrier: Record<string, string> = {}
  const given = propagation.createBaggage({ plan: { value: 'pro' } })
  api.with(propagation.setBaggage(ROOT_CONTEXT, given), () => {
    propagation.inject(api.active(), carrier)
    assert.deepEqual(baggage(), { plan: 'pro' })
    span('inside', () => assert.deepEqual(inject({} as Record<string, string>).baggage, 'plan=pro'))
  })
  assert.equal(carrier.baggage, 'plan=pro')
})

test('baggage that the API deletes is gone', () => {
  context({ baggage: { plan: 'pro' }, userId: 'u-1' }, () => {
    api.with(propagation.deleteBaggage(api.active()), () => {
      assert.deepEqual(baggage(), {})
      span('inside', () => assert.equal(inject({} as Record<string, string>).baggage, undefined))
    })
    assert.deepEqual(baggage(), { plan: 'pro' })
  })
})

test('listeners of a bound emitter are added once and go away', () => {
  const emitter = api.bind(api.active(), new EventEmitter())
  let fired = 0
  const listener = (): void => {
    fired += 1
  }
  emitter.once('a', listener).off('a', listener)
  emitter.emit('a')
  emitter.once('b', listener)
  emitter.emit('b')
  emitter.emit('b')
  emitter.prependOnceListener('c', listener).removeListener('c', listener)
  emitter.emit('c')
  assert.equal(fired, 1)
  assert.deepEqual(emitter.eventNames(), [])
  assert.throws(() => emitter.on('d', undefined as never), { code: 'ERR_INVALID_ARG_TYPE' })
})

test('another context manager can follow ours', () => {
  let active = ROOT_CONTEXT
  const other: ContextManager = {
    active: () => active,
    with: (inner, body, receiver, ...args) => {
      const before = active
      active = inner
      try {
        return body.apply(receiver as never, args)
      } finally {
        active = before
      }
    },
    bind: (_, target) => target,
    enable: () => other,
    disable: () => other,
  }
  const tracer = provider.getTracer('x')
  api.disable()
  assert.ok(api.setGlobalContextManager(other))
  tracer.startActiveSpan('outer', (outer) => {
    assert.equal(trace.getActiveSpan(), outer)
    const inner = tracer.startSpan('inner')
    assert.equal(inner.spanContext().traceId, outer.spanContext().traceId)
    inner.end()
    outer.end()
  })
  api.disable()
  // Not as the provider, which it is still.
  assert.ok(!provider.register())
  tracer.startActiveSpan('ours again', (started) => {
    assert.equal(trace.getActiveSpan(), started)
    started.end()
  })
})
