// Records by the package's own interface, imported, with context through everything that loses it easily.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as later } from 'node:timers/promises'
import {
  currentSpan,
  extract,
  init,
  inject,
  MemoryExporter,
  PolyspanError,
  shutdown,
  span,
  stats,
  traced,
} from 'polyspan'

const memory = new MemoryExporter()
init({ exporters: ['otlp', memory] })
assert.throws(() => init('x', { replace: true, sampler: 'no such' }), PolyspanError)

const search = traced('search', { type: 'tool' }, async (query) => {
  await later(2)
  return currentSpan().traceId + query
})

/** An answer of which one part comes after the other: its span ends with the last one. */
async function fetched() {
  let send
  const server = createServer((_request, response) => {
    response.write('first ')
    send = () => response.end('last')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  let open
  const answer = await span('fetched', (one) => {
    open = one
    return fetch(`http://127.0.0.1:${server.address().port}/`)
  })
  assert.ok(open.isRecording)
  send()
  assert.equal(await answer.text(), 'first last')
  assert.ok(!open.isRecording)
  server.closeAllConnections()
  server.close()
}

await span('root', { type: 'agent', input: { question: 'ü' } }, async (root) => {
  const emitter = new EventEmitter()
  emitter.on('go', () => span('emitted', () => undefined))
  await Promise.all([later(1).then(() => span('after a timer', () => emitter.emit('go'))), search('x')])
  async function* letters() {
    yield 'a'
    await later(1)
    yield 'b'
  }
  for await (const letter of span('generator', () => letters())) assert.ok(letter)
  const response = span('response', () => new Response('text'))
  assert.equal(await response.text(), 'text')
  await fetched()
  for await (const _ of span('stream', () => Readable.from(['a', 'b']))) assert.equal(currentSpan(), root)
  const headers = inject(new Headers())
  span('job', { parent: extract(headers) }, (job) => assert.equal(job.traceId, root.traceId))
  await assert.rejects(
    span('failing', async () => {
      throw new TypeError('as told')
    }),
    TypeError,
  )
})
await shutdown({ timeout: 30 })
const found = memory.spans
const root = found.find((each) => each.name === 'root')
for (const each of found) {
  assert.equal(each.traceId, root.traceId, each.name)
  const parent = each.name === 'root' ? undefined : each.name === 'emitted' ? 'after a timer' : 'root'
  assert.equal(found.find((other) => other.spanId === each.parentSpanId)?.name, parent, each.name)
}
assert.equal(found.find((each) => each.name === 'failing').status, 'error')
console.log('recorded', found.length, stats().addsUp)
