// Hono on Node, with a real server and client, and by itself as on every other runtime.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:net'
import { test } from 'node:test'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { span } from 'polyspan'
import { polyspanHono } from 'polyspan/hono'
import { eventually, recorded, tree } from './recorded'
import { CALLER, check, endless, from, ignore, pieces, running, TRACE, torn } from './web'

function application(): Hono {
  const app = new Hono()
  app.use(polyspanHono({ ignore }))
  app.get('/users/:id', (context) => span('load', () => context.json({ id: context.req.param('id') })))
  app.post('/echo', async (context) => {
    const body = await context.req.json()
    return span('work', () => context.json(body))
  })
  app.get('/boom', () => {
    throw new RangeError('broken')
  })
  app.get('/teapot', (context) => context.body(null, 418))
  app.get('/stream', () => new Response(from(pieces((at) => span(`piece ${at}`, () => undefined)))))
  app.get('/breaks', () => new Response(from(torn())))
  app.get('/endless', () => new Response(endless()))
  app.get('/slow/:id', async (context) => {
    arrived()
    await once(context.req.raw.signal, 'abort')
    return context.text('late')
  })
  app.get('/health', (context) => context.text('ok'))
  const things = new Hono()
  things.get('/things/:thing', (context) => context.text('thing'))
  app.route('/api/:tenant', things)
  app.onError((_error, context) => context.text('sorry', 500))
  return app
}

let port = 0
let arrived: () => void = () => undefined
check('hono', async () => {
  const server = serve({ fetch: application().fetch, port: 0, hostname: '127.0.0.1' }) as Server
  await once(server, 'listening')
  const found = running(server)
  port = found.port
  return found
})

test('hono: a client that leaves before the handler is done', async () => {
  const leaving = new AbortController()
  arrived = () => leaving.abort()
  await assert.rejects(fetch(`http://127.0.0.1:${port}/slow/7`, { signal: leaving.signal }))
  const [slow] = await eventually(1)
  assert.deepEqual([slow?.name, slow?.attributes['http.route']], ['GET /slow/:id', '/slow/:id'])
})

test('hono without Node: bodies are followed where they are read', async () => {
  const app = application()
  const headers = { traceparent: `00-${TRACE}-${CALLER}-01` }
  const request = (path: string): Promise<Response> =>
    Promise.resolve(app.request(`http://example.com${path}`, { headers }))

  const response = await request('/stream')
  assert.deepEqual(await recorded(), [])
  assert.equal(await response.text(), 'one two three')
  const spans = await recorded()
  assert.deepEqual(tree(spans), [['GET /stream', 'piece 0', 'piece 1', 'piece 2']])
  assert.deepEqual([spans[3]?.traceId, spans[3]?.parentSpanId], [TRACE, CALLER])

  await assert.rejects((await request('/breaks')).text())
  assert.deepEqual(
    (await recorded()).map((each) => [each.status, each.statusMessage]),
    [['error', 'torn']],
  )

  await (await request('/endless')).body?.cancel()
  assert.deepEqual(
    (await eventually(1)).map((each) => [each.name, each.status]),
    [['GET /endless', 'unset']],
  )

  const failed = await request('/boom')
  assert.deepEqual([failed.status, await failed.text()], [500, 'sorry'])
  assert.equal((await recorded())[0]?.attributes['error.type'], 'RangeError')

  const thing = await request('/api/acme/things/7')
  assert.deepEqual(
    [await thing.text(), thing.headers.get('content-type')],
    ['thing', 'text/plain;charset=UTF-8'],
  )
  assert.equal((await recorded())[0]?.name, 'GET /api/:tenant/things/:thing')
})
