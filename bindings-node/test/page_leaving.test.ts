// `polyspan/browser` when the page hides and the browser takes nothing, or not all: what a page has recorded arrives at
// the relay by other means or is counted as lost. The platform's own functions are those of a browser that refuses.

import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { type Engine, init, MemoryExporter, setLogger } from 'polyspan'
import type * as Browser from 'polyspan/browser'
import { relay } from 'polyspan/relay'

setLogger(() => undefined)
/** What browsers let be under way when a page goes: `sendBeacon` and `fetch` with `keepalive` together (Fetch, "HTTP-network-or-cache fetch"). */
const UNDER_WAY = 64 * 1024

let engine: Engine
const exporter = new MemoryExporter()
let server: Server
let url: string
/** Requests that the relay answers when these are called; `undefined` where it answers at once. */
let held: (() => void)[] | undefined
/** What the relay says instead of taking anything. */
let refusal: number | undefined
let browser: typeof Browser
const page = new EventTarget() as EventTarget & { visibilityState: string }
/** Posts that were to outlive the page. */
let outliving = 0
let beacon: (url: string, body: Blob) => boolean
let underWay = 0

/** A request of a page, which names its origin. */
async function post(address: string, type: string, body: BodyInit): Promise<Response> {
  return await fetch(address, { method: 'POST', headers: { origin: url, 'content-type': type }, body })
}

/** As a browser's `fetch`, which refuses what would be too much to outlive the page. */
async function pageFetch(
  address: unknown,
  { headers, body, keepalive }: RequestInit = {},
): Promise<Response> {
  const bytes = keepalive ? (body as Uint8Array).length : 0
  if (underWay + bytes > UNDER_WAY) throw new TypeError('Failed to fetch')
  if (keepalive) outliving += 1
  underWay += bytes
  try {
    return await post(
      String(address),
      (headers as Record<string, string>)['content-type'] ?? '',
      body as BodyInit,
    )
  } finally {
    underWay -= bytes
  }
}

before(async () => {
  engine = init('page', { exporter })
  const handler = relay({ engine, clientRate: { perSecond: 1000, burst: 1000 } })
  server = createServer(async (incoming, outgoing) => {
    const pieces: Buffer[] = []
    for await (const piece of incoming) pieces.push(piece)
    const headers = new Headers(Object.entries(incoming.headers) as [string, string][])
    if (held !== undefined) await new Promise<void>((done) => held?.push(done))
    if (refusal !== undefined) {
      outgoing.writeHead(refusal).end()
      return
    }
    const answer = await handler(new Request(url, { method: 'POST', headers, body: Buffer.concat(pieces) }))
    outgoing.writeHead(answer.status).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await import('polyspan/browser')
  const plain = globalThis.fetch
  const globals = {
    document: page,
    addEventListener: page.addEventListener.bind(page),
    navigator: { sendBeacon: (address: string, body: Blob) => beacon(address, body) },
    fetch: pageFetch,
  }
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  browser.init({ relay: url, io: true, valueBytes: 40_000 })
  // What this test sends by itself goes as ever.
  globalThis.fetch = plain
})
beforeEach(() => {
  exporter.clear()
  outliving = 0
  held = undefined
  refusal = undefined
  turns('visible')
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await engine.shutdown()
})

/** The user goes elsewhere, or comes back. */
function turns(state: 'hidden' | 'visible'): void {
  page.visibilityState = state
  page.dispatchEvent(new Event('visibilitychange'))
}

/** Spans of some 35 KB, so that there is one in a frame. */
function records(...names: string[]): void {
  for (const name of names) browser.span(name, { input: 'x'.repeat(35_000) }, () => undefined)
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const bound = Date.now() + 30_000; !(await holds()); ) {
    assert.ok(Date.now() < bound, 'not within 30 s')
    await new Promise((done) => setTimeout(done, 5))
  }
}

/** Everything that has ended is somewhere: what was lost since, by reason, and the names that arrived. */
async function settled(before: Browser.PageStats): Promise<{ arrived: string[]; lost: object }> {
  await until(() => browser.stats().pending === 0)
  const { ended, posted, dropped, unsampled } = browser.stats()
  const since = Object.entries(dropped).map(([reason, count]) => [
    reason,
    count - (before.dropped[reason] ?? 0),
  ])
  const lost = Object.fromEntries(since.filter(([, count]) => count !== 0))
  const all = Object.values(dropped).reduce((sum, count) => sum + count, 0)
  assert.equal(ended, posted + all + unsampled)
  await until(async () => {
    await engine.flush()
    return exporter.spans.length === posted - before.posted
  })
  return { arrived: exporter.spans.map(({ name }) => name).sort(), lost }
}

test('what sendBeacon refuses is posted so that it outlives the page', async () => {
  beacon = () => false
  const before = browser.stats()
  browser.span('one', () => undefined)
  turns('hidden')
  assert.deepEqual(await settled(before), { arrived: ['one'], lost: {} })
  assert.equal(outliving, 1)
})

test('a browser without sendBeacon posts too', async () => {
  beacon = () => {
    throw new TypeError('navigator.sendBeacon is not a function')
  }
  const before = browser.stats()
  browser.span('one', () => undefined)
  turns('hidden')
  assert.deepEqual(await settled(before), { arrived: ['one'], lost: {} })
})

test('more than may be under way is kept until there is room', async () => {
  let [taken, refused] = [0, 0]
  beacon = (address, body) => {
    if (underWay + body.size > UNDER_WAY) {
      refused += 1
      return false
    }
    taken += 1
    underWay += body.size
    void post(address, body.type, body).finally(() => {
      underWay -= body.size
    })
    return true
  }
  const before = browser.stats()
  const waiting: (() => void)[] = []
  held = waiting
  records('one', 'two', 'three')
  await until(() => waiting.length > 0)
  // One is under way by itself, and the next but one does not fit beside what the browser takes.
  turns('hidden')
  assert.equal(browser.stats().posted - before.posted, taken)
  assert.ok(refused > 0, `${taken} were taken`)
  assert.ok(browser.stats().pending > 0)
  held = undefined
  for (const answer of waiting) answer()
  assert.deepEqual(await settled(before), { arrived: ['one', 'three', 'two'], lost: {} })
})

test('what nobody takes is counted', async () => {
  beacon = () => false
  refusal = 403
  const before = browser.stats()
  browser.span('one', () => undefined)
  turns('hidden')
  assert.deepEqual(await settled(before), { arrived: [], lost: { rejected: 1 } })
})

test('a page that comes back goes on', async () => {
  beacon = () => false
  const before = browser.stats()
  turns('hidden')
  turns('visible')
  browser.span('later', () => undefined)
  await browser.flush()
  assert.deepEqual(await settled(before), { arrived: ['later'], lost: {} })
})
