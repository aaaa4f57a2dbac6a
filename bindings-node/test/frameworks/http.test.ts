// Handlers in the manner of `fetch`, with a real server and client.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:net'
import { test } from 'node:test'
import { serve } from '@hono/node-server'
import { span } from 'polyspan'
import { handler, setRoute } from 'polyspan/http'
import { eventually } from './recorded'
import { check, endless, from, ignore, pieces, running, torn } from './web'

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  const user = /^\/users\/(.+)$/.exec(pathname)
  if (user !== null) {
    setRoute('/users/:id')
    return span('load', () => Response.json({ id: user[1] }))
  }
  const found = routes[pathname]
  if (found === undefined) return new Response(null, { status: 404 })
  setRoute(pathname)
  return found(request)
}

const routes: Record<string, (request: Request) => Response | Promise<Response>> = {
  '/echo': async (request) => {
    const body: unknown = await request.json()
    return span('work', () => Response.json(body))
  },
  '/boom': () => {
    throw new RangeError('broken')
  },
  '/teapot': () => new Response(null, { status: 418 }),
  '/stream': () => new Response(from(pieces((at) => span(`piece ${at}`, () => undefined)))),
  '/breaks': () => new Response(from(torn())),
  '/endless': () => new Response(endless()),
  '/health': () => new Response('ok'),
}

check(
  'http',
  async () => {
    const server = serve({ fetch: handler(answer, { ignore }), port: 0, hostname: '127.0.0.1' }) as Server
    await once(server, 'listening')
    return running(server)
  },
  { protocol: false },
)

test('http: a request whose URL is a path shows no query', async () => {
  const request = { method: 'GET', url: '/orders?key=secret', headers: new Headers() }
  await handler(async (_request: typeof request) => new Response(null, { status: 204 }))(request)
  const [one] = await eventually(1)
  assert.equal(one?.attributes['url.path'], '/orders')
})

test('http: a connection that becomes a WebSocket has no answer', async () => {
  // As Bun has it: `if (server.upgrade(request)) return`.
  const serve = handler(async (request: Request) =>
    request.url.endsWith('/socket') ? undefined : new Response(''),
  )
  assert.equal(await serve(new Request('http://localhost/socket')), undefined)
  const [one] = await eventually(1)
  assert.deepEqual([one?.name, one?.status], ['GET', 'unset'])
})
