// Fastify, with a real server and client.

import assert from 'node:assert/strict'
import type * as Dns from 'node:dns'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { fastify } from 'fastify'
import { span } from 'polyspan'
import { polyspanFastify } from 'polyspan/fastify'
import { eventually } from './recorded'
import { check, endless, ignore, pieces, running, torn } from './web'

check('fastify', async () => {
  const app = fastify()
  await app.register(polyspanFastify({ ignore }))
  app.get<{ Params: { id: string } }>('/users/:id', async (request) =>
    span('load', () => ({ id: request.params.id })),
  )
  app.post('/echo', async (request) => span('work', () => request.body))
  app.get('/boom', async () => {
    throw new RangeError('broken')
  })
  app.get('/teapot', async (_request, reply) => reply.code(418).send())
  app.get('/stream', (_request, reply) =>
    reply.send(Readable.from(pieces((at) => span(`piece ${at}`, () => undefined)))),
  )
  app.get('/breaks', (_request, reply) => reply.send(Readable.from(torn())))
  app.get('/endless', (_request, reply) => reply.send(Readable.fromWeb(endless() as never)))
  app.get('/health', async () => 'ok')
  await app.listen({ port: 0, host: '127.0.0.1' })
  return running(app.server)
})

// `localhost` may have several addresses, each of which Fastify has a server for; it shows the first.
test('fastify: a malformed URL at any address', { skip: process.platform !== 'linux' }, async () => {
  const dns = require('node:dns') as Omit<typeof Dns, 'lookup'> & { lookup: unknown }
  const { lookup } = dns
  const found = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }))
  dns.lookup = (host: string, ...rest: [{ all?: boolean }, (...given: unknown[]) => void]) => {
    const [options, done] = typeof rest[0] === 'function' ? [{}, rest[0]] : rest
    if (options.all === true) done(null, found)
    else done(null, host === 'localhost' ? '127.0.0.1' : host, 4)
  }
  const app = fastify()
  // Registered in a part of the application, it is for that part.
  await app.register(async (part) => {
    await part.register(polyspanFastify())
  })
  const other = fastify()
  await other.register(polyspanFastify())
  try {
    for (const each of [app, other]) {
      await each.listen({ port: 0, host: 'localhost' })
      const { port } = each.server.address() as AddressInfo
      for (const address of ['127.0.0.1', '127.0.0.2']) {
        const socket = connect(port, address)
        socket.end('GET /%E0%A4%A HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n')
        socket.resume()
        await new Promise((done) => socket.on('close', done))
      }
    }
    for (const each of await eventually(2)) assert.equal(each.attributes['http.response.status_code'], 400)
  } finally {
    dns.lookup = lookup
    await app.close()
    await other.close()
  }
})
