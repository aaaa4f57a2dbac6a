// Span processors of the OpenTelemetry SDK, both generations of it, behind our provider: what they are told, and that
// what they see is what their own SDK would have shown them.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  context as apiContext,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { setLogger, span } from 'polyspan'
import { type ProviderOptions, type SpanProcessor, TracerProvider } from 'polyspan/opentelemetry'
import type { Json } from './vectors'

const lines: string[] = []
setLogger((line) => lines.push(line))

/** What is installed for a generation of the SDK; its tests are left out where nothing is. */
function installed(variable: string): ((name: string) => Json) | undefined {
  const folder = process.env[variable]
  return folder === undefined ? undefined : createRequire(join(folder, 'x.js'))
}

const generations = [
  { name: '2', load: installed('POLYSPAN_SDK2'), sdk: '@opentelemetry/sdk-trace-base' },
  { name: '3', load: installed('POLYSPAN_SDK3'), sdk: '@opentelemetry/sdk-trace' },
]
const SKIP = 'the SDK is not installed: run `cargo xtask test node`'

let engines = 0
function provided(options: ProviderOptions = {}): TracerProvider {
  return new TracerProvider({ service: 'x', name: `processors ${engines++}`, exporter: 'none', ...options })
}

const probe = provided()
probe.register()
after(() => probe.shutdown())

/** A span as JSON, without what differs from run to run. */
function told(one: Json): Json {
  const { traceId, spanId, traceFlags } = one.spanContext()
  assert.match(traceId, /^[0-9a-f]{32}$/)
  assert.match(spanId, /^[0-9a-f]{16}$/)
  const exceptions = one.events.map((event: Json) => ({
    ...event,
    time: event.time.length,
    attributes: { ...event.attributes, 'exception.stacktrace': undefined },
  }))
  const { name, kind, status, attributes, startTime, endTime, duration, ended } = one
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } = one
  return {
    ...{ name, kind, status, attributes, startTime, endTime, duration, ended, traceFlags: traceFlags & 1 },
    ...{ droppedAttributesCount, droppedEventsCount, droppedLinksCount },
    parent: one.parentSpanContext && [
      one.parentSpanContext.spanId.length,
      one.parentSpanContext.isRemote ?? false,
    ],
    events: exceptions,
    links: one.links.map(({ context, attributes }: Json) => ({ context: context.spanId, attributes })),
    scope: { name: one.instrumentationScope.name, version: one.instrumentationScope.version },
    resource: one.resource.attributes['service.name'],
  }
}

const REMOTE = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true }

/** What an application does with the API. */
function record(provider: { getTracer(name: string, version?: string): Json }): void {
  const tracer = provider.getTracer('shop', '1.2')
  const remote = trace.setSpanContext(ROOT_CONTEXT, REMOTE)
  const outer = tracer.startSpan(
    'GET /orders',
    {
      kind: SpanKind.SERVER,
      startTime: [1_767_225_600, 0],
      attributes: { 'http.route': '/orders', tries: 2, share: 0.5, ok: true, tags: ['a', 'b'] },
      links: [{ context: REMOTE, attributes: { because: 'batch' } }],
    },
    remote,
  )
  const inner = tracer.startSpan('load', { startTime: [1_767_225_600, 5] }, trace.setSpan(remote, outer))
  inner.addEvent('cache miss', { key: 'k' }, [1_767_225_600, 6])
  inner.recordException(new TypeError('no such order'), [1_767_225_600, 7])
  inner.setStatus({ code: SpanStatusCode.ERROR, message: 'failed' }).updateName('load orders')
  inner.end([1_767_225_600, 9])
  outer.setAttributes({ late: 'yes' }).setStatus({ code: SpanStatusCode.OK })
  outer.end([1_767_225_601, 0])
}

for (const { name, load, sdk } of generations) {
  const skip = load === undefined ? SKIP : false
  const modules = (): Json => (load as (name: string) => Json)(sdk)

  function batch(exporter: Json): SpanProcessor {
    const { BatchSpanProcessor } = modules()
    return name === '2' ? new BatchSpanProcessor(exporter) : new BatchSpanProcessor({ exporter })
  }

  test(`generation ${name}: the stock batch processor exports what it exports of its own SDK`, {
    skip,
  }, async () => {
    const { InMemorySpanExporter, BasicTracerProvider, TracerProvider: Stock } = modules()
    const { resourceFromAttributes } = (load as (name: string) => Json)('@opentelemetry/resources')
    const [ours, theirs] = [new InMemorySpanExporter(), new InMemorySpanExporter()]
    const provider = provided({ spanProcessors: [batch(ours)] })
    const stock = new (BasicTracerProvider ?? Stock)({
      spanProcessors: [batch(theirs)],
      resource: resourceFromAttributes({ 'service.name': 'x' }),
    })
    for (const each of [provider, stock]) {
      record(each)
      await each.forceFlush()
    }
    const found = ours.getFinishedSpans().map(told)
    assert.deepEqual(found, theirs.getFinishedSpans().map(told))
    assert.equal(found.length, 2)
    await provider.shutdown()
    await stock.shutdown()
  })

  test(`generation ${name}: its samplers, resources and limits are understood`, { skip }, async () => {
    const { AlwaysOffSampler, AlwaysOnSampler, TraceIdRatioBasedSampler, ParentBasedSampler } = modules()
    const { InMemorySpanExporter } = modules()
    const { resourceFromAttributes } = (load as (name: string) => Json)('@opentelemetry/resources')
    const kept = async (sampler: Json): Promise<number> => {
      const exporter = new InMemorySpanExporter()
      const provider = provided({ sampler, spanProcessors: [batch(exporter)] })
      provider.getTracer('x').startSpan('root', { root: true }).end()
      await provider.forceFlush()
      const { length } = exporter.getFinishedSpans()
      await provider.shutdown()
      return length
    }
    const parentBased = (root: Json): Json => new ParentBasedSampler({ root })
    assert.deepEqual(
      [
        await kept(new AlwaysOnSampler()),
        await kept(new AlwaysOffSampler()),
        await kept(parentBased(new AlwaysOffSampler())),
        await kept(parentBased(new AlwaysOnSampler())),
        await kept(new TraceIdRatioBasedSampler(1)),
        await kept({ shouldSample: (...[, , root]: never[]) => ({ decision: root === 'root' ? 0 : 2 }) }),
      ],
      [1, 0, 0, 1, 1, 0],
    )
    const exporter = new InMemorySpanExporter()
    const provider = provided({
      resource: resourceFromAttributes({ 'service.namespace': 'shops' }),
      spanLimits: { attributeCountLimit: 2, eventCountLimit: 1 },
      spanProcessors: [batch(exporter)],
      idGenerator: { generateTraceId: () => '5'.repeat(32), generateSpanId: () => '6'.repeat(16) },
    })
    const one = provider.getTracer('x').startSpan('limited', { root: true, attributes: { a: 1, b: 2, c: 3 } })
    one.addEvent('first').addEvent('second').end()
    await provider.forceFlush()
    const [limited] = exporter.getFinishedSpans()
    assert.deepEqual([Object.keys(limited.attributes).length, limited.droppedAttributesCount], [2, 1])
    assert.deepEqual([limited.events.length, limited.droppedEventsCount], [1, 1])
    assert.equal(limited.resource.attributes['service.namespace'], 'shops')
    assert.equal(limited.spanContext().traceId, '5'.repeat(32))
    await provider.shutdown()
  })
}

/** Keeps what it is told. */
class Told {
  calls: string[] = []
  onStart(one: Json, context: Json): void {
    this.calls.push(
      `start ${one.name} ${one.isRecording()} ${trace.getSpan(context)?.spanContext().spanId ?? '-'}`,
    )
    one.setAttribute('added', 'at the start')
  }
  onEnding(one: Json): void {
    one.setAttribute('late', one.attributes.added)
  }
  onEnd(one: Json): void {
    this.calls.push(`end ${one.name} ${one.ended} ${JSON.stringify(one.attributes)}`)
  }
  async forceFlush(): Promise<void> {
    this.calls.push('flush')
  }
  async shutdown(): Promise<void> {
    this.calls.push('shutdown')
  }
}

test('a processor may write a span at its start, and sees it redacted at its end', async () => {
  const processor = new Told()
  const provider = provided()
  provider.addSpanProcessor(processor)
  const tracer = provider.getTracer('x')
  const root = tracer.startSpan('root', { root: true })
  const child = tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, root))
  child.setAttributes({ password: 'hunter2', text: 'x' }).end()
  root.end()
  await provider.forceFlush()
  await provider.shutdown()
  const { spanId } = root.spanContext()
  assert.deepEqual(processor.calls, [
    'start root true -',
    `start child true ${spanId}`,
    'end child true {"added":"at the start","password":"[REDACTED]","text":"x","late":"at the start"}',
    'end root true {"added":"at the start","late":"at the start"}',
    'flush',
    'shutdown',
  ])
})

test('raw processors see what was recorded', async () => {
  const processor = new Told()
  const provider = provided({ spanProcessors: [processor], rawProcessors: true })
  provider
    .getTracer('x')
    .startSpan('raw', { root: true, attributes: { password: 'hunter2' } })
    .end()
  assert.match(processor.calls.at(-1) as string, /hunter2/)
  await provider.shutdown()
})

test('spans of our own interface reach them, with what they inherit and values of any form', async () => {
  const ended: Json[] = []
  const provider = provided({
    spanProcessors: [{ ...nothing(), onEnd: (one: Json) => void ended.push(one) }],
  })
  provider.engine.span('own', { type: 'tool', sessionId: 's-1', input: { a: [1] }, root: true }, (own) =>
    own.set({ map: new Map([['k', 1n]]), list: [1, 'a'] }),
  )
  const [own] = ended
  assert.equal(own.instrumentationScope.name, 'polyspan')
  assert.deepEqual(
    [own.attributes['session.id'], own.attributes.map, own.attributes.list],
    ['s-1', '{"k":1}', [1, 'a']],
  )
  assert.equal(own.attributes['gen_ai.tool.call.arguments'], '{"a":[1]}')
  await provider.shutdown()
})

function nothing(): SpanProcessor {
  const done = async (): Promise<void> => undefined
  return { onStart: () => undefined, onEnd: () => undefined, forceFlush: done, shutdown: done }
}

test('one that throws is said once and disturbs nobody', async () => {
  const processor = new Told()
  class Throwing {
    onStart(): void {
      throw new Error('at the start')
    }
    onEnd(): void {
      throw new Error('at the end')
    }
    async forceFlush(): Promise<void> {
      throw new Error('no flush')
    }
    async shutdown(): Promise<void> {
      throw new Error('no shutdown')
    }
  }
  const provider = provided({ spanProcessors: [new Throwing(), processor] })
  for (let i = 0; i < 2; i++) provider.getTracer('x').startSpan('one', { root: true }).end()
  await assert.rejects(provider.forceFlush(), /no flush/)
  await assert.rejects(provider.shutdown(), /no shutdown/)
  assert.equal(provider.stats().ended, 2)
  assert.deepEqual(
    lines.filter((line) => line.includes('Throwing')),
    [
      'polyspan: Throwing: onStart threw Error: at the start',
      'polyspan: Throwing: onEnd threw Error: at the end',
    ],
  )
  assert.deepEqual(processor.calls.slice(-2), ['flush', 'shutdown'])
})

test('spans that do not record are nobody else’s business', async () => {
  const processor = new Told()
  const provider = provided({ spanProcessors: [processor], sampler: 'always_off' })
  provider.getTracer('x').startSpan('quiet', { root: true }).end()
  span('elsewhere', () => undefined)
  assert.deepEqual(processor.calls, [])
  await provider.shutdown()
})

test('the span processor of Langfuse sends what it selects', {
  skip: generations[0]?.load === undefined ? SKIP : false,
}, async () => {
  const { LangfuseSpanProcessor } = (installed('POLYSPAN_SDK2') as (name: string) => Json)('@langfuse/otel')
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      bodies.push(Buffer.concat(parts).toString('latin1'))
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const baseUrl = `http://127.0.0.1:${port}`
  const processor = new LangfuseSpanProcessor({
    publicKey: 'pk',
    secretKey: 'sk',
    baseUrl,
    environment: 'tests',
  })
  const provider = provided({ spanProcessors: [processor] })
  try {
    const options = { type: 'model_generation', root: true, model: 'gpt-5', input: 'why' }
    provider.engine.span('draft', options as Json, (draft) => draft.update({ output: 'so' }))
    await provider.forceFlush()
    assert.match(bodies.join(''), /draft/)
    assert.match(bodies.join(''), /langfuse\.environment/)
  } finally {
    await provider.shutdown()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

after(() => {
  apiContext.disable()
  propagation.disable()
  trace.disable()
})
