// Metrics of spans: the vectors that every language replays, and spans that sampling leaves out.

import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { afterEach, test } from 'node:test'
import {
  type Engine,
  type InitOptions,
  init,
  MemoryExporter,
  type MetricPoint,
  type Span,
  span,
  traced,
} from 'polyspan'
import { type Json, vectors } from './vectors'

const CALLS = 'traces.span.metrics.calls'
const file = vectors('metrics.json')
const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const running: Engine[] = []

/** Starts an engine with metrics, which is stopped at the end of the test. */
function started(options: InitOptions = {}): { engine: Engine; memory: MemoryExporter } {
  const memory = new MemoryExporter()
  const engine = init('tests', { exporter: memory, metrics: true, replace: true, ...options })
  running.push(engine)
  return { engine, memory }
}

afterEach(async () => {
  for (const engine of running.splice(0)) {
    await engine.shutdown()
    const stats = engine.stats()
    assert.ok(stats.addsUp)
    assert.equal(stats.panics, 0)
    assert.equal(stats.started, stats.ended)
  }
})

/** A data point as the vectors have it, with as much of a histogram as is expected. */
function shown(point: MetricPoint, expected: Json[]): Json {
  const found: Json = { metric: point.name, labels: point.attributes }
  const rounded = Number(point.value.toFixed(9))
  if (point.count === undefined) return { ...found, value: rounded }
  const same = expected.filter(({ labels }) => sorted(labels) === sorted(point.attributes))
  const buckets = same.some((other) => 'buckets' in other)
  const { bounds } = point
  return {
    ...found,
    count: point.count,
    sum: rounded,
    ...(buckets ? { buckets: point.buckets, bounds } : {}),
  }
}

/** Plain data as text that does not depend on the order of keys. */
function sorted(given: Json): string {
  return JSON.stringify(given, (_, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}

function record(entry: Json, engine: Engine): void {
  const at = BigInt(file.start)
  const opened = new Map<number, Span>()
  const begin = (place: number): Span => {
    const known = opened.get(place)
    if (known) return known
    const { name, type, kind, internal, parent } = entry.spans[place]
    const above = parent === undefined ? { root: true } : { parent: begin(parent) }
    const span = engine.start(name, { type, kind, internal, startTime: at, ...above })
    opened.set(place, span)
    return span
  }
  entry.spans.forEach((given: Json, place: number) => {
    const span = begin(place)
    span.update({ attributes: given.attributes, metadata: given.metadata })
    if (given.status) span.status(given.status)
    if (given.renamed) span.rename(given.renamed)
    span.end(at + BigInt(Math.round(given.seconds * 1e9)))
  })
}

for (const entry of file.cases as Json[]) {
  test(`metrics: ${entry.name}`, async () => {
    const options = Object.entries(entry.options ?? {}).map(([name, value]) => [camel(name), value])
    const { engine, memory } = started(Object.fromEntries(options))
    record(entry, engine)
    await engine.flush()
    const points = memory.metrics
    for (const name of new Set<string>(entry.points.map((point: Json) => point.metric))) {
      const expected = entry.points.filter((point: Json) => point.metric === name)
      const found = points.filter((point) => point.name === name).map((point) => shown(point, expected))
      assert.deepEqual(found.map(sorted).sort(), expected.map(sorted).sort(), name)
    }
    const units = Object.fromEntries(points.map((point) => [point.name, point.unit]))
    for (const name of entry.absent ?? []) assert.ok(!(name in units), name)
    for (const [name, unit] of Object.entries(entry.unit ?? {})) assert.equal(units[name], unit)
    const { spans, overflowed, missed } = engine.stats().metrics
    assert.deepEqual([spans, overflowed, missed], [entry.spans.length, entry.overflowed ?? 0, {}])
    assert.equal(memory.spans.length, entry.exported ?? entry.spans.length)
  })
}

function calls(memory: MemoryExporter): Record<string, number> {
  const points = memory.metrics.filter((point) => point.name === CALLS)
  return Object.fromEntries(
    points.map(({ attributes, value }) => {
      const { 'span.name': name, 'polyspan.span.type': type, 'status.code': status } = attributes
      return [`${name} ${type} ${String(status).replace('STATUS_CODE_', '')}`, value]
    }),
  )
}

test('spans that sampling leaves out count however they are recorded', async () => {
  const { engine, memory } = started({ sampler: 'parentbased_always_off' })
  const works = traced('works', () => span('inside', { type: 'tool' }, (inner) => inner.set('a', 1)))
  const fails = traced('fails', async () => {
    throw new Error('no')
  })
  await span('outer', async (outer) => {
    works()
    await assert.rejects(fails())
    const inner = span.start('inner')
    inner.update({ name: 'renamed', attributes: { a: {} } })
    inner.status('error', 'why').end()
    assert.equal(outer.isRecording, false)
    assert.equal(inner.traceId, outer.traceId)
    assert.notEqual(inner.spanId, outer.spanId)
  })
  const stream = span('streams', () => Readable.from(['a', 'b']))
  stream.resume()
  await finished(stream)
  await finished(span('piped', () => new PassThrough().end('x')).resume(), { readable: true })
  await engine.flush()
  assert.deepEqual(calls(memory), {
    'outer generic UNSET': 1,
    'works generic UNSET': 1,
    'inside tool UNSET': 1,
    'fails generic ERROR': 1,
    'renamed generic ERROR': 1,
    'streams generic UNSET': 1,
    'piped generic UNSET': 1,
  })
  assert.deepEqual([memory.spans.length, engine.stats().unsampled], [0, 7])
})

test('a sampler that is asked leaves out spans that count too', async () => {
  const { engine, memory } = started({ sampler: () => false })
  engine.start('asked', { type: 'agent', kind: 'client' }).end()
  engine.start('second').error(new TypeError('x'))
  await engine.flush()
  assert.deepEqual(calls(memory), { 'asked agent UNSET': 1, 'second generic ERROR': 1 })
  assert.deepEqual([engine.stats().started, engine.stats().unsampled], [2, 2])
})

test('their durations are those of the spans', async () => {
  const { engine, memory } = started({ sampler: 0 })
  engine.start('timed', { startTime: 1_767_225_600_000_000_000n }).end(1_767_225_601_500_000_000n)
  engine.start('backwards', { startTime: 1_767_225_600_000_000_000n }).end(1n)
  await engine.flush()
  const durations = memory.metrics.filter((point) => point.name === 'traces.span.metrics.duration')
  const sums = Object.fromEntries(durations.map(({ attributes, value }) => [attributes['span.name'], value]))
  assert.deepEqual(sums, { timed: 1.5, backwards: 0 })
})

test('without the option there are none, and children of a span that is left out share one object', async () => {
  const { engine, memory } = started({ metrics: false, sampler: 0 })
  span('outer', { root: true }, () => {
    assert.equal(span.start('one'), span.start('two'))
  })
  await engine.flush()
  assert.deepEqual([memory.metrics, engine.stats().metrics.collected], [[], 0])
})
