// Spans and contexts: what is recorded, how they end, and what is current where.

import assert from 'node:assert/strict'
import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { after, before, beforeEach, test } from 'node:test'
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import {
  context,
  currentSpan,
  currentTraceId,
  type Engine,
  event,
  init,
  MemoryExporter,
  type PolyspanError,
  SpanContext,
  type SpanRecord,
  setDefault,
  setLogger,
  setSelector,
  shutdown,
  span,
  stats,
} from 'polyspan'

const said: string[] = []
setLogger((line) => said.push(line))
const exporter = new MemoryExporter()
let engine: Engine
before(() => {
  engine = init('tests', { exporter })
})
beforeEach(() => exporter.clear())
after(() => shutdown())

async function recorded(): Promise<SpanRecord[]> {
  await engine.flush()
  const counted = engine.stats()
  assert.ok(counted.addsUp)
  assert.equal(counted.pending, 0)
  return exporter.take()
}

async function one(): Promise<SpanRecord> {
  const spans = await recorded()
  assert.equal(spans.length, 1)
  return spans[0] as SpanRecord
}

test('a span arrives as it was recorded', async () => {
  const linked = SpanContext.of({ traceId: 'abc', spanId: 'def', traceState: 'a=b' })
  const started = span.start('first name', {
    type: 'tool',
    kind: 'client',
    input: 'question',
    tags: ['beta'],
    links: [[linked, { why: 'cause' }], 'no link at all'],
  })
  started.set('text', 'zürich').set('int', 7).set('float', 0.5).set('bool', true).set('int', 8)
  started.set({ list: ['a', 'b'], nothing: null, bytes: new Uint8Array([0, 255]), big: 2n ** 62n })
  started.event('plain').event('full', { k: 1 }, 5n)
  started
    .rename('last name')
    .update({ output: 'draft', metadata: { tier: 'gold' } })
    .update({ output: 'answer' })
  started.status('error', 'broken').status('ok').status('error', 'ignored')
  started.end()
  started.end()
  const record = await one()
  assert.deepEqual([record.name, record.type, record.kind], ['last name', 'tool', 'client'])
  assert.deepEqual(record.attributes, {
    text: 'zürich',
    float: 0.5,
    bool: true,
    int: 8,
    list: ['a', 'b'],
    nothing: null,
    bytes: new Uint8Array([0, 255]),
    big: 2n ** 62n,
  })
  assert.deepEqual([record.input, record.output, record.metadata], ['question', 'answer', { tier: 'gold' }])
  assert.deepEqual([record.status, record.statusMessage, record.tags], ['ok', '', ['beta']])
  assert.deepEqual(
    record.events.map(({ name, time, attributes }) => [name, name === 'full' ? time : 0, attributes]),
    [
      ['plain', 0, {}],
      ['full', 5n, { k: 1 }],
    ],
  )
  const [link] = record.links
  assert.deepEqual([link?.traceId, link?.spanId, link?.traceState], [linked.traceId, linked.spanId, 'a=b'])
  assert.deepEqual([link?.attributes, record.links.length], [{ why: 'cause' }, 1])
  assert.equal(engine.stats().endedTwice, 1)
})

test('times are those of the wall clock, or given', async () => {
  const before = BigInt(Date.now()) * 1000000n
  span('now', () => undefined)
  const date = new Date('2024-05-06T07:08:09.123Z')
  span.start('given', { startTime: date }).end(date.getTime() + 1.5)
  span.start('hrtime', { startTime: [1700000000, 5] }).end(1700000000000000009n)
  span.start('backwards', { startTime: 10n }).end(5n)
  span.start('bad', { startTime: Number.NaN }).end({} as never)
  const [now, given, hrtime, backwards, bad] = (await recorded()) as SpanRecord[]
  const tolerance = 2_000_000_000n
  assert.ok(
    (now as SpanRecord).startTime > before - tolerance && (now as SpanRecord).endTime < before + tolerance,
  )
  assert.equal(given?.startTime, 1714979289123000000n)
  assert.equal(given?.endTime, 1714979289124500000n)
  assert.deepEqual([hrtime?.startTime, hrtime?.endTime], [1700000000000000005n, 1700000000000000009n])
  assert.deepEqual([backwards?.startTime, backwards?.endTime], [10n, 10n])
  assert.ok((bad as SpanRecord).startTime > before - tolerance)
})

test('what is current follows promises, timers, emitters and callbacks', async () => {
  await span('outer', async (outer) => {
    assert.equal(currentSpan(), outer)
    assert.equal(currentTraceId(), outer.traceId)
    await sleep(1)
    assert.equal(currentSpan(), outer)
    await Promise.all(
      ['a', 'b'].map((name) =>
        span(name, async (inner) => {
          await immediate()
          assert.equal(currentSpan(), inner)
          await new Promise<void>((resolve) => setTimeout(resolve, 2))
          assert.equal(currentSpan(), inner)
        }),
      ),
    )
    assert.equal(currentSpan(), outer)
    const emitter = new EventEmitter()
    emitter.on('event', () => span('listener', () => undefined))
    span('emits', () => emitter.emit('event'))
    process.nextTick(() => span('tick', () => undefined))
    queueMicrotask(() => span('microtask', () => undefined))
    await immediate()
  })
  assert.equal(currentTraceId(), undefined)
  const spans = await recorded()
  const ids = new Map(spans.map((record) => [record.spanId, record.name]))
  const parents = Object.fromEntries(
    spans.map(({ name, parentSpanId }) => [name, ids.get(parentSpanId ?? '')]),
  )
  assert.deepEqual(parents, {
    a: 'outer',
    b: 'outer',
    listener: 'emits',
    emits: 'outer',
    tick: 'outer',
    microtask: 'outer',
    outer: undefined,
  })
  assert.equal(new Set(spans.map((record) => record.traceId)).size, 1)
})

test('a span is current where it was started, whatever its options do elsewhere', () => {
  const elsewhere = span('warm', () => new AsyncResource('elsewhere'))
  const outside = new AsyncResource('outside')
  const seen: (string | undefined)[] = []
  span('outer', (outer) => {
    const options = {
      get input(): string {
        return elsewhere.runInAsyncScope(() => span('inside', () => 'given'))
      },
    }
    span('inner', options, (inner) => {
      assert.equal(currentSpan(), inner)
      outside.runInAsyncScope(() => seen.push(currentTraceId()))
    })
    assert.equal(currentSpan(), outer)
    assert.throws(() => span('fails', () => assert.fail()))
    assert.equal(currentSpan(), outer)
  })
  assert.equal(currentTraceId(), undefined)
  // What was current when the resource was made is so there still, and again after a span.
  elsewhere.runInAsyncScope(() => {
    const { traceId } = currentSpan()
    span('there', (there) => assert.equal(there.traceId, traceId))
    assert.equal(currentSpan().traceId, traceId)
    assert.notEqual(currentTraceId(), undefined)
  })
  assert.deepEqual(seen, [undefined])
})

test('manual spans, using, explicit parents and new roots', async () => {
  const parent = span.start('parent')
  assert.notEqual(currentSpan(), parent)
  {
    using child = span.start('child', { parent })
    child.run(() => span('grandchild', () => undefined))
  }
  span('elsewhere', () => {
    span('by context', { parent: parent.context }, () => undefined)
    span('root', { root: true }, () => undefined)
    context({ parent }, () => span('inside', () => undefined))
  })
  const remote = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
  span('remote', { parent: remote }, () => undefined)
  parent.end()
  const spans = Object.fromEntries((await recorded()).map((record) => [record.name, record]))
  assert.equal(spans.child?.parentSpanId, spans.parent?.spanId)
  assert.equal(spans.grandchild?.parentSpanId, spans.child?.spanId)
  assert.equal(spans['by context']?.parentSpanId, spans.parent?.spanId)
  assert.equal(spans.inside?.parentSpanId, spans.parent?.spanId)
  assert.equal(spans.root?.parentSpanId, undefined)
  assert.notEqual(spans.root?.traceId, spans.elsewhere?.traceId)
  assert.deepEqual([spans.remote?.parentSpanId, spans.remote?.parentIsRemote], ['2'.repeat(16), true])
})

test('a span ends with what its body throws or rejects', async () => {
  const failure = new TypeError('broken', { cause: new Error('because') })
  assert.throws(() => span('throws', () => void raise(failure)), failure)
  await assert.rejects(
    span('rejects', async () => raise(failure)),
    failure,
  )
  assert.throws(() => span('text', () => void raise('only text')))
  const manual = span.start('manual')
  manual.error(failure, { end: false, id: 'E1', domain: 'db', category: 'user', details: { x: 1 } })
  assert.ok(manual.isRecording)
  manual.recordException(failure, { 'exception.message': 'other' }, { escaped: true }).end()
  const spans = await recorded()
  for (const record of spans.slice(0, 2)) {
    assert.deepEqual([record.status, record.statusMessage], ['error', 'broken'])
    assert.equal(record.attributes['error.type'], 'TypeError')
    const attributes = record.events[0]?.attributes as Record<string, string>
    assert.deepEqual([attributes['exception.type'], attributes['exception.message']], ['TypeError', 'broken'])
    assert.match(
      attributes['exception.stacktrace'] as string,
      /TypeError: broken.*Caused by: Error: because/s,
    )
  }
  assert.equal(spans[2]?.statusMessage, 'only text')
  assert.equal(spans[3]?.attributes['error.type'], 'E1')
  assert.deepEqual(spans[3]?.attributes['polyspan.error.details'], { x: 1 })
  assert.equal(spans[3]?.events[1]?.attributes['exception.message'], 'other')
})

function raise(error: unknown): never {
  throw error
}

test('a tree ends from its root', async () => {
  const root = span.start('root')
  const child = span.start('child', { parent: root })
  const ended = span.start('ended', { parent: child })
  const deep = span.start('deep', { parent: ended })
  const other = span.start('other')
  ended.end()
  root.endTree()
  assert.ok(!root.isRecording && !child.isRecording && !deep.isRecording && other.isRecording)
  other.end()
  const names = (await recorded()).map((record) => record.name)
  assert.deepEqual(names, ['ended', 'deep', 'child', 'root', 'other'])
})

test('instants', async () => {
  event('happened', { attributes: { a: 1 }, output: 'done', time: 7n })
  const record = await one()
  assert.deepEqual([record.startTime, record.endTime, record.output, record.flags & 8], [7n, 7n, 'done', 8])
})

test('children of what is not sampled cost nothing and are counted', async () => {
  const quiet = init({ service: 'x', name: 'quiet', exporters: [], sampler: 'always_off' })
  await quiet.span('root', async (root) => {
    assert.ok(!root.isRecording && !root.context.isSampled && root.context.isValid)
    assert.equal(currentTraceId(), undefined)
    span('child', (child) => {
      assert.equal(child.traceId, root.traceId)
      child.set('a', 1).update({ output: 1 }).error(new Error('x'))
      span('grandchild', { attributes: { b: 2 } }, () => undefined)
    })
    await sleep(1)
    span('last', () => undefined)
  })
  const counted = quiet.stats()
  assert.ok(counted.addsUp)
  assert.deepEqual([counted.started, counted.ended, counted.unsampled], [4, 4, 4])
  await quiet.shutdown()
  assert.deepEqual(await recorded(), [])
})

test('what changes a span is heeded below one that is not sampled', async () => {
  const quiet = init({ service: 'x', name: 'heeded', exporters: [], sampler: 'always_off' })
  const elsewhere = quiet.start('elsewhere')
  const sampled = engine.start('sampled')
  await quiet.span('root', async (root) => {
    span('its own', { root: true }, (own) => assert.notEqual(own.traceId, root.traceId))
    span('no root', { root: false }, (child) => assert.equal(child.traceId, root.traceId))
    span('adopted', { parent: elsewhere }, (child) => assert.equal(child.traceId, elsewhere.traceId))
    span('for somebody', { userId: 'u' }, () => assert.equal(currentSpan().traceId, root.traceId))
    span('recorded', { parent: sampled }, (child) => assert.ok(child.isRecording))
    engine.span('of the other', (child) => assert.equal(child.traceId, root.traceId))
    const throws = {
      get parent(): undefined {
        throw new Error('a getter')
      },
    }
    span('odd', throws, (child) => assert.equal(child.traceId, root.traceId))
    assert.throws(() => span('fails', () => assert.fail('on purpose')), /on purpose/)
    assert.throws(() => span('nothing', undefined as never), TypeError)
    assert.equal(await span('later', async () => 7), 7)
    const steps = span('steps', async function* () {
      yield currentSpan().traceId
    })
    for await (const id of steps) assert.equal(id, root.traceId)
  })
  const counted = quiet.stats()
  assert.ok(counted.addsUp)
  await quiet.shutdown()
  assert.deepEqual([counted.started, counted.unsampled], [10, 10])
  sampled.end()
  assert.deepEqual(
    (await recorded()).map(({ name }) => name),
    ['its own', 'recorded', 'sampled'],
  )
})

test('too many open spans do not record, and abandoned ones are forgotten', async () => {
  const few = init({ service: 'x', name: 'few', exporters: [], openSpans: 600 })
  const kept = []
  for (let i = 0; i < 601; i++) kept.push(few.start('kept'))
  assert.ok(kept[599]?.isRecording && !kept[600]?.isRecording)
  assert.equal(few.stats().openLimit, 1)
  for (const each of kept) each.end()
  assert.ok(few.start('room again').isRecording)
  for (let i = 0; i < 600; i++) few.start('abandoned')
  // What nobody can end any more is collected at some time.
  for (let i = 0; i < 200 && !few.start('after').isRecording; i++) {
    gc?.()
    await sleep(5)
  }
  assert.ok(few.start('at last').isRecording)
  const counted = few.stats()
  assert.ok(counted.addsUp)
  await few.shutdown()
})

test('spans about which the engine is asked count among the open ones', async () => {
  let answer = true
  const few = init({ service: 'x', name: 'asked', exporters: [], openSpans: 10, sampler: () => answer })
  const remote = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const kept = Array.from({ length: 12 }, (_, at) =>
    few.start('kept', at % 2 === 0 ? {} : { parent: remote }),
  )
  assert.deepEqual(
    kept.map((each) => each.isRecording),
    kept.map((_, at) => at < 10),
  )
  // Context travels on: in the caller's trace, but not as sampled, since nothing below would have a parent.
  assert.deepEqual([kept[11]?.traceId, kept[11]?.context.traceFlags], ['0af7651916cd43dd8448eb211c80319c', 0])
  assert.match(String(kept[10]?.traceId), /^(?!0{32})[0-9a-f]{32}$/)
  assert.equal(few.start('given', { traceId: 'ab' }).traceId, 'ab'.padStart(32, '0'))
  assert.equal(few.stats().openLimit, 3)
  for (const each of kept) each.end()
  // What is not sampled takes no place.
  answer = false
  for (let i = 0; i < 20; i++) few.start('left out').end()
  answer = true
  assert.ok(few.start('room again').isRecording)
  const counted = few.stats()
  assert.ok(counted.addsUp)
  assert.equal(counted.openLimit, 3)
  await few.shutdown()
})

test('a huge span is bounded, and says so', async () => {
  const bounded = init({
    service: 'x',
    name: 'bounded',
    exporter,
    captureSpanBytes: 4096,
    captureValueBytes: 2048,
  })
  const started = bounded.start('huge')
  for (let i = 0; i < 5000; i++) started.set(`key ${i % 3000}`, 'x'.repeat(20))
  for (let i = 0; i < 500; i++) started.event('event', { text: 'x'.repeat(100) })
  started.set('last', 'z'.repeat(10_000_000))
  started.end()
  await bounded.flush()
  const counted = bounded.stats()
  assert.ok(counted.addsUp && counted.altered > 0)
  const record = exporter.take()[0] as SpanRecord
  assert.ok(record.droppedAttributes > 2000 && record.droppedEvents >= 400)
  assert.ok(JSON.stringify(record.attributes).length < 8192)
  await bounded.shutdown()
})

test('engines by name, default and selector', async () => {
  const other = new MemoryExporter()
  const second = init({ service: 'second', name: 'second', exporter: other })
  second.span('here', () => span('follows its parent', () => undefined))
  setSelector((about) => {
    if (about.name === 'throws') throw new Error('no')
    return about.attributes.tenant === 'b' ? 'second' : undefined
  })
  span('of b', { attributes: { tenant: 'b' } }, () => span('inside b', () => undefined))
  span('of a', { attributes: { tenant: 'a' } }, () => undefined)
  span('throws', () => undefined)
  setSelector(undefined)
  setDefault('second')
  span('by default', () => undefined)
  setDefault(engine.name)
  await second.flush()
  const names = other.spans.map((record) => record.name)
  assert.deepEqual(names, ['follows its parent', 'here', 'inside b', 'of b', 'by default'])
  assert.equal(other.spans[0]?.resource['service.name'], 'second')
  await second.shutdown()
  assert.deepEqual(
    (await recorded()).map((record) => record.name),
    ['of a', 'throws'],
  )
  second.span('too late', () => undefined)
  assert.equal(second.stats().addsUp, true)
})

test('what a call got wrong is shown', async () => {
  assert.throws(() => span('no body', {}, undefined as never), /^TypeError: polyspan: .*span\.start\(name\)/)
  span('of a type', { type: 'agnet' }, () => undefined)
  const [without, typed] = await recorded()
  assert.equal(without?.status, 'error')
  assert.equal(typed?.type, 'generic')
  assert.ok(
    said.some((line) => line.startsWith('polyspan: span type "agnet": ')),
    said.join('\n'),
  )
})

test('options that cannot be used are named as they were written', async () => {
  const refused = (options: object, code: string, text: RegExp) =>
    assert.throws(
      () => init({ service: 'x', name: 'refused', ...options }),
      (error: PolyspanError) => {
        assert.equal(error.code, code)
        assert.match(error.message, text)
        return true
      },
    )
  refused({ maxQueueSpans: 'many' }, 'invalid_option', /^maxQueueSpans: /)
  refused({ exporter: { type: 'carrier pigeon' } }, 'invalid_option', /^exporter.*type: /)
  refused({ noSuchOption: 1 }, 'invalid_option', /^options: "noSuchOption" .*\bmaxQueueSpans,.*, spanFilter,/)
  refused({ limits: { noSuchLimit: 1 } }, 'invalid_option', /^limits: "noSuchLimit" .*\bstringLength,/)
  refused({ handleSignals: 'yes' }, 'invalid_option', /^handleSignals: /)
  assert.throws(() => init(5 as never), /^PolyspanError: service: "5" is not usable/)
  init({ service: 'x', name: 'taken', exporters: [] })
  assert.throws(
    () => init({ service: 'y', name: 'taken', exporters: [] }),
    (error: PolyspanError) => error.code === 'already_initialized',
  )
  assert.equal(init({ service: 'x', name: 'taken', exporters: [] }).name, 'taken')
  await init({ service: 'y', name: 'taken', exporters: [], replace: true }).shutdown()
  await assert.rejects(engine.flush({ timeout: -1 }), /timeout/)
})

test('a flush keeps its deadline and says what is left', async () => {
  const slow = init({ service: 'x', name: 'slow', endpoint: 'http://127.0.0.1:9', scheduleDelay: 0 })
  slow.span('lost', () => undefined)
  await assert.rejects(slow.flush({ timeout: 0.05 }), (error: PolyspanError) => {
    assert.equal(error.code, 'deadline_exceeded')
    return true
  })
  await assert.rejects(slow.shutdown({ timeout: 0.05 }))
  const counted = slow.stats()
  assert.ok(counted.addsUp)
  assert.equal(counted.ended, 1)
})

test('before init nothing is recorded and everything works', async () => {
  await shutdown()
  assert.equal(stats().ended, 0)
  const result = await span('nothing', async (none) => {
    none.set('a', 1).update({ input: 1 }).event('x').error(new Error('x')).end()
    assert.ok(!none.isRecording)
    return context({ sessionId: 's' }, () => span('inner', () => 42))
  })
  assert.equal(result, 42)
  const remote = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
  span('stands for its parent', { parent: remote }, (standing) =>
    assert.equal(standing.traceId, '1'.repeat(32)),
  )
  engine = init('tests', { exporter })
  span('again', () => undefined)
  assert.equal((await one()).name, 'again')
})

test('times beyond all dates, and options that cannot be read', async () => {
  const started = span.start('beyond', { startTime: new Date(1700000000000) })
  started.end(1e305)
  // Nanoseconds as a number, where milliseconds are expected.
  span.start('nanoseconds').end(Date.now() * 1e6)
  const odd = Object.create(null) as never
  span(
    'ids',
    { sessionId: odd, userId: null as never, tags: null as never, metadata: null as never },
    () => 1,
  )
  const throws = {
    get sessionId(): never {
      throw new Error('no session')
    },
  }
  assert.equal(
    span('getter', throws, () => 2),
    2,
  )
  const nothing = {
    baggage: null,
    tags: null,
    metadata: null,
    attributes: null,
    requestContext: null,
  } as never
  assert.equal(
    context(nothing, () => 3),
    3,
  )
  assert.equal(
    context(throws, () => 4),
    4,
  )
  const spans = await recorded()
  assert.deepEqual(spans.map(({ name }) => name).sort(), ['beyond', 'getter', 'ids', 'nanoseconds'])
  const now = BigInt(Date.now()) * 1000000n
  for (const { name, endTime } of spans) assert.ok((endTime ?? 0n) < now + 10n ** 12n, name)
})
