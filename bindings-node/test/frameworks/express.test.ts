// Express, with a real server and client.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { pipeline, Readable } from 'node:stream'
import { test } from 'node:test'
import express from 'express'
import { span } from 'polyspan'
import { polyspanErrors, polyspanExpress } from 'polyspan/express'
import { eventually } from './recorded'
import { check, endless, ignore, pieces, type Running, running, torn } from './web'

let server: Running
check('express', async () => {
  const app = express()
  app.use(polyspanExpress({ ignore }))
  app.use(express.json({ limit: '1mb' }))
  app.get('/users/:id', (request, response) => {
    span('load', () => void response.json({ id: request.params.id }))
  })
  app.post('/echo', (request, response) => {
    span('work', () => void response.json(request.body))
  })
  app.get('/boom', async () => {
    throw new RangeError('broken')
  })
  app.get('/teapot', (_request, response) => void response.status(418).end())
  app.get('/stream', (_request, response) => {
    Readable.from(pieces((at) => span(`piece ${at}`, () => undefined))).pipe(response)
  })
  app.get('/breaks', (_request, response) => {
    pipeline(Readable.from(torn()), response, () => undefined)
  })
  app.get('/endless', (_request, response) => {
    Readable.fromWeb(endless() as never).pipe(response)
  })
  app.get('/health', (_request, response) => void response.end())
  const things = express.Router()
  things.get('/things/:thing', (_request, response) => void response.end())
  things.get('/fail', () => {
    throw new TypeError('inside')
  })
  app.use('/api/:tenant', things)
  const named = express.Router()
  named.get('/:id', (_request, response) => void response.end())
  app.use('/names', named)
  const deep = express.Router({ mergeParams: true })
  const deeper = express.Router({ mergeParams: true })
  deeper.get('/at/:place', (_request, response) => void response.end())
  deep.use('/of/:owner', deeper)
  app.use('/deep/:tenant', (_request, _response, next) => next(), deep)
  app.use(polyspanErrors())
  app.use(((_error, _request, response, _next) => {
    response.status(500).end()
  }) as express.ErrorRequestHandler)
  const listening = app.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  server = running(listening)
  return server
})

test('express: routers that are mounted', async () => {
  for (const path of ['/api/acme%20inc/things/7', '/api/acme/fail']) {
    await (await fetch(`http://127.0.0.1:${server.port}${path}`)).arrayBuffer()
  }
  const [thing, failed] = await eventually(2)
  assert.equal(thing?.name, 'GET /api/:tenant/things/:thing')
  assert.deepEqual([failed?.name, failed?.attributes['error.type']], ['GET /api/:tenant/fail', 'TypeError'])
})

test('express: values that are the names of the route, or each other', async () => {
  for (const path of ['/names/names', '/deep/acme/of/acme/at/acme', '/deep/deep/of/of/at/at']) {
    await (await fetch(`http://127.0.0.1:${server.port}${path}`)).arrayBuffer()
  }
  const names = (await eventually(3)).map(({ name }) => name)
  const deep = 'GET /deep/:tenant/of/:owner/at/:place'
  assert.deepEqual(names, ['GET /names/:id', deep, deep])
})
