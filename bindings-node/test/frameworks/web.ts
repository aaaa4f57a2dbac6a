// What every web framework has to do, asked over real connections. The test of each starts a server with these routes:
//
//     GET  /users/:id   JSON with the id, inside a span `load`
//     POST /echo        the JSON body, after it was read, inside a span `work`
//     GET  /boom        throws RangeError('broken')
//     GET  /teapot      status 418
//     GET  /stream      three pieces of a stream, a span `piece` made while they are read
//     GET  /breaks      a stream that fails with RangeError('torn') after a piece
//     GET  /endless     a stream that waits after its first piece
//     GET  /health      ignored by the options

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, type Server } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import type { SpanRecord } from 'polyspan'
import { eventually, named, recorded, start, stop, tree } from './recorded'

export interface Running {
  /** Where it listens. */
  readonly port: number
  close(): Promise<unknown>
}

export interface Differences {
  /** Whether the version of the protocol is known; true by default. */
  readonly protocol?: boolean
}

/** A request from far away. */
export const TRACE = '0af7651916cd43dd8448eb211c80319c'
export const CALLER = 'b7ad6b7169203331'
const headers = { traceparent: `00-${TRACE}-${CALLER}-01`, 'user-agent': 'tests/1.0' }

export const ignore = ({ path }: { readonly path: string }): boolean => path === '/health'

/** The pieces of `/stream`, each of which is made when it is asked for. */
export async function* pieces(make: (at: number) => void): AsyncGenerator<Uint8Array> {
  for (const [at, text] of ['one ', 'two ', 'three'].entries()) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    make(at)
    yield new TextEncoder().encode(text)
  }
}
export async function* torn(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode('one ')
  await new Promise((resolve) => setTimeout(resolve, 5))
  throw new RangeError('torn')
}
/** Waits after its first piece, until it is left or `left` is called. */
export function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('one ')) })
}

/** A stream of what is iterated, as fast as it is read. */
export function from(source: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await source.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
  })
}

export function running(server: Server): Running {
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close')
      ;(server as Server & { closeAllConnections?(): void }).closeAllConnections?.()
      server.close()
      await closed
    },
  }
}

/** A server that is tested, and how it is asked. */
interface Asked {
  readonly framework: string
  readonly port: () => number
  readonly get: (path: string, init?: RequestInit) => Promise<Response>
}

/** Tests the server of a framework. */
export function check(framework: string, serve: () => Promise<Running>, differences: Differences = {}): void {
  let server: Running
  before(async () => {
    start(framework)
    server = await serve()
  })
  beforeEach(async () => void (await recorded()))
  after(async () => {
    await server.close()
    await stop()
  })
  const port = (): number => server.port
  const get: Asked['get'] = (path, init = {}) =>
    fetch(`http://127.0.0.1:${port()}${path}`, { ...init, headers: { ...headers, ...init.headers } })
  const asked = { framework, port, get }
  checkRoutes(asked, differences)
  checkAnswers(asked)
  checkStreams(asked)
  checkStrangers(asked)
  checkBesideEachOther(asked)
}

/** The span of a request, and what is current in its handler. */
function checkRoutes({ framework, port, get }: Asked, { protocol = true }: Differences): void {
  test(`${framework}: a request continues its caller's trace under the name of its route`, async () => {
    const response = await get('/users/7?secret=1')
    assert.deepEqual([response.status, await response.json()], [200, { id: '7' }])
    const spans = await eventually(2)
    const [load, request] = [named(spans, 'load'), named(spans, 'GET /users/:id')]
    assert.deepEqual(
      [request?.traceId, request?.parentSpanId, request?.parentIsRemote, request?.kind],
      [TRACE, CALLER, true, 'server'],
    )
    const { attributes, status } = request as SpanRecord
    assert.equal(status, 'unset')
    assert.deepEqual(attributes, {
      'http.request.method': 'GET',
      'http.route': '/users/:id',
      'url.path': '/users/7',
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'server.port': port(),
      'user_agent.original': 'tests/1.0',
      ...(protocol ? { 'network.protocol.version': '1.1' } : {}),
      'http.response.status_code': 200,
    })
    assert.deepEqual([load?.name, load?.parentSpanId], ['load', request?.spanId])
  })

  test(`${framework}: what is current stays so when a body has been read`, async () => {
    const body = JSON.stringify({ text: 'x'.repeat(100_000) })
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } }
    const response = await get('/echo', init)
    assert.equal(JSON.stringify(await response.json()), body)
    assert.deepEqual(tree(await eventually(2)), [['POST /echo', 'work']])
  })
}

/** Handlers that fail, and answers that are no failures. */
function checkAnswers({ framework, get }: Asked): void {
  test(`${framework}: a handler that fails`, async () => {
    const response = await get('/boom')
    await response.arrayBuffer()
    assert.equal(response.status, 500)
    const [request] = await eventually(1)
    assert.deepEqual([request?.name, request?.status], ['GET /boom', 'error'])
    assert.equal(request?.attributes['http.response.status_code'], 500)
    assert.equal(request?.attributes['error.type'], 'RangeError')
    assert.equal(request?.events.length, 1)
    assert.equal(request?.events[0]?.attributes['exception.message'], 'broken')
  })

  test(`${framework}: answers that are the client's business are no errors`, async () => {
    for (const [path, status] of [
      ['/teapot', 418],
      ['/nothing/here', 404],
    ] as const) {
      const response = await get(path)
      await response.arrayBuffer()
      assert.equal(response.status, status)
    }
    const spans = await eventually(2)
    for (const each of spans) assert.equal(each.status, 'unset', each.name)
    assert.equal(named(spans, 'GET /teapot').attributes['http.response.status_code'], 418)
    assert.equal(named(spans, 'GET').attributes['http.response.status_code'], 404)
    assert.equal(named(spans, 'GET').attributes['http.route'], undefined)
  })
}

/** Bodies that are made while they are read. */
function checkStreams({ framework, get }: Asked): void {
  test(`${framework}: a stream is inside until its end`, async () => {
    const response = await get('/stream')
    assert.equal(await response.text(), 'one two three')
    const spans = await eventually(4)
    assert.deepEqual(tree(spans), [['GET /stream', 'piece 0', 'piece 1', 'piece 2']])
    const request = named(spans, 'GET /stream')
    assert.ok(request.endTime >= named(spans, 'piece 2').endTime)
    assert.equal(request.status, 'unset')
  })

  test(`${framework}: a stream that breaks`, async () => {
    await assert.rejects(get('/breaks').then((response) => response.text()))
    const [request] = await eventually(1)
    assert.deepEqual([request?.name, request?.attributes['http.response.status_code']], ['GET /breaks', 200])
    assert.deepEqual([request?.status, request?.statusMessage], ['error', 'torn'])
  })

  test(`${framework}: a client that leaves`, async () => {
    const leave = new AbortController()
    const response = await get('/endless', { signal: leave.signal })
    const reader = response.body?.getReader()
    await reader?.read()
    assert.deepEqual(await recorded(), [])
    leave.abort()
    const [request] = await eventually(1)
    assert.deepEqual(
      [request?.name, request?.status, request?.attributes['http.response.status_code']],
      ['GET /endless', 'unset', 200],
    )
  })
}

/** Requests that are not recorded, and such as no browser sends. */
function checkStrangers({ framework, port, get }: Asked): void {
  test(`${framework}: ignored requests, and methods that nobody knows`, async () => {
    await (await get('/health')).arrayBuffer()
    const socket = connect(port(), '127.0.0.1')
    socket.end('PURGE /nothing HTTP/1.1\r\nHost: example.com:81\r\nConnection: close\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
    const [request] = await eventually(1)
    const { attributes, name } = request as SpanRecord
    assert.ok(name.startsWith('HTTP'), name)
    assert.equal(attributes['http.request.method'], '_OTHER')
    assert.equal(attributes['http.request.method_original'], 'PURGE')
    assert.deepEqual([attributes['server.address'], attributes['server.port']], ['example.com', 81])
    assert.equal(request?.parentSpanId, undefined)
  })

  test(`${framework}: a malformed URL`, async () => {
    const socket = connect(port(), '127.0.0.1')
    socket.end('GET /users/%E0%A4%A?secret=1 HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n')
    let answer = ''
    socket.on('data', (piece) => {
      answer += piece
    })
    await once(socket, 'close')
    const request = (await eventually(1, 'server'))[0] as SpanRecord
    assert.equal(request.attributes['url.path'], '/users/%E0%A4%A')
    const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? []
    assert.equal(request.attributes['http.response.status_code'], Number(status))
  })
}

function checkBesideEachOther({ framework, get }: Asked): void {
  test(`${framework}: requests beside each other keep apart`, async () => {
    const ids = Array.from({ length: 30 }, (_, at) => `${at}`)
    const trace = (id: string): string => id.padStart(32, 'a')
    await Promise.all(
      ids.map(async (id) => {
        const traceparent = `00-${trace(id)}-${CALLER}-01`
        const response = await get(`/users/${id}`, { headers: { traceparent } })
        assert.deepEqual(await response.json(), { id })
      }),
    )
    const spans = await eventually(60)
    for (const id of ids) {
      const own = spans.filter((each) => each.traceId === trace(id))
      assert.deepEqual(tree(own), [['GET /users/:id', 'load']])
      assert.equal(named(own, 'GET /users/:id').attributes['url.path'], `/users/${id}`)
    }
  })
}
