// Flushes and shutdowns: their time counts from the call, and none waits for another engine's.

import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { type Engine, flush, init, MemoryExporter, setLogger, shutdown } from 'polyspan'

setLogger(() => undefined)
const LONG = { timeout: 60 }

/** A collector that answers when it is told to. */
let server: Server
let asked: ServerResponse[] = []
let held = true
/** When something has been asked since the test began. */
let first: Promise<void>
let tell: () => void
before(async () => {
  server = createServer((request, response) => {
    request.resume()
    tell()
    if (held) asked.push(response)
    else response.end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
})
beforeEach(() => {
  held = true
  first = new Promise((done) => {
    tell = done
  })
})
after(async () => {
  answer()
  await shutdown()
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
})

function answer(): void {
  held = false
  for (const response of asked) response.end()
  asked = []
}

function waiting(name: string): Engine {
  const { port } = server.address() as AddressInfo
  return init({ service: 'x', name, endpoint: `http://127.0.0.1:${port}`, timeout: 60, replace: true })
}

const late = { code: 'deadline_exceeded' }

test('a flush does not wait for another one of its engine beyond its time', async () => {
  const order: string[] = []
  const slow = waiting('slow')
  slow.span('one', () => 1)
  const long = slow.flush(LONG).then(() => order.push('long'))
  await first
  const short = assert.rejects(slow.flush({ timeout: 0.05 }), late).then(() => order.push('short'))
  const next = slow.flush(LONG).then(() => order.push('next'))
  await short
  assert.deepEqual(order, ['short'])
  answer()
  await Promise.all([long, next])
  assert.deepEqual(order, ['short', 'long', 'next'])
  await slow.shutdown()
})

test('engines do not wait for each other', async () => {
  const order: string[] = []
  const slow = waiting('slow')
  const exporter = new MemoryExporter()
  const quick = init({ service: 'x', name: 'quick', exporter })
  slow.span('one', () => 1)
  quick.span('two', () => 2)
  const long = slow.flush(LONG).then(() => order.push('slow'))
  await first
  await quick.flush(LONG)
  assert.equal(exporter.spans.length, 1)
  await quick.shutdown(LONG)
  assert.deepEqual(order, [])
  answer()
  await long
  await slow.shutdown()
})

test('a flush of all engines gives each the whole time', async () => {
  const slow = waiting('a slow one')
  slow.span('one', () => 1)
  const exporters = Array.from({ length: 20 }, () => new MemoryExporter())
  const quick = exporters.map((exporter, i) => init({ service: 'x', name: `quick ${i}`, exporter }))
  for (const engine of quick) engine.span('two', () => 2)
  const all = flush(LONG)
  for (const engine of quick) await engine.flush(LONG)
  assert.deepEqual(
    exporters.map(({ spans }) => spans.length),
    quick.map(() => 1),
  )
  answer()
  await all
  await shutdown()
})
