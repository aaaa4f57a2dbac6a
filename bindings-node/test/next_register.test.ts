// `polyspan/next` in the server: what it says where it cannot record, and that requests of the application go out as they
// were meant. The tests follow one another: a process has one provider.

import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { trace } from '@opentelemetry/api'
import { flush, MemoryExporter, PolyspanError, setLogger, shutdown, span } from 'polyspan'
import { pageTerms, register } from 'polyspan/next'

const said: string[] = []
setLogger((line) => said.push(line))
beforeEach(() => {
  said.length = 0
})
after(() => shutdown())

const plain = globalThis.fetch
/** What the platform's `fetch` was called with. */
const calls: Parameters<typeof fetch>[] = []

test('pages without an engine record nothing, and it is said where they are rendered', () => {
  assert.equal(pageTerms().threshold, null)
  assert.equal(pageTerms({ threshold: '' }).threshold, '')
  assert.equal(said.length, 1)
  assert.match(String(said[0]), /pageTerms: no engine runs here.*Static pages/)
})

test('options of the application that cannot be used are errors', () => {
  const wrong = { service: 7 } as never
  assert.throws(() => register(wrong), PolyspanError)
  assert.equal(globalThis.fetch, plain)
})

test('a request is what the caller meant, with the trace', async () => {
  globalThis.fetch = async (...given) => {
    calls.push(given)
    return new Response('')
  }
  const exporter = new MemoryExporter()
  register({ service: 'web', exporter })
  await span('outer', async ({ traceId }) => {
    const upstream = 'http://upstream.example/path'
    const given = new Request('http://here.example/', { method: 'PUT', body: 'all of it' })
    // As proxies do it.
    await fetch(upstream, given)
    await fetch(upstream, { method: 'POST', body: 'x', next: { revalidate: 1 } } as RequestInit)
    await fetch(new Request(upstream, { method: 'DELETE', headers: { 'x-a': '1' } }))
    await fetch(upstream, { headers: { traceparent: 'mine' } })
    const [first, second, third, fourth] = calls as [[Request], [string, never], [Request], [string, never]]
    assert.deepEqual([first[0].url, first[0].method, await first[0].text()], [upstream, 'PUT', 'all of it'])
    const { headers, ...rest } = second[1] as RequestInit
    assert.deepEqual(rest, { method: 'POST', body: 'x', next: { revalidate: 1 } })
    assert.deepEqual([third[0].method, third[0].headers.get('x-a')], ['DELETE', '1'])
    for (const told of [first[0].headers, headers as Headers, third[0].headers])
      assert.ok(told.get('traceparent')?.startsWith(`00-${traceId}`))
    assert.deepEqual(fourth[1], { headers: { traceparent: 'mine' } })
  })
  await flush()
  assert.equal(exporter.spans.length, 1)
  globalThis.fetch = plain
  assert.deepEqual(said, [])
  // Next may load the file again.
  register({ service: 'web', exporter })
  assert.deepEqual(said, [])
})

test('another tracer provider that was first is named', async () => {
  await shutdown()
  trace.disable()
  class OtherProvider {
    getTracer(): never {
      throw new Error('not asked')
    }
  }
  trace.setGlobalTracerProvider(new OtherProvider())
  register({ service: 'web', exporter: new MemoryExporter(), replace: true, fetch: false })
  assert.match(said.join(), /another tracer provider \(OtherProvider\) is registered already/)
})
