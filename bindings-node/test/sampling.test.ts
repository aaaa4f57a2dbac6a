// Samplers, by the vectors and as functions.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  context,
  currentSpan,
  init,
  inject,
  MemoryExporter,
  type PolyspanError,
  type SpanAbout,
  SpanContext,
  setLogger,
  span,
} from 'polyspan'
import { type Json, vectors } from './vectors'

setLogger(() => undefined)

for (const entry of vectors('sampling.json').cases as Json[]) {
  const given = entry.input
  const { parent } = given
  const above =
    parent &&
    SpanContext.of({
      traceId: given.trace_id,
      spanId: parent.span_id,
      traceFlags: parent.sampled ? 1 : 0,
      traceState: parent.tracestate,
      isRemote: parent.remote,
    })
  // A root is given its trace id by itself.
  if (parent && !above.isValid) continue
  test(`sampling: ${entry.name}`, async () => {
    const engine = init({
      service: 'x',
      name: 'sampled',
      exporters: [],
      replace: true,
      sampler: entry.sampler,
    })
    try {
      const started = context({ requestContext: given.request_context }, () =>
        span.start(given.span_name ?? 'span', {
          kind: given.kind,
          type: given.span_type,
          attributes: given.attributes,
          parent: above,
          traceId: given.trace_id,
        }),
      )
      const { decision, tracestate } = entry.expected
      assert.equal(started.isRecording, decision !== 'drop')
      assert.equal(started.context.isSampled, decision === 'record_and_sample')
      assert.equal(started.context.traceState, tracestate)
      started.end()
      const stats = engine.stats()
      assert.ok(stats.addsUp)
      assert.equal(stats.ended, 1)
    } finally {
      await engine.shutdown({ timeout: 5 })
    }
  })
}

/** A sampler whose clock stands still for a test: a thousand times slower, with as much at once. */
function slowed(given: Json): Json {
  if (typeof given !== 'object' || given === null) return given
  if (given.type !== 'rate_limited')
    return Object.fromEntries(Object.entries(given).map(([name, part]) => [name, slowed(part)]))
  const { per_second: perSecond, burst = perSecond } = given
  return { ...given, per_second: perSecond / 1000, burst }
}

for (const { name, sampler, steps } of vectors('sampling.json').sequences as Json[]) {
  // A program does not choose what time it is; what is asked at one moment can be asked here.
  const moment = steps.findIndex((step: Json) => step.now_nanos !== steps[0].now_nanos)
  test(`sampling in turn: ${name}`, async () => {
    const options = { exporters: [], replace: true, sampler: slowed(sampler) }
    const engine = init('x', { name: 'sampled', ...options })
    try {
      for (const [at, { parent, expected }] of steps.slice(0, moment < 0 ? undefined : moment).entries()) {
        const above =
          parent &&
          SpanContext.of({
            traceId: '0123456789abcdef0180000000000000',
            spanId: parent.span_id,
            traceFlags: parent.sampled ? 1 : 0,
            traceState: parent.tracestate,
            isRemote: parent.remote,
          })
        const { context: found } = engine.start('span', { parent: above })
        assert.equal(found.isSampled, expected.decision === 'record_and_sample', `step ${at}`)
        assert.equal(found.traceState, expected.tracestate, `step ${at}`)
      }
    } finally {
      await engine.shutdown({ timeout: 5 })
    }
  })
}

for (const entry of vectors('sampling.json').invalid as Json[]) {
  // Not given at all.
  if (entry.sampler === null) continue
  test(`sampler is refused: ${JSON.stringify(entry.sampler)}`, () => {
    assert.throws(
      () => init({ service: 'x', name: 'refused', exporters: [], sampler: entry.sampler }),
      (error: PolyspanError) =>
        error.code === 'invalid_option' && error.message.toLowerCase().includes(plain(entry.names)),
    )
  })
}

/** Names of options differ in their spelling. */
function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase()
}

test('a trace that is not sampled is counted and goes along', async () => {
  const engine = init({ service: 'x', name: 'unsampled', exporters: [], sampler: 0 })
  const root = engine.span('root', (root) => {
    assert.equal(root.isRecording, false)
    engine.span('child', (child) => {
      assert.equal(currentSpan().traceId, root.traceId)
      assert.match(
        inject<Record<string, string>>({}).traceparent ?? '',
        new RegExp(`^00-${root.traceId}-.*-0[02]$`),
      )
      child.set('a', 1).error(new Error('is nowhere'))
      // The one around it stays current.
      currentSpan().end()
      assert.equal(currentSpan().traceId, root.traceId)
    })
    return root
  })
  root.end()
  engine.start('never ended')
  const stats = engine.stats()
  assert.ok(stats.addsUp)
  assert.deepEqual([stats.started, stats.ended, stats.unsampled, stats.endedTwice], [3, 3, 3, 0])
  await engine.shutdown()
})

test('what is around a span goes along in a trace that is not sampled', async () => {
  const engine = init({ service: 'x', name: 'unsampled around', exporters: [], sampler: 0 })
  const sent = () => inject<Record<string, string>>({}).baggage
  engine.span('root', (root) => {
    context({ baggage: { tenant: 'acme' } }, () => {
      span('child', (child) => {
        assert.deepEqual([child.traceId, sent()], [root.traceId, 'tenant=acme'])
        span('grandchild', () => assert.equal(sent(), 'tenant=acme'))
        context({ baggage: { tier: 'gold' } }, () =>
          span('grandchild', { type: 'tool' }, () => assert.equal(sent(), 'tenant=acme,tier=gold')),
        )
        assert.equal(sent(), 'tenant=acme')
      })
    })
    span('later', () => assert.equal(sent(), undefined))
  })
  const stats = engine.stats()
  assert.deepEqual([stats.started, stats.ended, stats.unsampled], [5, 5, 5])
  await engine.shutdown()
})

test('a function decides about roots', async () => {
  const asked: SpanAbout[] = []
  const exporter = new MemoryExporter()
  const engine = init({
    service: 'x',
    name: 'by function',
    exporter,
    sampler: (about) => {
      asked.push(about)
      if (about.name === 'throws') throw new Error('no')
      return ({ sample: true, drop: undefined, only: 'record', broken: '?' } as Json)[about.name]
    },
  })
  engine.span('sample', { type: 'tool', kind: 'client', attributes: { a: 1 } }, () => {
    engine.span('child', () => undefined)
  })
  engine.span('drop', (dropped) => assert.ok(!dropped.isRecording))
  engine.span('only', (only) => assert.ok(only.isRecording && !only.context.isSampled))
  engine.span('broken', () => undefined)
  engine.span('throws', () => undefined)
  await engine.flush()
  const stats = engine.stats()
  assert.ok(stats.addsUp)
  assert.equal(stats.panics, 2)
  await engine.shutdown()
  assert.deepEqual(
    exporter.spans.map((record) => record.name),
    ['child', 'sample', 'broken', 'throws'],
  )
  assert.deepEqual(asked[0]?.attributes, { a: 1 })
  assert.deepEqual([asked[0]?.name, asked[0]?.type, asked[0]?.kind], ['sample', 'tool', 'client'])
  assert.deepEqual(
    asked.map((about) => about.name),
    ['sample', 'drop', 'only', 'broken', 'throws'],
  )
})

test('roots that are drawn ahead are sampled as the engine says', async () => {
  const exporter = new MemoryExporter()
  const engine = init({ service: 'x', name: 'ratio', exporter, sampler: { type: 'ratio', ratio: 0.25 } })
  for (let i = 0; i < 2000; i++) engine.span('root', () => engine.span('child', () => undefined))
  await engine.flush()
  const stats = engine.stats()
  assert.ok(stats.addsUp)
  assert.equal(stats.ended, 4000)
  assert.equal(stats.exported + stats.unsampled, 4000)
  assert.ok(stats.exported > 600 && stats.exported < 1400, `${stats.exported}`)
  assert.ok(exporter.spans.every((record) => record.traceState === 'ot=th:c'))
  await engine.shutdown()
})
