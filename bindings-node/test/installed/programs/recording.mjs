// Records by the package's own interface, imported, with context through everything that loses it easily.

import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
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
