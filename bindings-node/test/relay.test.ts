// The relay: what it refuses and how it says so, and that what a page records arrives as if it were recorded here.

import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { type Engine, init, MemoryExporter, type SpanRecord, setLogger, shutdown, span } from 'polyspan'
import type * as Edge from 'polyspan/edge'
import { type RelayOptions, relay } from 'polyspan/relay'

setLogger(() => undefined)
const exporter = new MemoryExporter()
const TYPE = 'application/vnd.polyspan.frame; source=browser'
let engine: Engine
let server: Server
let url: string
let page: typeof Edge
/** What the edge function said before it was set up as it should be. */
const warned: string[] = []

before(async () => {
  engine = init('relayed', { exporter })
  const handler = relay({ engine })
  // A server of today's frameworks in a few lines: requests and responses of the web.
  server = createServer(async (incoming, outgoing) => {
    const body = new ReadableStream({
      start(controller) {
        incoming.on('data', (piece) => controller.enqueue(new Uint8Array(piece)))
        incoming.on('end', () => controller.close())
        incoming.on('error', (error) => controller.error(error))
      },
    })
    const headers = new Headers(Object.entries(incoming.headers) as [string, string][])
    const { method = 'GET' } = incoming
    const given = method === 'POST' ? { method, headers, body, duplex: 'half' } : { method, headers }
    const answer = await handler(new Request(`${url}${incoming.url}`, given as RequestInit))
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  // Edge runtimes have it as a global.
  Object.assign(globalThis, { AsyncLocalStorage })
  page = await import('polyspan/edge')
  const { warn } = console
  console.warn = (line: string) => warned.push(line)
  page.span('too early', () => undefined)
  page.init({ relay: '/api/polyspan' })
  console.warn = warn
  page.init({ relay: `${url}/api/polyspan` })
})
beforeEach(() => exporter.clear())
after(async () => {
  server.closeAllConnections()
  server.close()
  await shutdown()
})

async function recorded(): Promise<SpanRecord[]> {
  await page.flush()
  await engine.flush()
  assert.ok(engine.stats().addsUp)
  return exporter.take()
}

class Order {
  constructor(readonly id: number) {}
}
const circular: Record<string, unknown> = { name: 'ring' }
circular.self = circular

/** The same given to a page's span and to one of the engine. */
function given(one: Edge.Span | ReturnType<typeof span.start>): void {
  one.set('text', 'käse ✓')
  one.set('number', 7)
  one.set('double', 0.5)
  one.set('truth', true)
  one.set('big', 12345678901234567890n)
  one.set('list', [1, 'two', null, undefined])
  one.set('twice', 1)
  one.set('twice', 2)
  one.update({
    attributes: {
      map: new Map([['a', new Set([1])]]),
      order: new Order(3),
      ring: circular,
      when: new Date(0),
    },
  })
  one.set('bytes', new Uint8Array([1, 2]))
  one.set('failure', Object.assign(new TypeError('no'), { stack: 'at x' }))
  one.set('long', 'x'.repeat(20_000))
  one.update({ input: { question: 'where' }, output: 'there', metadata: { tier: 'gold' } })
  one.event('half', { done: 0.5 }, 1_700_000_000_000)
  one.link({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, traceState: 'k=v' })
  one.status('error', 'went wrong')
  one.rename('renamed')
}

test('a span of a page arrives as one of the engine', async () => {
  const options = { type: 'tool', kind: 'client', tags: ['beta'], startTime: 1_700_000_000_000 } as const
  const [there, here] = [page.span.start('page', options), span.start('page', options)]
  for (const one of [there, here]) {
    given(one)
    one.end(1_700_000_000_500)
  }
  const spans = await recorded()
  assert.equal(spans.length, 2)
  const of = (id: string): SpanRecord => spans.find(({ spanId }) => spanId === id) as SpanRecord
  const [paged, own] = [of(there.spanId), of(here.spanId)]
  assert.equal(paged.attributes['polyspan.relay.source'], 'edge')
  const { 'polyspan.relay.source': _, long, ...attributes } = paged.attributes
  const { long: whole, ...ownAttributes } = own.attributes
  assert.deepEqual(attributes, ownAttributes)
  // A page keeps less of a value.
  assert.match(String(long), /^x{1000,}…\[truncated\]$/)
  assert.match(String(whole), /^x{1000,}/)
  for (const member of [
    'name',
    'kind',
    'type',
    'status',
    'statusMessage',
    'tags',
    'metadata',
    'input',
    'output',
    'events',
    'links',
    'startTime',
    'endTime',
  ] as (keyof SpanRecord)[])
    assert.deepEqual(paged[member], own[member], member)
})

test('an edge function that cannot record says why', () => {
  assert.deepEqual(warned, [
    'polyspan: nothing is recorded before init',
    'polyspan: nothing is recorded: relay: "/api/polyspan" is no whole address',
  ])
})

test('children, errors and what is current', async () => {
  const outer = page.span('outer', (one) => {
    assert.equal(page.currentSpan(), one)
    assert.throws(() =>
      page.span('inner', () => {
        throw new RangeError('no')
      }),
    )
    return one
  })
  await page.span('later', { parent: outer.traceparent }, async () => undefined)
  const spans = await recorded()
  const [inner, first, later] = ['inner', 'outer', 'later'].map((name) =>
    spans.find((one) => one.name === name),
  )
  assert.equal(inner?.parentSpanId, first?.spanId)
  assert.equal(inner?.attributes['error.type'], 'RangeError')
  assert.equal(later?.parentSpanId, first?.spanId)
  assert.deepEqual(new Set(spans.map(({ traceId }) => traceId)).size, 1)
})

function post(change: RequestInit = {}, headers: Record<string, string> = {}): Request {
  const all = { origin: 'https://shop.example', host: 'shop.example', 'content-type': TYPE, ...headers }
  return new Request('https://shop.example/api/polyspan', {
    method: 'POST',
    body: new Uint8Array(0),
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
    ...change,
  })
}

async function answered(request: Request, options: RelayOptions = {}): Promise<[number, string | undefined]> {
  const before = { ...engine.stats().relay.refused }
  const { status } = await relay({ engine, ...options })(request)
  const { refused } = engine.stats().relay
  return [status, Object.keys(refused).find((reason) => refused[reason] !== before[reason])]
}

test('requests are refused with a status, and counted by reason', async () => {
  const refusals: [Request, RelayOptions, number, string | undefined][] = [
    [post(), {}, 204, undefined],
    [post({ method: 'PUT' }), {}, 405, 'method'],
    [post({}, { 'content-type': 'text/plain' }), {}, 415, 'content_type'],
    [post({}, { origin: 'https://evil.example' }), {}, 403, 'origin'],
    [post({}, { origin: '' }), {}, 403, 'origin'],
    [post({}, { origin: 'null' }), {}, 403, 'origin'],
    [post({}, { 'x-forwarded-host': 'shop.example:443' }), {}, 204, undefined],
    [post({}, { 'x-forwarded-host': 'shop.example:80' }), {}, 403, 'origin'],
    [post({}, { 'x-forwarded-host': 'shop.example, inner.example' }), {}, 204, undefined],
    [post({}, { host: 'not a host' }), {}, 403, 'origin'],
    [post({}, { origin: 'https://other.example' }), { origins: ['https://other.example'] }, 204, undefined],
    [post(), { token: 'opensesame' }, 401, 'token'],
    [post({}, { 'content-type': `${TYPE}; token=open%20sesame` }), { token: 'open sesame' }, 204, undefined],
    [post({ body: new Uint8Array(11) }), { maxBytes: 10 }, 413, 'size'],
    [post({}, { 'content-length': '11' }), { maxBytes: 10 }, 413, 'size'],
    [post({ body: new Uint8Array([1, 2, 3]) }), {}, 400, 'bad_frame'],
  ]
  for (const [request, options, status, reason] of refusals) {
    const found = await answered(request, options)
    assert.deepEqual(found, [status, reason], `${request.method} ${[...request.headers].join(' ')}`)
  }
})

test('a body is bounded while it is read, and may not take for ever', async () => {
  let pulled = 0
  const endless = new ReadableStream({
    pull(controller) {
      pulled += 1
      controller.enqueue(new Uint8Array(1024))
    },
  })
  const long = post({ body: endless, duplex: 'half' } as RequestInit)
  assert.deepEqual(await answered(long, { maxBytes: 10_000 }), [413, 'size'])
  assert.ok(pulled < 20)
  const silent = post({ body: new ReadableStream(), duplex: 'half' } as RequestInit)
  assert.deepEqual(await answered(silent, { timeout: 0 }), [400, 'body'])
  const torn = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) })
  assert.deepEqual(await answered(post({ body: torn, duplex: 'half' } as RequestInit)), [400, 'body'])
})

test('a client, and all of them together, may post so often', async () => {
  const handler = relay({
    engine,
    clientRate: { perSecond: 0.001, burst: 2 },
    rate: { perSecond: 0.001, burst: 4 },
  })
  const from = async (client: string): Promise<Response> => handler(post({}, { 'x-forwarded-for': client }))
  const statuses: number[] = []
  // What stands before the last proxy's entry is the client's own invention.
  for (const client of ['a', 'a', 'a', 'x, a', 'b', 'c', 'd']) statuses.push((await from(client)).status)
  assert.deepEqual(statuses, [204, 204, 429, 429, 204, 204, 429])
  assert.equal((await from('e')).headers.has('retry-after'), true)
})

test('a client is one whatever port, address of its network or length of name it has', async () => {
  const { clientOf, short } = require('../lib/relay_client') as typeof import('../lib/relay_client')
  for (const [entry, client] of [
    ['192.0.2.7', '192.0.2.7'],
    [' 192.0.2.7:4711', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2'],
    ['[2001:db8:1:2::6]:443', '2001:db8:1:2'],
    ['[2001:db8:1:2::6]', '2001:db8:1:2'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    ['1::2::3', '1::2::3'],
    ['unknown', 'unknown'],
    ['', ''],
  ])
    assert.equal(clientOf(entry as string), client as string)
  assert.equal(short('x'.repeat(10_000)).length, 64)
  assert.ok(clientOf('y'.repeat(10_000)).length <= 64)
  const handler = relay({ engine, clientRate: { perSecond: 0.001, burst: 2 } })
  const statuses: number[] = []
  for (const address of ['2001:db8::1', '2001:db8::2', '[2001:db8::3]:99'])
    statuses.push((await handler(post({}, { 'x-forwarded-for': address }))).status)
  assert.deepEqual(statuses, [204, 204, 429])
})

test('what the application itself does to a request is answered', async () => {
  const client = (): string => {
    throw new RangeError('no')
  }
  assert.deepEqual(await answered(post(), { client }), [204, undefined])
  const read = post({ body: new Uint8Array([1]) })
  await read.arrayBuffer()
  assert.deepEqual(await answered(read), [400, 'body'])
})

test('bodies that do not end are bounded all together', async () => {
  const every = { perSecond: 1000, burst: 1000 }
  const handler = relay({ engine, rate: every, clientRate: every })
  const feeds: ReadableStreamDefaultController<Uint8Array>[] = []
  const slow = (): Promise<Response> => {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void feeds.push(controller) })
    return handler(post({ body, duplex: 'half' } as RequestInit))
  }
  const answers = Array.from({ length: 70 }, slow)
  for (const feed of feeds) feed.enqueue(new Uint8Array(256 * 1024 - 1))
  const first = await Promise.race(answers)
  assert.equal(first.status, 503)
  assert.ok(first.headers.has('retry-after'))
  for (const feed of feeds) {
    try {
      feed.close()
    } catch {
      // Refused already.
    }
  }
  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  assert.ok(statuses.filter((status) => status === 400).length >= 60)
  // There is room again.
  assert.equal((await handler(post({}, {}))).status, 204)
})

test('without a proxy a client has no say in who it is', async () => {
  const statuses = async (options: RelayOptions): Promise<number[]> => {
    const handler = relay({ engine, clientRate: { perSecond: 0.001, burst: 2 }, ...options })
    const found: number[] = []
    for (const client of ['a', 'b', 'c'])
      found.push((await handler(post({}, { 'x-forwarded-for': client }))).status)
    return found
  }
  assert.deepEqual(await statuses({ proxies: 0 }), [204, 204, 429])
  assert.deepEqual(await statuses({ proxies: 1 }), [204, 204, 204])
  const client = (request: Request) => request.headers.get('x-forwarded-for') ?? undefined
  assert.deepEqual(await statuses({ proxies: 0, client }), [204, 204, 204])
})

test('a browser of another origin asks first', async () => {
  const handler = relay({ engine, origins: ['https://other.example'] })
  const asked = await handler(post({ method: 'OPTIONS', body: null }, { origin: 'https://other.example' }))
  assert.equal(asked.status, 204)
  assert.equal(asked.headers.get('access-control-allow-origin'), 'https://other.example')
  // Without it a browser keeps what it was handed by `sendBeacon`, and says nothing.
  assert.equal(asked.headers.get('access-control-allow-credentials'), 'true')
  assert.equal(
    (await handler(post({ method: 'OPTIONS', body: null }, { origin: 'https://no.example' }))).status,
    403,
  )
  assert.throws(() => relay({ origins: ['shop'] }), /origins: "shop"/)
  assert.throws(() => relay({ origins: 'shop' as never }), /origins: "shop".*a list/)
  assert.throws(() => relay({ orgins: [] } as never), /orgins is no option; there are engine, origins/)
  assert.throws(() => relay({ token: '' }), /token/)
  assert.throws(() => relay({ token: 5 as never }), /token/)
  assert.throws(() => relay({ rate: { perSecond: 0, burst: 1 } }), /rate/)
})
