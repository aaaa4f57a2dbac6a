// What `instrument` of `polyspan/browser` does to a page: requests go out as their callers meant them, their spans are in
// the right trace and end, and nothing of it outlives what caused it. The platform's own functions are stand-ins that say
// what they were called with.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type Engine, init, MemoryExporter, type SpanRecord, setLogger } from 'polyspan'
import type * as Browser from 'polyspan/browser'
import { relay } from 'polyspan/relay'

setLogger(() => undefined)
const ORIGIN = 'https://shop.example'
const RELAY = `${ORIGIN}/api/polyspan`
const PARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`

let engine: Engine
let browser: typeof Browser
const exporter = new MemoryExporter()
type Call = Parameters<typeof fetch>
/** Calls of the platform's `fetch` but those to the relay. */
let calls: Call[] = []
let posts = 0
let answer: () => Promise<Response>
const listeners = new Map<string, (event: object) => void>()

class FakeElement {
  constructor(
    readonly localName: unknown,
    private readonly id?: string,
  ) {}
  closest(): this {
    return this
  }
  getAttribute(name: string): string | null {
    return name === 'id' ? (this.id ?? null) : null
  }
}

/** As much of an XMLHttpRequest as a span depends on. */
class FakeXhr extends EventTarget {
  status = 0
  opened = false
  headers: [string, string][] = []
  failure: Error | undefined
  open(_method: string, _url: string): void {
    this.opened = true
    this.headers = []
  }
  setRequestHeader(name: string, value: string): void {
    if (!this.opened) throw new TypeError('InvalidStateError')
    this.headers.push([name, value])
  }
  send(_body?: unknown): void {
    if (!this.opened) throw new TypeError('InvalidStateError')
    this.opened = false
    if (this.failure !== undefined) throw this.failure
  }
  tell(type: string, status = 0): void {
    this.status = status
    this.dispatchEvent(new Event(type))
    if (type !== 'loadend') this.dispatchEvent(new Event('loadend'))
  }
}

before(async () => {
  engine = init('page', { exporter })
  const handler = relay({ engine, clientRate: { perSecond: 1000, burst: 1000 } })
  browser = await import('polyspan/browser')
  const page = new EventTarget()
  const globals = {
    document: Object.assign(page, { baseURI: `${ORIGIN}/cart`, visibilityState: 'visible' }),
    location: { origin: ORIGIN, pathname: '/cart' },
    addEventListener: (type: string, listener: (event: object) => void) => listeners.set(type, listener),
    Element: FakeElement,
    XMLHttpRequest: FakeXhr,
    fetch: async (...given: Call): Promise<Response> => {
      const [url, options] = given
      if (url !== RELAY) {
        calls.push(given)
        return answer()
      }
      posts += 1
      const { headers, body } = options as { headers: Record<string, string>; body: Uint8Array<ArrayBuffer> }
      return handler(
        new Request(RELAY, {
          method: 'POST',
          headers: { ...headers, origin: ORIGIN, host: 'shop.example' },
          body,
        }),
      )
    },
  }
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  // The wrong way round, as it happens where they are called in different files.
  browser.instrument({ propagateTo: ['https://api.example/'] })
  browser.init({ relay: RELAY })
})
beforeEach(async () => {
  await recorded()
  calls = []
  posts = 0
  answer = async () => new Response('there')
})
after(() => engine.shutdown())

async function recorded(): Promise<SpanRecord[]> {
  await browser.flush()
  assert.equal(browser.stats().pending, 0)
  await engine.flush()
  return exporter.take()
}
const attributesOf = ({ attributes }: SpanRecord): Record<string, unknown> => attributes as never
const headersOf = ([input, given]: Call): Headers => new Headers(given?.headers ?? (input as Request).headers)

test('posts to the relay are no spans, whichever was called first', async () => {
  browser.span('one', () => undefined)
  const { ended } = browser.stats()
  await browser.flush()
  assert.equal(posts, 1)
  assert.equal(browser.stats().ended, ended)
  assert.deepEqual(
    (await recorded()).map(({ name }) => name),
    ['one'],
  )
})

test('a request of the own origin is told the trace, and is otherwise what it was', async () => {
  const body = new FormData()
  await fetch('/pay?card=4111', { method: 'POST', body, credentials: 'include' })
  const [url, given] = calls[0] as Call
  assert.equal(url, '/pay?card=4111')
  assert.equal(given?.method, 'POST')
  assert.equal(given?.body, body)
  assert.equal(given?.credentials, 'include')
  const [one] = await recorded()
  assert.ok(one)
  assert.equal(headersOf(calls[0] as Call).get('traceparent'), `00-${one.traceId}-${one.spanId}-03`)
  assert.equal(attributesOf(one)['url.full'], `${ORIGIN}/pay`)
})

test('a request that is given by another one keeps its method and body', async () => {
  const request = new Request(`${ORIGIN}/first`, {
    method: 'PUT',
    body: 'all of it',
    headers: { 'x-a': '1' },
  })
  await fetch(`${ORIGIN}/second`, request)
  const [sent] = calls[0] as [Request]
  assert.equal(sent.url, `${ORIGIN}/second`)
  assert.equal(sent.method, 'PUT')
  assert.equal(await sent.text(), 'all of it')
  assert.equal(sent.headers.get('x-a'), '1')
  assert.match(String(sent.headers.get('traceparent')), /^00-/)
  assert.equal((await recorded())[0]?.name, 'PUT')
})

test('strangers get what the caller has written, and friends the trace', async () => {
  const given = { method: 'POST', body: 'x' }
  await fetch('https://elsewhere.example/track', given)
  assert.equal((calls[0] as Call)[1], given)
  await fetch('https://api.example/orders', given)
  assert.match(String(headersOf(calls[1] as Call).get('traceparent')), /^00-/)
  assert.equal((await recorded()).length, 2)
})

test('who has written a traceparent is above the request, and his header stays', async () => {
  await fetch('/orders', { headers: { traceparent: PARENT } })
  const xhr = new XMLHttpRequest() as unknown as FakeXhr & XMLHttpRequest
  xhr.open('get', '/orders')
  xhr.setRequestHeader('Traceparent', PARENT)
  xhr.send()
  xhr.tell('loadend', 200)
  assert.equal(headersOf(calls[0] as Call).get('traceparent'), PARENT)
  assert.deepEqual(xhr.headers, [['Traceparent', PARENT]])
  for (const one of await recorded()) {
    assert.equal(one.traceId, 'a'.repeat(32))
    assert.equal(one.parentSpanId, 'b'.repeat(16))
  }
})

test('a request that fails is an error, and one that is answered in secret has no status', async () => {
  answer = async () => {
    throw new TypeError('Failed to fetch')
  }
  await assert.rejects(fetch('/down'), TypeError)
  answer = async () => Response.error()
  await fetch('https://elsewhere.example/pixel', { mode: 'no-cors' })
  const spans = await recorded()
  const of = (path: string) => spans.find((one) => String(attributesOf(one)['url.full']).endsWith(path))
  const [failed, opaque] = [of('/down'), of('/pixel')]
  assert.equal(failed?.status, 'error')
  assert.equal(attributesOf(opaque as SpanRecord)['http.response.status_code'], undefined)
})

test('an XMLHttpRequest ends its span however it ends', async () => {
  const used = new XMLHttpRequest() as unknown as FakeXhr & XMLHttpRequest
  used.open('GET', '/first')
  used.send()
  assert.deepEqual(
    used.headers.map(([name]) => name),
    ['traceparent'],
  )
  used.tell('timeout')
  used.open('GET', '/second')
  used.send()
  used.tell('loadend', 204)
  // Opened again while it is under way, of which no event tells.
  used.open('GET', '/third')
  used.send()
  used.open('GET', '/fourth')
  used.send()
  assert.throws(() => used.send(), TypeError)
  used.tell('loadend', 500)
  // One that is waited for fails by throwing.
  const waited = new XMLHttpRequest() as unknown as FakeXhr & XMLHttpRequest
  waited.failure = new RangeError('NetworkError')
  waited.open('POST', '/fifth')
  assert.throws(() => waited.send(), RangeError)
  const found = (await recorded()).map((one) => {
    const { 'url.full': url, 'error.type': error, 'http.response.status_code': status } = attributesOf(one)
    return [String(url).replace(`${ORIGIN}/`, ''), error, status]
  })
  assert.deepEqual(found, [
    ['first', 'timeout', undefined],
    ['second', undefined, 204],
    ['third', undefined, undefined],
    ['fourth', '500', 500],
    ['fifth', 'RangeError', undefined],
  ])
})

/** The tasks that are waiting now have run. */
async function later(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((done) => setTimeout(done, 1))
}

test('a click that submits: one trace, and nothing is current afterwards', async () => {
  const act = (type: string, target: FakeElement): void => listeners.get(type)?.({ target })
  act('click', new FakeElement('button', 'pay'))
  act('submit', new FakeElement(new FakeElement('input'), 'checkout'))
  const sent = fetch('/pay')
  await later()
  await sent
  assert.equal(browser.currentSpan(), undefined)
  browser.span('much later', () => undefined)
  const spans = await recorded()
  const [click, submit, request, apart] = [
    'click button#pay',
    'submit form#checkout',
    'GET',
    'much later',
  ].map((name) => spans.find((one) => one.name === name))
  assert.equal(click?.parentSpanId, undefined)
  assert.equal(submit?.parentSpanId, click?.spanId)
  assert.equal(request?.parentSpanId, submit?.spanId)
  assert.equal(apart?.parentSpanId, undefined)
  assert.notEqual(apart?.traceId, click?.traceId)
})
