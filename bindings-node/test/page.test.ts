// Pages: the size of what every page loads, what it decides by what it is told, and that its queue is bounded.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type Engine, init, MemoryExporter, setLogger } from 'polyspan'
import { pageTerms } from 'polyspan/next'
import type { NativeEngine } from '../lib/native'
import { camel, type Json, map, only, pairs, text, told, value, vectors } from './vectors'

setLogger(() => undefined)
const said: string[] = []
;(require('../lib/core/log') as typeof import('../lib/core/log')).setLogger((line) => said.push(line))
const PACKAGE = join(__dirname, '..')
const DIST = join(PACKAGE, 'dist')
// The parts as the compiler left them; what hosts them is set by the entries.
const { decided, readTraceparent, traceparent } =
  require('../lib/page/trace') as typeof import('../lib/page/trace')
const { Trace } = require('../lib/core/ids') as typeof import('../lib/core/ids')
const { Page } = require('../lib/page/page') as typeof import('../lib/page/page')
// Its constructor is not in its types.
const { Span } = require('../lib/page/span') as {
  Span: new (...given: unknown[]) => import('../lib/page/span').Span
}
;(require('../lib/page/web') as typeof import('../lib/page/web')).onTheWeb()

/** Bytes of the core in a page, as a browser loads it. */
const CORE_BYTES = 8 * 1024

test('the core is small', async () => {
  const tools = pathToFileURL(join(PACKAGE, 'tools', 'pages.mjs')).href
  const { bundled } = await import(tools)
  const names = 'init, span, currentSpan, inject, extract, flush, stats'
  for (const entry of ['browser', 'edge']) {
    const text = await bundled(`export { ${names} } from './${entry}'`, { minify: true })
    const size = gzipSync(text, { level: 9 }).length
    assert.ok(size <= CORE_BYTES, `polyspan/${entry} is ${size} bytes`)
  }
})

test('nothing native is reachable from a page', () => {
  const modules = readdirSync(DIST).filter(
    (file) => file.endsWith('.mjs') && file !== 'index.mjs' && file !== 'opentelemetry.mjs',
  )
  assert.ok(modules.length >= 4)
  for (const file of modules) {
    const text = readFileSync(join(DIST, file), 'utf8')
    const imported = [...text.matchAll(/^(?:import|export)[^'"]*from ["']([^"']+)["']/gm)].map(
      ([, name]) => name,
    )
    for (const name of imported) assert.match(String(name), /^(react|\.\/(browser|edge)\.mjs)$/, file)
    assert.doesNotMatch(text, /node:|createRequire|\.node\b|require\(/, file)
  }
})

for (const [at, entry] of (vectors('page.json').decisions as Json[]).entries()) {
  test(`page: decision ${at}`, () => {
    const words = entry.trace_id.match(/.{8}/g).map((hex: string) => Number.parseInt(hex, 16) | 0)
    const [a, b, c, d] = words
    const trace = decided(a, b, c, d, entry.threshold)
    assert.equal(trace.id, entry.trace_id)
    assert.equal(trace.isSampled, entry.sampled)
    assert.equal(trace.state, entry.tracestate)
  })
}

for (const entry of vectors('page.json').terms as Json[]) {
  test(`page: ${entry.name}`, async () => {
    const { limits, sampler } = entry.options
    const engine = init('page', { exporter: new MemoryExporter(), replace: true, limits, sampler })
    try {
      const terms = pageTerms()
      for (const [name, value] of Object.entries(entry.terms)) assert.equal(terms[name as never], value, name)
      assert.equal(pageTerms({ io: true }).io, true)
    } finally {
      await engine.shutdown({ timeout: 30 })
    }
    assert.equal(pageTerms().threshold, null)
  })
}

for (const entry of vectors('traceparent.json').cases as Json[]) {
  const found = entry.headers.filter(([name]: [string]) => name.toLowerCase() === 'traceparent')
  // Bytes that are no text, and several headers, are an affair of servers.
  if (found.length !== 1 || typeof found[0][1] !== 'string') continue
  test(`page: traceparent: ${entry.name}`, () => {
    const read = readTraceparent(found[0][1])
    if (entry.span === null) {
      assert.equal(read, undefined)
      return
    }
    assert.ok(read)
    assert.equal(read.trace.id, entry.span.trace_id)
    assert.equal(read.trace.flags, entry.span.flags & 3)
    assert.equal(traceparent(read), entry.written)
  })
}

/** The bytes of a key or name that stands inline, behind a tag. */
function named(tag: number, name: string): string {
  const bytes = Buffer.from(name)
  return Buffer.concat([Buffer.from([tag, bytes.length & 255, bytes.length >> 8]), bytes]).toString('hex')
}

/** Takes a field out of the bytes of others. */
function without(fields: string, field: string): string {
  const at = fields.indexOf(field)
  assert.ok(at >= 0, field)
  return fields.slice(0, at) + fields.slice(at + field.length)
}

/** The body that the page writes of a span as the vectors describe it; `undefined` for what no page says. */
async function written({
  event,
}: Json): Promise<{ body: Buffer; expected: (hex: string) => string } | undefined> {
  const fields = (event.fields ?? []) as Json[]
  const kinds = fields.map((field) => Object.keys(field)[0])
  const whole = JSON.stringify(fields, (key, given) =>
    key === 'double' && Number.isInteger(Number(given)) ? 'whole' : given,
  )
  if (/"(static|entry|nested|filler|later|dropped|dropped_attributes)"|"double":"whole"/.test(whole))
    return undefined
  if ((event.event ?? 'span_ended') !== 'span_ended' || (event.flags & 1) === 0) return undefined
  if (kinds.filter((kind) => kind === 'name').length > 1) return undefined
  const words = (hex: string): number[] =>
    (hex.match(/.{8}/g) ?? []).map((word) => Number.parseInt(word, 16) | 0)
  const [a = 0, b = 0, c = 0, d = 0] = words(event.trace_id)
  const text_ = (kind: string): string[] =>
    fields.filter((field) => kind in field).map((field) => text(field[kind]))
  const [state = ''] = text_('tracestate')
  let frame: Uint8Array = new Uint8Array()
  const platform = {
    source: 'edge',
    current: () => undefined,
    inside: <R>(_: unknown, body: () => R): R => body(),
    post: async (_url: string, _type: string, bytes: Uint8Array) => {
      frame = bytes
      return 204
    },
  }
  const bounds = { valueBytes: 1 << 20, spanBytes: 1 << 20, depth: 64, arrayItems: 1000, objectKeys: 1000 }
  const page = new Page({ io: true, ...bounds }, platform)
  const trace = new Trace(a, b, c, d, event.flags, state)
  const parent = event.parent_span_id && {
    trace,
    high: words(event.parent_span_id)[0],
    low: words(event.parent_span_id)[1],
  }
  const tags = text_('tag')
  const given = { kind: event.kind, type: event.type, startTime: BigInt(event.start), tags }
  const span = new Span(page, text_('name')[0] ?? '', trace, parent, false, given)
  const [high = 0, low = 0] = words(event.span_id)
  Object.assign((span as unknown as { _identity: object })._identity, { high, low })
  for (const field of fields) {
    const [[kind, found]] = Object.entries(field) as [[string, Json]]
    if (kind === 'attribute') span.set(text(found[0]), value(found[1]))
    else if (kind === 'metadata') span.update({ metadata: { [text(found[0])]: value(found[1]) } })
    else if (kind === 'input' || kind === 'output') span.update({ [kind]: value(found) })
    else if (kind === 'status_message') span.status('error', text(found))
    else if (kind === 'event')
      span.event(text(found.name), Object.fromEntries(map(found.attributes ?? [])), BigInt(found.time))
    else if (kind === 'link') {
      const { trace_id: traceId, span_id: spanId, flags = 0, tracestate = '', remote = false } = found
      // What is local to a page is a span of it.
      if (!remote) return undefined
      span.link(
        { traceId, spanId, traceFlags: flags, traceState: tracestate },
        Object.fromEntries(map(found.attributes ?? [])),
      )
    }
  }
  if (event.status === 'error' && !kinds.includes('status_message')) span.status('error')
  span.end(BigInt(event.end))
  await page.deliver()
  // A page says first what holds from the start, and the name last.
  const expected = (hex: string): string => {
    const first = tags.map((tag) => named(10, tag))
    if (state !== '') {
      const bytes = Buffer.from(state)
      const size = Buffer.alloc(4)
      size.writeUInt32LE(bytes.length)
      first.unshift(`03${size.toString('hex')}${bytes.toString('hex')}`)
    }
    const last = kinds.includes('name') ? named(1, text_('name')[0] as string) : ''
    const rest = [...first, last].reduce(
      (fields, field) => (field === '' ? fields : without(fields, field)),
      hex,
    )
    // An empty name is static key 0.
    return first.join('') + rest + (last || '010080')
  }
  return { body: Buffer.from(frame).subarray(8), expected }
}

test('a page writes frames as the vectors have them', async () => {
  let compared = 0
  for (const entry of vectors('frame.json').events as Json[]) {
    const found = await written(entry)
    if (found === undefined) continue
    compared += 1
    const bytes = Buffer.from(text(entry.hex), 'hex').subarray(8)
    // Ids, times, trace flags, kind, status and type; what a page says of being a root is its own affair.
    assert.equal(found.body.toString('hex', 0, 54), bytes.toString('hex', 0, 54), entry.name)
    assert.equal(found.body.toString('hex', 64), found.expected(bytes.toString('hex', 64)), entry.name)
  }
  assert.ok(compared >= 5, `${compared}`)
})

// It is not in the package's types.
const { _door } = require('polyspan') as { _door: { engineOf(engine: Engine): NativeEngine } }
const { readValue } = require('../lib/values') as typeof import('../lib/values')

/** Whether the queue of a page has room for such a span. */
function fitsPage({ input, output, attributes, metadata, status_message }: Json): boolean {
  const values = [input, output].map((form) => (form === undefined ? '' : told(value(form))))
  const whole = [values, pairs(attributes ?? []), pairs(metadata ?? []), text(status_message ?? '')]
  return Buffer.byteLength(JSON.stringify(whole)) < 250 * 1024
}

for (const entry of vectors('limits.json').cases as Json[]) {
  const { span: given, kept } = entry
  // The relay's own attribute is one of those that are counted.
  if (kept === undefined || entry.options.limits?.attributes !== undefined || !fitsPage(given)) continue
  test(`page: limits: ${entry.name}`, async () => {
    const exporter = new MemoryExporter()
    const engine = init({
      service: 'x',
      name: 'page limits',
      exporter,
      replace: true,
      ...camel(entry.options),
    })
    try {
      const native = _door.engineOf(engine)
      const platform = {
        source: 'edge',
        current: () => undefined,
        inside: <R>(_: unknown, body: () => R): R => body(),
        post: async (_url: string, _type: string, bytes: Uint8Array) => {
          // The attribute that says where it came from is within every limit so.
          native.relay(bytes, '')
          return 204
        },
      }
      // A page that keeps as much as the server's own spans do.
      const page = new Page({ ...(readValue(native.terms()) as object), openSpans: 1 }, platform)
      const { input, output } = given
      const span = new Span(page, 'x', decided(1, 2, 3, 4, ''), undefined, false, {
        input: input === undefined ? undefined : value(input),
      })
      for (const [key, item] of map(given.attributes ?? [])) span.set(key, item)
      for (const [key, item] of map(given.metadata ?? [])) span.update({ metadata: { [key]: item } })
      for (const event of given.events ?? [])
        span.event(event.name, Object.fromEntries(map(event.attributes ?? [])))
      if (given.status_message !== undefined) span.status('error', text(given.status_message))
      if (output !== undefined) span.update({ output: value(output) })
      span.end()
      await page.deliver()
      await engine.flush()
      const stats = engine.stats()
      assert.ok(stats.addsUp)
      if (entry.limited !== undefined) assert.equal(stats.limited + page.limited, entry.limited)
      const record = only(exporter)
      const { 'polyspan.relay.source': source, ...attributes } = told(record.attributes)
      assert.equal(source, '')
      assert.deepEqual(attributes, pairs(kept.attributes ?? []))
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

/** A page whose relay answers as told. */
function paged(answer: () => number): { page: InstanceType<typeof Page>; posts: number[] } {
  const posts: number[] = []
  const page = new Page(
    { spanBytes: 48 * 1024 },
    {
      source: 'browser',
      current: () => undefined,
      inside: (_, body) => body(),
      post: async (_url, _type, frame) => {
        posts.push(frame.length)
        return answer()
      },
    },
  )
  return { page, posts }
}

function end(page: InstanceType<typeof Page>, bytes = 0): void {
  const trace = decided(1, 2, 3, 4, '')
  const span = new Span(page, 'one', trace, undefined, false, {})
  for (let at = 0; at < bytes; at += 10_000) span.set(`k${at}`, 'x'.repeat(10_000))
  span.end()
}

function addsUp(page: InstanceType<typeof Page>): void {
  const { ended, posted, pending, unsampled, dropped } = page.stats()
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0)
  assert.equal(ended, posted + pending + unsampled + lost)
}

test('frames stay below what a browser lets be under way', async () => {
  const { page, posts } = paged(() => 204)
  for (let count = 0; count < 40; count++) {
    end(page, 20_000)
    await page.deliver()
  }
  for (let count = 0; count < 8; count++) end(page, 30_000)
  await page.deliver()
  addsUp(page)
  assert.equal(page.stats().posted, 48)
  assert.ok(posts.every((length) => length <= 64 * 1024))
})

test('what does not fit is dropped and counted', async () => {
  let status = 503
  const { page } = paged(() => status)
  for (let count = 0; count < 20; count++) end(page, 40_000)
  const { dropped, pending } = page.stats()
  assert.ok((dropped.queue_full ?? 0) > 0 && pending > 0)
  addsUp(page)
  const sent: number[] = []
  // The frame at the front may be under way, and stays.
  page.leave((_url, type, frame) => {
    assert.match(type, /^application\/vnd\.polyspan\.frame; source=browser/)
    return sent.push(frame.length) <= 2
  })
  assert.equal(sent.length, 3)
  addsUp(page)
  // The relay is there again.
  status = 204
  await page.deliver()
  assert.equal(page.stats().pending, 0)
  addsUp(page)
})

test('a frame that waits for another attempt leaves with the page, once', async () => {
  const { page, posts } = paged(() => 503)
  end(page)
  const delivering = page.deliver()
  // The answer is there, and the pause has begun.
  await new Promise(setImmediate)
  const sent: number[] = []
  page.leave((_url, _type, frame) => sent.push(frame.length) > 0)
  await delivering
  assert.deepEqual([posts.length, sent.length], [1, 1])
  assert.deepEqual([page.stats().posted, page.stats().pending, page.stats().dropped], [1, 0, {}])
  addsUp(page)
})

test('a frame that nobody has answered does not leave a second time', async () => {
  const { page, posts } = paged(() => 0)
  end(page)
  const delivering = page.deliver()
  await new Promise(setImmediate)
  page.leave(() => assert.fail('it may have arrived'))
  await delivering
  assert.deepEqual([posts.length, page.stats().dropped], [4, { retry_exhausted: 1 }])
  // The next one has nothing to do with it.
  end(page)
  page.leave(() => true)
  assert.deepEqual([page.stats().posted, page.stats().pending], [1, 0])
  addsUp(page)
})

test('a frame that is refused for good is given up at once', async () => {
  const { page, posts } = paged(() => 413)
  end(page)
  await page.deliver()
  assert.deepEqual([page.stats().dropped, posts.length], [{ rejected: 1 }, 1])
  addsUp(page)
})

test('what answers for every path is no relay, and that is said once', async () => {
  // A page of a site where there is no such route.
  const { page } = paged(() => 200)
  for (let count = 0; count < 2; count++) {
    end(page)
    await page.deliver()
  }
  assert.deepEqual([page.stats().dropped, page.stats().posted], [{ rejected: 2 }, 0])
  addsUp(page)
  const [line, ...more] = said.filter((one) => one.includes('spans are lost'))
  assert.match(String(line), /^polyspan: spans are lost: \/api\/polyspan answered \d+$/)
  assert.deepEqual(more, [])
})

test('what ends while the last frame has just been delivered is delivered too', async () => {
  for (let turns = 0; turns < 20; turns++) {
    const { page } = paged(() => 204)
    end(page)
    const first = page.deliver()
    for (let turn = 0; turn < turns; turn++) await undefined
    end(page)
    await page.deliver()
    assert.equal(page.stats().pending, 0, `after ${turns} turns`)
    await first
    addsUp(page)
  }
})

test('terms that are none are the defaults', () => {
  const { termsOf, DEFAULTS } = require('../lib/page/terms') as typeof import('../lib/page/terms')
  for (const given of [null, undefined, 'web', { relay: 5, threshold: 0.1 }])
    assert.deepEqual(termsOf(given as never), DEFAULTS)
})

test('a span keeps within its bytes, and too many are not recorded', () => {
  const { page } = paged(() => 204)
  end(page, 100_000)
  assert.ok(page.altered > 0)
  const small = new Page(
    { openSpans: 1 },
    { source: 'edge', current: () => undefined, inside: (_, body) => body(), post: async () => 204 },
  )
  const trace = decided(1, 2, 3, 4, '')
  const [first, second] = [0, 1].map(() => new Span(small, 'one', trace, undefined, false, {}))
  assert.deepEqual([first?.isRecording, second?.isRecording], [true, false])
  first?.end()
  second?.end()
  assert.deepEqual([small.stats().openLimit, small.stats().ended], [1, 2])
})
