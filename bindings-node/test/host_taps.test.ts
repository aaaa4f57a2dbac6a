// Processors and the span filter, and the order of the stages by the vectors that every language replays.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FinishedSpan, type InitOptions, init, MemoryExporter, type Span, setLogger } from 'polyspan'
import { type Json, vectors } from './vectors'

setLogger(() => undefined)

const PROCESSORS: Record<string, (span: FinishedSpan) => FinishedSpan | undefined> = {
  fails(span) {
    span.attributes.half = true
    throw new Error('half-way')
  },
  becomes_tool(span) {
    span.type = 'tool'
    return span
  },
  first(span) {
    span.attributes.order = `${span.attributes.order ?? ''} first`.trim()
    return span
  },
  second(span) {
    span.attributes.order = `${span.attributes.order ?? ''} second`.trim()
    return span
  },
  drops_health: (span) => (span.name === 'GET /healthz' ? undefined : span),
  copies_password(span) {
    span.attributes.length = String(span.attributes.password ?? '').length
    return span
  },
  counts_input(span) {
    span.attributes.length = String(span.input ?? '').length
    return span
  },
  adds_password(span) {
    span.attributes.password = 'hunter2'
    return span
  },
  adds_text(span) {
    span.output = 'abcdefghijklmnopqrstuvwxyz'
    return span
  },
}

const FILTERS: Record<string, (span: FinishedSpan) => boolean> = {
  fails() {
    throw new Error('no')
  },
  keeps_redacted: (span) => span.attributes.password === '[REDACTED]',
  keeps_short: (span) => String(span.output).length < 20,
  no_noise: (span) => span.name !== 'noise',
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1)

for (const entry of vectors('pipeline.json').cases as Json[]) {
  test(`pipeline: ${entry.name}`, async () => {
    const memory = new MemoryExporter()
    const options: InitOptions = { service: 'vectors', name: 'vectors', exporter: memory, replace: true }
    for (const [name, value] of Object.entries(entry.options ?? {})) options[camel(name)] = value
    if (entry.processors) options.processors = entry.processors.map((name: string) => PROCESSORS[name])
    if (entry.filter) options.spanFilter = FILTERS[entry.filter] as () => boolean
    const engine = init(options)
    const opened: Span[] = []
    for (const { name, output, parent, ...fields } of entry.spans) {
      const above = parent === undefined ? { root: true } : { parent: opened[parent] }
      const given = Object.fromEntries(Object.entries(fields).map(([key, value]) => [camel(key), value]))
      const span = engine.start(name, { ...given, ...above })
      if (output !== undefined) span.update({ output })
      opened.push(span)
    }
    for (const span of opened.toReversed()) span.end()
    await engine.shutdown()
    const stats = engine.stats()
    assert.ok(stats.addsUp)
    const spans = memory.spans.sort(byName)
    const names = new Map(spans.map((span) => [span.spanId, span.name]))
    const found = spans.map(({ name, attributes, metadata, input, output, parentSpanId }) => ({
      ...{ name, attributes, metadata, input, output, parent: names.get(parentSpanId ?? '') },
    }))
    const absent = { attributes: {}, metadata: {}, input: undefined, output: undefined, parent: undefined }
    const wanted = entry.exported.map(({ type, ...rest }: Json) => ({ ...absent, ...rest }))
    assert.deepEqual(found, wanted)
    spans.forEach((span, at) => {
      assert.equal(span.type, entry.exported[at].type ?? span.type)
    })
    if (entry.calls) {
      const calls = memory.metrics.filter((point) => point.name === 'traces.span.metrics.calls')
      const counted = calls.map(({ attributes, value }) => [
        `${attributes['span.name']} ${attributes['polyspan.span.type']}`,
        value,
      ])
      assert.deepEqual(Object.fromEntries(counted), entry.calls)
    }
    for (const [name, count] of Object.entries(entry.counts ?? {})) {
      assert.equal((stats as unknown as Record<string, unknown>)[camel(name)], count, name)
    }
  })
}

async function processed(
  process: (span: FinishedSpan) => unknown,
  record: (span: Span) => void = () => undefined,
): Promise<{ memory: MemoryExporter; hostErrors: number }> {
  const memory = new MemoryExporter()
  const processors = [process as (span: FinishedSpan) => FinishedSpan]
  const engine = init('tests', { name: 'processed', replace: true, exporter: memory, processors })
  const span = engine.start('work', {
    attributes: { half: 0.5, whole: 2.0, text: 'x' },
    input: { a: [1, 2.5] },
  })
  record(span)
  span.end()
  await engine.shutdown()
  assert.ok(engine.stats().addsUp)
  return { memory, hostErrors: engine.stats().hostErrors }
}

test('everything but identity can be changed', async () => {
  const { memory } = await processed(
    (span) => {
      span.name = 'renamed'
      span.kind = 'client'
      span.status = 'error'
      span.statusMessage = 'why'
      span.startTime = span.startTime - 5n
      span.endTime = (span.startTime as bigint) + 1000n
      span.metadata = { tier: 'gold' }
      span.tags = ['beta']
      span.events.push({ name: 'added', attributes: { n: 1n } })
      span.links.push({ context: span.context, attributes: { own: true } })
      span.output = new Map([['a', new Date(0)]])
      delete span.attributes.text
      return span
    },
    (span) => span.event('first', { k: 1.5 }),
  )
  const [span] = memory.spans
  assert.ok(span)
  assert.deepEqual([span.name, span.kind, span.status], ['renamed', 'client', 'error'])
  assert.deepEqual([span.statusMessage, span.endTime - span.startTime], ['why', 1000n])
  assert.deepEqual([span.metadata, span.tags], [{ tier: 'gold' }, ['beta']])
  assert.deepEqual(
    span.events.map(({ name, attributes }) => [name, attributes]),
    [
      ['first', { k: 1.5 }],
      ['added', { n: 1 }],
    ],
  )
  assert.deepEqual([span.links[0]?.spanId, span.links[0]?.attributes], [span.spanId, { own: true }])
  assert.deepEqual(span.output, { a: '1970-01-01T00:00:00.000Z' })
  assert.deepEqual(span.attributes, { half: 0.5, whole: 2 })
})

test('values of a wrong form are refused where they are set', async () => {
  const refused: string[] = []
  await processed((span) => {
    const tries: (() => void)[] = [
      () => {
        span.type = 'nothing known'
      },
      () => {
        span.kind = 'loud'
      },
      () => {
        span.status = 'bad' as never
      },
      () => {
        span.attributes = 7 as never
      },
      () => {
        span.endTime = 'soon' as never
      },
    ]
    for (const attempt of tries) {
      try {
        attempt()
      } catch (error) {
        refused.push((error as Error).message)
      }
    }
    return span
  })
  assert.deepEqual(refused, [
    'type: nothing known is no span type',
    'kind: loud is none of internal, server, client, producer, consumer',
    'status: bad is none of unset, ok, error',
    'attributes: an object is expected',
    'endTime: soon is no time',
  ])
})

test('a result that is neither the span nor nothing is counted, and the span goes on', async () => {
  for (const result of [true, 'span', {}]) {
    const { memory, hostErrors } = await processed(() => result)
    assert.deepEqual([memory.spans.length, hostErrors], [1, 1])
  }
})

test('links that name nothing leave the span as it was', async () => {
  const { memory, hostErrors } = await processed((span) => {
    span.name = 'changed'
    span.links.push({ context: 'nonsense' })
    return span
  })
  assert.deepEqual([memory.spans[0]?.name, hostErrors], ['work', 1])
})

test('processors may wait, and have a flush and a shutdown', async () => {
  const calls: string[] = []
  const memory = new MemoryExporter()
  const engine = init('tests', {
    name: 'waiting',
    exporter: memory,
    processors: [
      {
        async process(span) {
          await new Promise(setImmediate)
          span.attributes.waited = true
          return span
        },
        async flush() {
          await null
          calls.push('flush')
        },
        shutdown: () => calls.push('shutdown'),
      },
      async (span) => (span.name === 'left out' ? null : span),
    ],
  })
  engine.start('kept').end()
  engine.start('left out').end()
  await engine.flush()
  assert.deepEqual(calls, ['flush'])
  await engine.shutdown()
  assert.deepEqual(calls.at(-1), 'shutdown')
  assert.deepEqual(
    memory.spans.map(({ name, attributes }) => [name, attributes]),
    [['kept', { waited: true }]],
  )
  assert.equal(engine.stats().filtered, 1)
})
