// `inject`, `extract` and ids, by the vectors.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  baggage,
  context,
  type Engine,
  extract,
  init,
  inject,
  MemoryExporter,
  SpanContext,
  setLogger,
  span,
} from 'polyspan'
import { type Json, text, vectors } from './vectors'

let engine: Engine
before(() => {
  setLogger(() => undefined)
  engine = init({ service: 'tests', exporter: new MemoryExporter() })
})
after(() => engine.shutdown())

const headers = (pairs: Json[]): [Json, Json][] => pairs.map(([name, value]) => [text(name), text(value)])

for (const entry of vectors('ids.json').cases as Json[]) {
  test(`id: ${entry.name}`, () => {
    const given = text(entry.text)
    if (entry.kind === 'span') {
      const found = SpanContext.of({ traceId: '1', spanId: given })
      assert.equal(found.isValid, entry.error === undefined || entry.error === null)
      if (!entry.error) assert.equal(found.spanId, entry.id)
      return
    }
    const started = span.start('x', { traceId: given })
    assert.match(started.traceId, /^[0-9a-f]{32}$/)
    assert.notEqual(started.traceId, '0'.repeat(32))
    if (!entry.error) assert.equal(started.traceId, entry.id)
    started.end()
  })
}

for (const entry of vectors('traceparent.json').cases as Json[]) {
  test(`traceparent: ${entry.name}`, () => {
    const found = extract(headers(entry.headers))
    if (entry.span === null) {
      assert.equal(found.spanContext, undefined)
      return
    }
    const { traceId, spanId, traceFlags } = found.spanContext as SpanContext
    assert.deepEqual({ trace_id: traceId, span_id: spanId, flags: traceFlags }, entry.span)
    const written: Record<string, string> = inject({}, { context: found })
    assert.equal(written.traceparent, text(entry.written))
  })
}

for (const entry of (vectors('tracestate.json').cases as Json[]).filter((entry) => !entry.steps?.length)) {
  test(`tracestate: ${entry.name}`, () => {
    const found = extract(headers(entry.headers))
    assert.equal(found.spanContext !== undefined, entry.found)
    if (found.spanContext === undefined) return
    const members = found.spanContext.traceState.split(',').filter(Boolean)
    assert.deepEqual(
      members.map((member) => [member.slice(0, member.indexOf('=')), member.slice(member.indexOf('=') + 1)]),
      entry.members.map((member: Json) => member.map(text)),
    )
    const written: Record<string, string> = inject({}, { context: found })
    assert.equal(written.tracestate ?? null, text(entry.written))
  })
}

const joined = (entries: Json[]): Record<string, string> =>
  Object.fromEntries(
    entries.map(([key, value, properties]) => [
      text(key),
      text(properties) ? `${text(value)};${text(properties)}` : text(value),
    ]),
  )

for (const entry of vectors('baggage.json').extract as Json[]) {
  test(`baggage is read: ${entry.name}`, () => {
    const found = extract(headers(entry.headers))
    assert.deepEqual(found.baggage, joined(entry.entries))
    const written: Record<string, string> = inject({}, { context: found })
    assert.equal(written.baggage ?? null, text(entry.written))
  })
}

for (const entry of vectors('baggage.json').inject as Json[]) {
  const given = joined(entry.entries)
  const repeated = Object.keys(given).length !== entry.entries.length
  const refused = entry.refused && entry.entries.some(([, , properties]: Json) => properties)
  // An object of texts cannot say the same name twice, nor which part of a value is a property.
  if (repeated || refused) continue
  test(`baggage is written: ${entry.name}`, () => {
    context({ baggage: given }, () => {
      const written: Record<string, string> = inject({})
      assert.equal(written.baggage ?? null, text(entry.written))
    })
  })
}

function carrier(kind: string, entries: Json[]): Json {
  const pairs = headers(entries)
  return kind === 'pairs' ? pairs : Object.fromEntries(pairs)
}

for (const entry of vectors('carriers.json').extract as Json[]) {
  test(`carrier is read: ${entry.name}`, () => {
    const held = carrier(entry.kind, entry.entries)
    const variable = (name: string): string => name.toUpperCase().replaceAll('-', '_')
    const getter =
      entry.kind === 'environment'
        ? (carried: Json, name: string) => carried[variable(name)]
        : (carried: Json, name: string) => carried[name]
    const found = ['environment', 'functions'].includes(entry.kind)
      ? extract(held, { getter })
      : extract(held)
    if (entry.span === null) {
      assert.equal(found.spanContext, undefined)
    } else {
      const { traceId, spanId, traceFlags, traceState } = found.spanContext as SpanContext
      assert.deepEqual([traceId, spanId], [entry.span.trace_id, entry.span.span_id])
      assert.deepEqual([traceFlags, traceState], [entry.span.flags, entry.span.tracestate ?? ''])
    }
    assert.deepEqual(found.baggage, Object.fromEntries(headers(entry.baggage)))
  })
}

for (const entry of vectors('carriers.json').inject as Json[]) {
  const before = carrier(entry.kind, entry.before)
  const after = carrier(entry.kind, entry.after)
  if (!['map', 'multi_map', 'pairs'].includes(entry.kind)) continue
  // An empty object does not show that it holds lists.
  if (entry.kind === 'multi_map' && entry.before.length === 0) continue
  test(`carrier is written: ${entry.name}`, () => {
    const incoming: Record<string, string> = {}
    if (entry.span !== null) {
      const flags = entry.span.flags.toString(16).padStart(2, '0')
      incoming.traceparent = `00-${entry.span.trace_id}-${entry.span.span_id}-${flags}`
      incoming.tracestate = entry.span.tracestate ?? ''
    }
    context({ parent: extract(incoming), baggage: Object.fromEntries(headers(entry.baggage)) }, () => {
      assert.deepEqual(inject(before), after)
    })
  })
}

test('carriers of the platform', () => {
  span('x', (current) => {
    const traceparent = `00-${current.traceId}-${current.spanId}-03`
    const web = inject(new Headers({ accept: '*/*' }))
    assert.equal(web.get('traceparent'), traceparent)
    assert.equal(inject(new Map()).get('traceparent'), traceparent)
    assert.equal(extract(web).spanContext?.spanId, current.spanId)
    assert.equal(extract(['Accept', '*/*', 'TraceParent', traceparent]).spanContext?.spanId, current.spanId)
    assert.equal(extract({ Traceparent: Buffer.from(traceparent) }).spanContext?.spanId, current.spanId)
    const grpc = inject([['authorization', 'none']] as [string, string][])
    assert.deepEqual(grpc[1], ['traceparent', traceparent])
    try {
      inject(process.env)
      assert.equal(process.env.TRACEPARENT, traceparent)
      assert.equal(extract(process.env).spanContext?.spanId, current.spanId)
    } finally {
      delete process.env.TRACEPARENT
    }
  })
})

test('a carrier that fails changes nothing', () => {
  const broken = new Proxy(
    {},
    {
      get() {
        throw new Error('no')
      },
      set() {
        throw new Error('no')
      },
      ownKeys() {
        throw new Error('no')
      },
    },
  )
  span('x', () => {
    assert.equal(inject(broken), broken)
    assert.equal(extract(broken).spanContext, undefined)
    for (const none of [null, undefined, 5, 'text']) {
      inject(none)
      assert.equal(extract(none).spanContext, undefined)
    }
    assert.deepEqual(inject(Object.freeze({})), {})
  })
})

test('a context without its function says what is missing', () => {
  const wrong = context as (...args: unknown[]) => unknown
  for (const args of [[{ sessionId: 's' }], [() => 1], []])
    assert.throws(() => wrong(...args), /TypeError: polyspan: context\(options, body\) is given the function/)
})

test('baggage travels inside its context only', () => {
  context({ baggage: { tenant: 'acme' } }, () => {
    context({ baggage: { plan: 'pro' } }, () => assert.deepEqual(baggage(), { tenant: 'acme', plan: 'pro' }))
    assert.deepEqual(baggage(), { tenant: 'acme' })
  })
  assert.deepEqual(baggage(), {})
})
