// The OpenTelemetry API for JavaScript over the engine.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Span as ApiSpan,
  context as api,
  createContextKey,
  INVALID_SPAN_CONTEXT,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import {
  baggage,
  context,
  currentSpan,
  extract,
  init,
  inject,
  MemoryExporter,
  type SpanRecord,
  setLogger,
  span,
} from 'polyspan'
import { TracerProvider } from 'polyspan/opentelemetry'

setLogger(() => undefined)
const exporter = new MemoryExporter()
let provider: TracerProvider
let tracer: Tracer
before(() => {
  provider = new TracerProvider({ service: 'tests', exporter })
  assert.ok(provider.register())
  tracer = trace
    .getTracerProvider()
    .getTracer('a library', '1.2.3', { schemaUrl: 'https://example.com/schema' })
})
beforeEach(async () => {
  await provider.forceFlush()
  exporter.clear()
})
after(() => provider.shutdown())

async function recorded(): Promise<SpanRecord[]> {
  await provider.forceFlush()
  assert.ok(provider.stats().addsUp)
  return exporter.take()
}

test('everything that a span of the API is given', async () => {
  const linked = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }
  const started = tracer.startSpan('first', {
    kind: SpanKind.CLIENT,
    attributes: { a: 1, list: ['x', 'y'], nothing: undefined },
    links: [{ context: linked, attributes: { why: 'cause' } }],
    startTime: [1700000000, 5],
  })
  started.setAttribute('b', true).setAttributes({ c: 0.5 })
  started.addEvent('plain').addEvent('timed', [1700000000, 7]).addEvent('full', { k: 'v' }, [1700000000, 8])
  started.addLink({ context: linked })
  started.updateName('last').setStatus({ code: SpanStatusCode.ERROR, message: 'broken' })
  started.recordException(Object.assign(new TypeError('no'), { code: 'E_NO' }))
  assert.ok(started.isRecording())
  const { traceId, spanId, traceFlags } = started.spanContext()
  started.end([1700000001, 0])
  assert.ok(!started.isRecording())
  const [record] = await recorded()
  assert.deepEqual([record?.traceId, record?.spanId, record?.traceFlags], [traceId, spanId, traceFlags])
  assert.deepEqual(
    [record?.name, record?.kind, record?.status, record?.statusMessage],
    ['last', 'client', 'error', 'broken'],
  )
  assert.deepEqual(record?.attributes, { a: 1, list: ['x', 'y'], b: true, c: 0.5 })
  assert.deepEqual([record?.startTime, record?.endTime], [1700000000000000005n, 1700000001000000000n])
  assert.deepEqual(
    record?.events.map((event) => event.name),
    ['plain', 'timed', 'full', 'exception'],
  )
  assert.deepEqual(
    [record?.events[1]?.time, record?.events[2]?.attributes],
    [1700000000000000007n, { k: 'v' }],
  )
  assert.equal(record?.events[3]?.attributes['exception.type'], 'E_NO')
  assert.deepEqual(
    record?.links.map((link) => [link.traceId, link.attributes]),
    [
      [linked.traceId, { why: 'cause' }],
      [linked.traceId, {}],
    ],
  )
  assert.deepEqual([record?.scope, record?.scopeVersion], ['a library', '1.2.3'])
})

test('both interfaces share what is current', async () => {
  await tracer.startActiveSpan('api', async (outer) => {
    assert.equal(trace.getActiveSpan(), outer)
    assert.equal(currentSpan().spanId, outer.spanContext().spanId)
    await sleep(1)
    await span('own', async (own) => {
      assert.equal(trace.getActiveSpan()?.spanContext().spanId, own.spanId)
      await tracer.startActiveSpan('inner', async (inner) => {
        await sleep(1)
        assert.equal(currentSpan().spanId, inner.spanContext().spanId)
        inner.end()
      })
    })
    outer.end()
  })
  assert.equal(trace.getActiveSpan(), undefined)
  const [inner, own, outer] = await recorded()
  assert.deepEqual([inner?.parentSpanId, own?.parentSpanId], [own?.spanId, outer?.spanId])
})

test('keys of the application stay, whichever interface is used between', () => {
  const key = createContextKey('of the application')
  api.with(api.active().setValue(key, 'kept'), () => {
    span('own', () => {
      assert.equal(api.active().getValue(key), 'kept')
      context({ sessionId: 's' }, () => {
        span('deeper', () => assert.equal(api.active().getValue(key), 'kept'))
      })
    })
  })
  assert.equal(api.active(), ROOT_CONTEXT)
})

test('what a context of ours carries reaches spans of the API', async () => {
  context({ sessionId: 's-1', metadata: { tier: 'gold' } }, () => {
    tracer.startActiveSpan('api', (outer) => {
      tracer.startSpan('child').end()
      outer.end()
    })
    // A context that was made by hand from the active one.
    const by = trace.setSpan(api.active(), tracer.startSpan('by hand'))
    api.with(by, () => {
      trace.getActiveSpan()?.end()
      tracer.startSpan('below').end()
    })
  })
  for (const record of await recorded()) {
    assert.equal(record.attributes['session.id'], 's-1', record.name)
    assert.deepEqual(record.metadata, { tier: 'gold' })
  }
})

test('baggage is one', () => {
  context({ baggage: { tenant: 'acme' } }, () => {
    assert.equal(propagation.getActiveBaggage()?.getEntry('tenant')?.value, 'acme')
    const more = propagation.createBaggage({ plan: { value: 'pro' } })
    api.with(propagation.setBaggage(api.active(), more), () => {
      assert.deepEqual(baggage(), { plan: 'pro' })
      assert.equal((inject({}) as Record<string, string>).baggage, 'plan=pro')
    })
    const carrier: Record<string, string> = {}
    propagation.inject(api.active(), carrier)
    assert.equal(carrier.baggage, 'tenant=acme')
  })
})

test('propagation through the API', async () => {
  const carrier: Record<string, string> = {}
  tracer.startActiveSpan('client', (client) => {
    propagation.inject(api.active(), carrier)
    client.end()
  })
  const key = createContextKey('kept')
  const found = propagation.extract(ROOT_CONTEXT.setValue(key, 1), carrier)
  assert.equal(found.getValue(key), 1)
  tracer.startActiveSpan('server', { kind: SpanKind.SERVER }, found, (server) => {
    assert.equal(extract(carrier).spanContext?.traceId, server.spanContext().traceId)
    server.end()
  })
  const [client, server] = await recorded()
  assert.deepEqual([server?.parentSpanId, server?.parentIsRemote], [client?.spanId, true])
  assert.equal(propagation.extract(ROOT_CONTEXT, {}), ROOT_CONTEXT)
  assert.ok(propagation.fields().includes('traceparent'))
})

test('roots, parents by hand, and suppressed tracing', async () => {
  tracer.startActiveSpan('outer', (outer) => {
    tracer.startSpan('root', { root: true }).end()
    const suppressed = api
      .active()
      .setValue(createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'), true)
    api.with(suppressed, () => tracer.startActiveSpan('suppressed', (none) => none.end()))
    outer.end()
  })
  const spans = await recorded()
  assert.deepEqual(
    spans.map((record) => [record.name, record.parentSpanId]),
    [
      ['root', undefined],
      ['outer', undefined],
    ],
  )
})

test('bound functions and emitters', () => {
  const emitter = new EventEmitter()
  const seen: (ApiSpan | undefined)[] = []
  let outer: ApiSpan | undefined
  const run = tracer.startActiveSpan('outer', (started) => {
    outer = started
    api.bind(api.active(), emitter)
    started.end()
    return api.bind(api.active(), function (this: unknown, value: number) {
      return [trace.getActiveSpan(), this, value]
    })
  })
  const listener = (): void => void seen.push(trace.getActiveSpan())
  emitter.on('event', listener)
  emitter.emit('event')
  emitter.off('event', listener)
  emitter.emit('event')
  assert.deepEqual(seen, [outer])
  const receiver = {}
  assert.deepEqual(run.call(receiver, 5), [outer, receiver, 5])
})

test('unsampled spans of the API', async () => {
  const quiet = new TracerProvider({ service: 'x', name: 'quiet', exporters: [], sampler: 'always_off' })
  const off = quiet.getTracer('quiet')
  off.startActiveSpan('root', (root) => {
    assert.ok(!root.isRecording())
    off.startActiveSpan('child', (child) => {
      assert.equal(child.spanContext().traceId, root.spanContext().traceId)
      child.setAttribute('a', 1).end()
    })
    root.end()
  })
  const stats = quiet.stats()
  assert.ok(stats.addsUp)
  assert.deepEqual([stats.started, stats.ended, stats.unsampled], [2, 2, 2])
  await quiet.shutdown()
})

test('keys of a context inside a trace that is not sampled do not stay behind', async () => {
  const engine = init({ service: 'x', name: 'unsampled keys', exporters: [], sampler: 0 })
  const key = createContextKey('a key of the application')
  engine.span('root', () => {
    const inner = api.active().setValue(key, 'inner')
    api.with(inner, () => {
      engine.span('child', () => {
        assert.equal(api.active().getValue(key), 'inner')
        engine.span('grandchild', () => assert.equal(api.active().getValue(key), 'inner'))
      })
    })
    assert.equal(api.active().getValue(key), undefined)
    engine.span('later', () => assert.equal(api.active().getValue(key), undefined))
  })
  const stats = engine.stats()
  assert.deepEqual([stats.started, stats.ended, stats.unsampled], [4, 4, 4])
  await engine.shutdown()
})

test('what stands for a span where there is none is no mistake', async () => {
  const { altered } = provider.stats()
  const nothing = trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext(INVALID_SPAN_CONTEXT))
  const carrier = {}
  propagation.inject(nothing, carrier)
  assert.deepEqual(carrier, {})
  tracer.startSpan('root', {}, nothing).end()
  const [root] = await recorded()
  assert.equal(root?.parentSpanId, undefined)
  assert.equal(provider.stats().altered, altered)
})

test('requests of exporters take no context along', () => {
  tracer.startActiveSpan('exporting', (span) => {
    const suppressed = api
      .active()
      .setValue(createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'), true)
    const carriers: object[] = [{}, {}]
    propagation.inject(suppressed, carriers[0])
    propagation.inject(api.active(), carriers[1])
    assert.deepEqual(carriers.map(Object.keys), [[], ['traceparent']])
    span.end()
  })
})

test('a provider takes the engine that runs, and `init` may follow one that has started its own', () => {
  const program = `
    const assert = require('node:assert/strict')
    const { engines, flush, init, MemoryExporter, shutdown, span } = require('polyspan')
    const { TracerProvider } = require('polyspan/opentelemetry')
    const [first, second] = [new MemoryExporter(), new MemoryExporter()]
    const names = (memory) => memory.take().map((one) => one.name)
    const both = async (provider) => {
      span('own', () => undefined)
      provider.getTracer('app').startSpan('api').end()
      await flush()
      return [names(first), names(second)]
    }
    ;(async () => {
      span('too early', () => undefined)
      const early = new TracerProvider({ exporter: first })
      assert.deepEqual(await both(early), [['own', 'api'], []])
      await shutdown()
      const engine = init('web', { exporter: first })
      const taken = new TracerProvider()
      assert.equal(taken.engine.name, engine.name)
      assert.deepEqual(await both(taken), [['own', 'api'], []])
      await shutdown()
      const provider = new TracerProvider({ service: 'web', exporter: first })
      assert.equal(new TracerProvider().engine.name, 'opentelemetry')
      assert.deepEqual(await both(provider), [['own', 'api'], []])
      init('web', { exporter: second })
      assert.deepEqual(engines().map((one) => one.name), ['opentelemetry', 'default'])
      assert.deepEqual(await both(provider), [['api'], ['own']])
      await shutdown()
    })()`
  const ran = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', cwd: join(__dirname, '..') })
  assert.equal(ran.status, 0, ran.stderr)
})

test('registered without code', () => {
  const program = `
    const { trace } = require('@opentelemetry/api')
    trace.getTracer('app').startActiveSpan('work', (span) => span.end())`
  const ran = spawnSync(process.execPath, ['--require', 'polyspan/register', '-e', program], {
    encoding: 'utf8',
    cwd: join(__dirname, '..'),
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'console', OTEL_SERVICE_NAME: 'app' },
  })
  assert.equal(ran.status, 0, ran.stderr)
  assert.match(ran.stdout + ran.stderr, /work/)
  const broken = spawnSync(process.execPath, ['--import', 'polyspan/register', '-e', 'console.log(1)'], {
    encoding: 'utf8',
    cwd: join(__dirname, '..'),
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: 'not a url at all' },
  })
  assert.equal(broken.status, 0, broken.stderr)
  assert.equal(broken.stdout.trim(), '1')
})

test('registered where the OpenTelemetry API is not installed', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'polyspan-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const copy = join(folder, 'register.js')
  copyFileSync(require.resolve('polyspan/register'), copy)
  const ran = spawnSync(process.execPath, ['--require', copy, '-e', 'console.log(1)'], {
    encoding: 'utf8',
    cwd: folder,
    timeout: 60_000,
    env: { ...process.env, NODE_PATH: '' },
  })
  assert.equal(ran.status, 0, ran.stderr)
  assert.equal(ran.stdout.trim(), '1')
  assert.match(ran.stderr, /PolyspanWarning: .*@opentelemetry\/api, which is not installed/)
})
