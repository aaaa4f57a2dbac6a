// Pages: the size of what every page loads, what it decides by what it is told, and that its queue is bounded.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { init, MemoryExporter, setLogger } from 'polyspan'
import { pageTerms } from 'polyspan/next'
import { type Json, vectors } from './vectors'

setLogger(() => undefined)
const PACKAGE = join(__dirname, '..')
const DIST = join(PACKAGE, 'dist')
// The parts as the compiler left them; what hosts them is set by the entries.
const { decided, readTraceparent, traceparent } =
  require('../lib/page/trace') as typeof import('../lib/page/trace')
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

test('a frame that is refused for good is given up at once', async () => {
  const { page, posts } = paged(() => 413)
  end(page)
  await page.deliver()
  assert.deepEqual([page.stats().dropped, posts.length], [{ rejected: 1 }, 1])
  addsUp(page)
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
