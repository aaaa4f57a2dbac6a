// A program under OpenTelemetry's instrumentation packages, for `instrumentations.test.ts`: servers and clients of the
// libraries that they instrument. Prints the spans that were recorded.
//
//     POLYSPAN_SDK3=FOLDER node program.cjs stock|polyspan|register

const { createRequire } = require('node:module')
const { join } = require('node:path')
const { recording } = require('./recording.cjs')

const load = createRequire(join(process.env.POLYSPAN_SDK3, 'x.js'))
const { spans, inside } = recording(load, process.argv[2])

const { registerInstrumentations } = load('@opentelemetry/instrumentation')
const { HttpInstrumentation } = load('@opentelemetry/instrumentation-http')
const { UndiciInstrumentation } = load('@opentelemetry/instrumentation-undici')
const { ExpressInstrumentation } = load('@opentelemetry/instrumentation-express')
const { PgInstrumentation } = load('@opentelemetry/instrumentation-pg')
const { FastifyOtelInstrumentation } = load('@fastify/otel')
registerInstrumentations({
  instrumentations: [
    new HttpInstrumentation(),
    new UndiciInstrumentation(),
    new ExpressInstrumentation(),
    new PgInstrumentation(),
    new FastifyOtelInstrumentation({ registerOnInitialization: true }),
  ],
})

const http = load('node:http')

function listening(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
}

function closed(server) {
  server.closeAllConnections?.()
  return new Promise((resolve) => server.close(resolve))
}

function get(port, path, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    request.on('error', reject)
  })
}

async function plain() {
  const server = http.createServer((request, response) => {
    if (request.url === '/missing') response.statusCode = 404
    inside('work', () => new Promise((resolve) => setImmediate(resolve))).then(() => response.end('fine'))
  })
  const port = await listening(server)
  await inside('http', async () => {
    await get(port, '/found?q=1', { 'user-agent': 'tests' })
    await get(port, '/missing')
  })
  await inside('fetch', async () => {
    await (await fetch(`http://127.0.0.1:${port}/fetched`, { method: 'POST', body: 'x' })).text()
  })
  await closed(server)
  await inside('refused', () => get(port, '/'))
}

async function express() {
  const app = load('express')()
  app.use((_, __, next) => next())
  app.get('/orders/:id', (request, response) => {
    inside(`load ${request.params.id}`, async () => undefined).then(() =>
      response.json({ id: request.params.id }),
    )
  })
  app.get('/fails', () => {
    throw new RangeError('it failed')
  })
  app.use((_, __, response, ___) => response.status(500).end())
  const server = http.createServer(app)
  const port = await listening(server)
  await inside('express', async () => {
    await get(port, '/orders/7')
    await get(port, '/fails')
    await get(port, '/nowhere')
  })
  await closed(server)
}

async function fastify() {
  const app = load('fastify')({ forceCloseConnections: true })
  app.get('/orders/:id', async (request) => ({ id: request.params.id }))
  app.get('/fails', async () => {
    throw new RangeError('it failed')
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address()
  await inside('fastify', async () => {
    await get(port, '/orders/7')
    await get(port, '/fails')
  })
  await app.close()
}

async function hono() {
  const { Hono } = load('hono')
  const { httpInstrumentationMiddleware } = load('@hono/otel')
  const { createAdaptorServer } = load('@hono/node-server')
  const app = new Hono()
  app.use('*', httpInstrumentationMiddleware())
  app.get('/orders/:id', (c) => c.json({ id: c.req.param('id') }))
  const server = createAdaptorServer({ fetch: app.fetch })
  const port = await listening(server)
  await inside('hono', async () => {
    await get(port, '/orders/7')
    await get(port, '/nowhere')
  })
  await closed(server)
}

/** Nothing answers there: that the driver fails is a span as well. */
async function pg() {
  const free = http.createServer()
  const port = await listening(free)
  await closed(free)
  const { Client } = load('pg')
  const client = new Client({ host: '127.0.0.1', port, database: 'shop', user: 'app' })
  await inside('pg', () => client.connect())
}

async function main() {
  for (const part of [plain, express, fastify, hono, pg]) await part()
  process.stdout.write(JSON.stringify(await spans()))
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
})
