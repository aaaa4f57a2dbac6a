// What the engine makes of spans that TypeScript recorded: limits, redaction and names on the wire, by the vectors.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Engine, init, MemoryExporter, type PolyspanError, setLogger } from 'polyspan'
import { camel, type Json, map, only, pairs, text, told, value, vectors } from './vectors'

setLogger(() => undefined)

for (const entry of vectors('limits.json').cases as Json[]) {
  test(`limits: ${entry.name}`, async () => {
    const exporter = new MemoryExporter()
    const engine = init({ service: 'x', name: 'limits', exporter, replace: true, ...camel(entry.options) })
    try {
      const { span: given, kept } = entry
      const span = engine.start('x', { input: given.input === undefined ? undefined : value(given.input) })
      if (given.attributes) span.set(map(given.attributes))
      if (given.metadata) span.update({ metadata: map(given.metadata) })
      for (const event of given.events ?? []) span.event(event.name, map(event.attributes ?? []))
      if (given.status_message !== undefined) span.status('error', text(given.status_message))
      if (given.output !== undefined) span.update({ output: value(given.output) })
      span.end()
      await engine.flush()
      const stats = engine.stats()
      assert.ok(stats.addsUp)
      if (entry.limited === undefined) assert.ok(stats.limited > 0)
      else assert.equal(stats.limited, entry.limited)
      const record = only(exporter)
      if (kept === undefined) return
      assert.deepEqual(told(record.attributes), pairs(kept.attributes ?? []))
      assert.deepEqual(told(record.metadata), pairs(kept.metadata ?? []))
      assert.deepEqual(told(record.input), kept.input === undefined ? undefined : told(value(kept.input)))
      assert.deepEqual(told(record.output), kept.output === undefined ? undefined : told(value(kept.output)))
      assert.equal(record.statusMessage, text(kept.status_message ?? ''))
      const events = (kept.events ?? []).map((event: Json) => [event.name, pairs(event.attributes ?? [])])
      assert.deepEqual(
        record.events.map((event) => [event.name, told(event.attributes)]),
        events,
      )
    } finally {
      await engine.shutdown()
    }
  })
}

for (const entry of vectors('limits.json').errors as Json[]) {
  test(`limits are refused: ${JSON.stringify(entry.options)}`, () => {
    assert.throws(
      () => init({ service: 'x', name: 'refused', exporters: [], ...camel(entry.options) }),
      (error: PolyspanError) => {
        const option = entry.option.replace(/_([a-z])/g, (_: string, letter: string) => letter.toUpperCase())
        assert.equal(error.code, 'invalid_option')
        assert.ok(error.message.startsWith(option), error.message)
        return true
      },
    )
  })
}

function noted(entry: Json): [key: string, given: Json, expected: Json] {
  const given = entry.text ?? entry.value
  return [entry.key ?? 'note', given, 'expected' in entry ? entry.expected : given]
}

async function replay(entries: Json[], engine: Engine, exporter: MemoryExporter): Promise<void> {
  exporter.clear()
  for (const entry of entries) {
    const [key, given] = noted(entry)
    const span = engine.start('x', {
      attributes: { [key]: given },
      input: { [key]: given },
      metadata: { [key]: given },
    })
    span
      .event('y', { [key]: given })
      .update({ output: [given] })
      .end()
  }
  await engine.flush()
  const records = exporter.take()
  assert.equal(records.length, entries.length)
  entries.forEach((entry, at) => {
    const [key, , expected] = noted(entry)
    const record = records[at]
    const found = [record?.attributes[key], record?.metadata[key], record?.events[0]?.attributes[key]]
    for (const one of found) assert.deepEqual(told(one), told(expected), entry.name)
    assert.deepEqual(told(record?.input), { [key]: told(expected) }, entry.name)
    if ('text' in entry) assert.deepEqual(told(record?.output), [told(expected)], entry.name)
  })
}

const redaction = vectors('redaction.json')
for (const part of ['redacted', 'left']) {
  test(`redaction: what is ${part}`, async () => {
    const exporter = new MemoryExporter()
    const engine = init({ service: 'x', name: 'redaction', exporter, replace: true })
    // Null is no value of an attribute that was given.
    await replay(
      redaction[part].filter((entry: Json) => noted(entry)[1] !== null),
      engine,
      exporter,
    )
    await engine.shutdown()
  })
}

for (const entry of redaction.configured as Json[]) {
  test(`redaction as configured: ${entry.name}`, async () => {
    const exporter = new MemoryExporter()
    const engine = init({
      service: 'x',
      name: 'redaction configured',
      exporter,
      replace: true,
      redaction: camelTop(entry.redaction),
    })
    await replay([entry], engine, exporter)
    await engine.shutdown()
  })
}

/** The options of redaction, whose patterns have names of the application's own. */
function camelTop(given: Json): Json {
  if (typeof given !== 'object' || given === null) return given
  const { patterns, ...rest } = given
  return patterns === undefined ? camel(rest) : { ...camel(rest), patterns }
}

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'polyspan-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer']

/** An OTLP value as JSON. */
function wire(given: Json): Json {
  const [[kind, item]] = Object.entries(given) as [[string, Json]]
  if (kind === 'intValue') return Number(item)
  if (kind === 'arrayValue') return (item.values ?? []).map(wire)
  if (kind === 'kvlistValue') return attributes(item.values ?? [])
  return item
}

function attributes(list: Json[]): Json {
  return Object.fromEntries(list.map(({ key, value }) => [key, wire(value)]))
}

for (const semantics of ['genai', 'openinference'] as const) {
  test(`names on the wire: ${semantics}`, async () => {
    const path = join(folder, `${semantics}.jsonl`)
    const options = { exporter: { type: 'file', path, semantics }, redaction: false, replace: true }
    const engine = init({ service: 'x', name: 'semantics', ...options })
    const cases = (vectors('semantics.json').cases as Json[]).filter(
      (entry) => !entry.stepped && !entry.everywhere && entry[semantics],
    )
    for (const entry of cases) {
      const { name, type, kind, status, input, output, metadata, tags } = entry
      const start = 1767225600000000000n
      const span = engine.start(name, { type, kind, tags, startTime: start, traceId: undefined })
      span.update({ input, output, metadata, attributes: entry.attributes ?? {} })
      if (status) span.status('error', typeof status === 'string' ? undefined : status.message)
      span.end(start + 1000000000n)
    }
    await engine.shutdown()
    const sent = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .flatMap((line) => JSON.parse(line).resourceSpans)
    const spans = sent.flatMap((resource: Json) => resource.scopeSpans).flatMap((scope: Json) => scope.spans)
    assert.equal(spans.length, cases.length)
    cases.forEach((entry, at) => {
      const { name, kind, attributes: expected } = entry[semantics]
      const found = spans[at]
      assert.deepEqual(
        { name: found.name, kind: KINDS[found.kind], attributes: attributes(found.attributes ?? []) },
        { name, kind, attributes: expected },
        entry.case,
      )
    })
  })
}
