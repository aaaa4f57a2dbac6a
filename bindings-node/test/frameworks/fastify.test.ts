// Fastify, with a real server and client.

import { Readable } from 'node:stream'
import { fastify } from 'fastify'
import { span } from 'polyspan'
import { polyspanFastify } from 'polyspan/fastify'
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
