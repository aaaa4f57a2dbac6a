// React Router in framework mode: its request handler behind a real server, with a real client.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:net'
import { after, before, test } from 'node:test'
import { serve } from '@hono/node-server'
import { flush, span } from 'polyspan'
import { handler, polyspanReactRouter } from 'polyspan/react-router'
import { createRequestHandler, type ServerBuild, type ServerInstrumentation } from 'react-router'
import { eventually, named, recorded, start, stop, tree } from './recorded'
import { CALLER, endless, from, ignore, pieces, type Running, running, TRACE, torn } from './web'

const instrumentation: ServerInstrumentation = polyspanReactRouter({ ignore })

type Loader = (given: { params: Record<string, string | undefined>; request: Request }) => unknown
const loaders: Record<string, Loader> = {
  'users/:id': ({ params }) => span('load', () => Response.json({ id: params.id })),
  boom: () => {
    throw new RangeError('broken')
  },
  refused: () => {
    throw new Response('no', { status: 403 })
  },
  stream: () => new Response(from(pieces((at) => span(`piece ${at}`, () => undefined)))),
  breaks: () => new Response(from(torn())),
  endless: () => new Response(endless()),
  health: () => new Response('ok'),
}

/** What the compiler of an application makes of it: routes that answer by themselves. */
const build = {
  entry: {
    module: {
      default: () => new Response(null, { status: 404 }),
      handleError: () => undefined,
      instrumentations: [instrumentation],
    },
  },
  routes: Object.fromEntries(
    Object.entries(loaders).map(([path, loader]) => {
      const id = `routes/${path}`
      return [
        id,
        { id, path, parentId: undefined, module: { loader, action: async () => Response.json({}) } },
      ]
    }),
  ),
  assets: { entry: { imports: [], module: '' }, routes: {}, url: '', version: '' },
  publicPath: '/',
  assetsBuildDirectory: '',
  future: {},
  ssr: true,
  isSpaMode: false,
  prerender: [],
  routeDiscovery: { mode: 'initial', manifestPath: '' },
} as unknown as ServerBuild

const requests = createRequestHandler(build, 'production')
let server: Running
before(async () => {
  start('react-router')
  const fetch = handler((request: Request) => requests(request), { ignore })
  const listening = serve({ fetch, port: 0, hostname: '127.0.0.1' }) as Server
  await once(listening, 'listening')
  server = running(listening)
})
after(async () => {
  await server.close()
  await stop()
})
const get = (path: string, init?: RequestInit): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}${path}`, {
    headers: { traceparent: `00-${TRACE}-${CALLER}-01` },
    ...init,
  })

test('a request: its route, its loader, what the loader does', async () => {
  const response = await get('/users/7')
  assert.deepEqual(await response.json(), { id: '7' })
  const spans = await eventually(3)
  assert.deepEqual(tree(spans), [['GET /users/:id', ['loader routes/users/:id', 'load']]])
  const request = named(spans, 'GET /users/:id')
  assert.deepEqual([request.traceId, request.parentSpanId, request.kind], [TRACE, CALLER, 'server'])
  assert.deepEqual(
    [request.attributes['http.route'], request.attributes['http.response.status_code']],
    ['/users/:id', 200],
  )
  await (await get('/users/8', { method: 'POST', body: 'x' })).arrayBuffer()
  assert.deepEqual(tree(await eventually(2)), [['POST /users/:id', 'action routes/users/:id']])
})

test('loaders that fail, and ones that refuse', async () => {
  await (await get('/boom')).arrayBuffer()
  const failed = await eventually(2)
  for (const each of failed) {
    assert.deepEqual([each.status, each.attributes['error.type']], ['error', 'RangeError'], each.name)
    assert.equal(each.events[0]?.attributes['exception.message'], 'broken')
  }
  await (await get('/refused')).arrayBuffer()
  const refused = named(await eventually(2), 'GET /refused')
  assert.deepEqual([refused.status, refused.attributes['http.response.status_code']], ['unset', 403])
})

test('streams until their end, and ones that break or are left', async () => {
  assert.equal(await (await get('/stream')).text(), 'one two three')
  const spans = await eventually(5)
  const request = named(spans, 'GET /stream')
  assert.ok(request.endTime >= named(spans, 'piece 2').endTime)

  await assert.rejects(get('/breaks').then((response) => response.text()))
  assert.equal(named(await eventually(2), 'GET /breaks').statusMessage, 'torn')

  const leave = new AbortController()
  await (await get('/endless', { signal: leave.signal })).body?.getReader().read()
  leave.abort()
  assert.equal(named(await eventually(2), 'GET /endless').status, 'unset')
})

test('where nothing else makes the span of the request', async () => {
  const response = (await requests(
    new Request('http://example.com/users/9', { headers: { traceparent: `00-${TRACE}-${CALLER}-01` } }),
  )) as Response
  assert.deepEqual(await response.json(), { id: '9' })
  const spans = await eventually(3)
  assert.deepEqual(tree(spans), [['GET /users/:id', ['loader routes/users/:id', 'load']]])
  assert.equal(named(spans, 'GET /users/:id').parentSpanId, CALLER)
  await requests(new Request('http://example.com/health'))
  await flush()
  assert.deepEqual(
    (await recorded()).map((each) => each.name),
    ['loader routes/health'],
  )
})
