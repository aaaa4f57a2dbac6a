// What functions return that is of an unusual kind: a span never stands between it and the caller.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { type Engine, init, MemoryExporter, type SpanRecord, setLogger, span, traced } from 'polyspan'

setLogger(() => undefined)
const exporter = new MemoryExporter()
let engine: Engine
before(() => {
  engine = init('tests', { exporter })
})
beforeEach(() => exporter.clear())
after(() => engine.shutdown())

async function one(): Promise<SpanRecord> {
  await engine.flush()
  assert.ok(engine.stats().addsUp)
  const spans = exporter.take()
  assert.equal(spans.length, 1, spans.map((record) => record.name).join())
  return spans[0] as SpanRecord
}

test('a response whose body was read, or is being read', async () => {
  const read = await span('read', async () => {
    const response = new Response('no such thing', { status: 404 })
    assert.equal(await response.text(), 'no such thing')
    return response
  })
  assert.deepEqual([read.status, read.bodyUsed], [404, true])
  assert.equal((await one()).name, 'read')
  const source = new Response('text')
  const reader = source.body?.getReader()
  assert.equal(
    span('locked', () => source),
    source,
  )
  assert.equal((await one()).name, 'locked')
  assert.equal(new TextDecoder().decode((await reader?.read())?.value), 'text')
})

test('a stream that somebody reads already', async () => {
  const stream = new Blob(['a']).stream()
  stream.getReader()
  assert.equal(traced('stream', () => stream)(), stream)
  assert.equal((await one()).name, 'stream')
})

test('a response of a class of its own stays one', async () => {
  class PageResponse extends Response {
    readonly page: string
    constructor(page: string) {
      super(page)
      this.page = page
    }
    title(): string {
      return `page ${this.page}`
    }
  }
  const found = await span('page', async () => new PageResponse('home'))
  assert.ok(found instanceof PageResponse)
  assert.deepEqual([found.page, found.title(), await found.text()], ['home', 'page home', 'home'])
  assert.equal((await one()).name, 'page')
})

test('values whose properties throw', async () => {
  const refuses = (): never => {
    throw new Error('not yours')
  }
  const { proxy: revoked, revoke } = Proxy.revocable({}, {})
  revoke()
  const all = [
    new Proxy({}, { get: refuses, getPrototypeOf: refuses, getOwnPropertyDescriptor: refuses }),
    revoked,
    Object.defineProperty({}, 'then', { get: refuses }),
  ]
  for (const value of all) {
    assert.ok(span('value', () => value) === value)
    assert.equal((await one()).status, 'unset')
    assert.ok(traced('value', () => value)() === value)
    assert.equal((await one()).status, 'unset')
  }
})

test('thenables that cannot be stood for', async () => {
  // biome-ignore lint/suspicious/noThenProperty: it is one.
  const frozen = Object.freeze({ then: (ok: (value: number) => void) => ok(5) })
  assert.equal(await span('frozen', () => frozen), 5)
  assert.equal((await one()).name, 'frozen')
  class Query {
    // biome-ignore lint/suspicious/noThenProperty: it is one.
    then(ok: (value: number) => void): void {
      ok(6)
    }
  }
  const query = Object.defineProperty(new Query(), 'explain', { value: () => 'plan' }) as Query & {
    explain(): string
  }
  const asked = span('query', () => query)
  assert.equal(asked.explain(), 'plan')
  assert.equal(await asked, 6)
  assert.equal((await one()).name, 'query')
})

test('an asynchronous iterable whose steps are no promises', async () => {
  const steps = {
    [Symbol.asyncIterator]() {
      let n = 0
      return { next: () => ({ value: ++n, done: n > 2 }) }
    },
  } as unknown as AsyncIterable<number>
  const items: number[] = []
  for await (const item of traced('steps', () => steps)()) items.push(item)
  assert.deepEqual(items, [1, 2])
  assert.deepEqual((await one()).output, [1, 2])
})

test('a stream of bytes stays one', async () => {
  const parts = ['one ', '', 'two'].map((part) => new TextEncoder().encode(part))
  const source = new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const part = parts.shift()
      if (part === undefined) {
        controller.close()
        controller.byobRequest?.respond(0)
      } else if (part.length > 0) controller.enqueue(part)
      else void this.pull?.(controller)
    },
  })
  const followed = span('bytes', () => source)
  const reader = followed.getReader({ mode: 'byob' })
  let text = ''
  for (;;) {
    const step = await reader.read(new Uint8Array(3))
    if (step.done) break
    text += new TextDecoder().decode(step.value)
  }
  assert.equal(text, 'one two')
  assert.equal((await one()).name, 'bytes')
})

test('promises that nobody waits for end their span, whatever class or realm they are of', async () => {
  class Job extends Promise<number> {}
  span('class', () => Job.resolve(1))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await one()).name, 'class')
  span('realm', () => runInNewContext('Promise.resolve(2)'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await one()).name, 'realm')
})

test('an iterable that cannot begin', async () => {
  const broken = {
    [Symbol.asyncIterator](): AsyncIterator<number> {
      throw new Error('no cursor')
    },
  }
  await assert.rejects(async () => {
    for await (const _ of traced('broken', () => broken)()) assert.fail()
  }, /no cursor/)
  assert.equal((await one()).statusMessage, 'no cursor')
})
