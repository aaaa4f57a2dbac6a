// `traced`, the decorators, and results that go on after their function has returned.

import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  currentSpan,
  type Engine,
  InstrumentClass,
  init,
  instrument,
  MemoryExporter,
  type SpanRecord,
  setLogger,
  span,
  traced,
  withSpan,
  withTraceId,
} from 'polyspan'

setLogger(() => undefined)
const exporter = new MemoryExporter()
let engine: Engine
before(() => {
  engine = init('tests', { exporter })
})
beforeEach(() => exporter.clear())
after(() => engine.shutdown())

async function recorded(): Promise<SpanRecord[]> {
  await engine.flush()
  assert.ok(engine.stats().addsUp)
  return exporter.take()
}

async function one(): Promise<SpanRecord> {
  const spans = await recorded()
  assert.equal(spans.length, 1, spans.map((record) => record.name).join())
  return spans[0] as SpanRecord
}

test('functions of every kind keep what they are', async () => {
  const add = traced(function add(a: number, b: number): number {
    return a + b
  })
  assert.deepEqual([add.name, add.length, add(1, 2)], ['add', 2, 3])
  const search = traced('search', { type: 'tool', attributes: { index: 'main' } }, async (query: string) => [
    query,
  ])
  assert.deepEqual(await search('q'), ['q'])
  const quiet = traced({ name: 'quiet', captureInput: false, captureOutput: false }, (x: number) => x)
  assert.equal(quiet(5), 5)
  const object = {
    base: 10,
    more: traced('more', function (this: { base: number }, x: number) {
      return this.base + x
    }),
  }
  assert.equal(object.more(1), 11)
  const told = (await recorded()).map(({ name, type, input, output }) => [name, type, input, output])
  assert.deepEqual(told, [
    ['add', 'generic', [1, 2], 3],
    ['search', 'tool', 'q', ['q']],
    ['quiet', 'generic', undefined, undefined],
    ['more', 'generic', 1, 11],
  ])
})

test('decorators on methods and classes', async () => {
  class Service {
    #factor = 2

    @withSpan({ type: 'tool' })
    async double(x: number): Promise<number> {
      await sleep(1)
      return x * this.#factor
    }

    @withSpan('renamed')
    static make(): Service {
      return new Service()
    }
  }

  @InstrumentClass({ type: 'workflow_step', exclude: ['left'] })
  class Steps {
    first(): string {
      return this._hidden()
    }
    left(): void {}
    _hidden(): string {
      return 'done'
    }
    get getter(): number {
      return 1
    }
    static of(): Steps {
      return new Steps()
    }
  }

  assert.equal(await Service.make().double(4), 8)
  const steps = Steps.of()
  steps.left()
  assert.deepEqual([steps.first(), steps.getter, steps instanceof Steps], ['done', 1, true])
  const told = (await recorded()).map(({ name, type }) => [name, type])
  assert.deepEqual(told, [
    ['renamed', 'generic'],
    ['double', 'tool'],
    ['Steps.of', 'workflow_step'],
    ['Steps.first', 'workflow_step'],
  ])
  class Later {
    go(): number {
      return 1
    }
    skipped(): void {}
  }
  instrument(Later, { name: 'L', methods: ['go'] })
  new Later().skipped()
  assert.equal(new Later().go(), 1)
  assert.equal((await one()).name, 'L.go')
})

test('the trace of one call', async () => {
  const answer = traced('answer', async () => span('inner', () => 42))
  const [result, traceId] = await withTraceId(answer)
  assert.deepEqual([result, traceId], [42, (await recorded())[0]?.traceId])
  assert.deepEqual(
    withTraceId(() => 1),
    [1, undefined],
  )
})

test('generators run their steps inside their span', async () => {
  const numbers = traced(function* numbers(count: number): Generator<number, string, undefined> {
    for (let i = 0; i < count; i++) {
      assert.equal(currentSpan().isRecording, true)
      yield i
    }
    return 'end'
  })
  const stepping = numbers(3)
  span('between', (between) => {
    assert.deepEqual(stepping.next(), { value: 0, done: false })
    assert.equal(currentSpan(), between)
  })
  assert.deepEqual([...stepping], [1, 2])
  const left = numbers(5)
  for (const _ of left) break
  const failing = traced(function* failing(): Generator<number> {
    yield 1
    throw new Error('half-way')
  })
  assert.throws(() => [...failing()], /half-way/)
  const told = (await recorded()).map(({ name, status, output }) => [name, status, output])
  assert.deepEqual(told, [
    ['between', 'unset', undefined],
    ['numbers', 'unset', [0, 1, 2]],
    ['numbers', 'unset', [0]],
    ['failing', 'error', undefined],
  ])
})

test('async generators end when they are read, left, or fail', async () => {
  const chunks = traced('chunks', async function* (count: number, fails = false): AsyncGenerator<string> {
    const own = currentSpan()
    for (let i = 0; i < count; i++) {
      await sleep(1)
      assert.equal(currentSpan(), own)
      yield `c${i}`
    }
    if (fails) throw new Error('cut off')
  })
  const all: string[] = []
  for await (const chunk of chunks(2)) all.push(chunk)
  assert.deepEqual(all, ['c0', 'c1'])
  for await (const _ of chunks(3)) break
  await assert.rejects(async () => {
    for await (const _ of chunks(1, true));
  }, /cut off/)
  const told = (await recorded()).map(({ status, output }) => [status, output])
  assert.deepEqual(told, [
    ['unset', ['c0', 'c1']],
    ['unset', ['c0']],
    ['error', undefined],
  ])
})

test('an object that is iterated stays what it is', async () => {
  class Stream {
    controller = 'here'
    async *[Symbol.asyncIterator](): AsyncGenerator<number> {
      yield 1
      yield 2
    }
  }
  const source = new Stream()
  const stream = await span('stream', async () => source)
  assert.ok(stream instanceof Stream && stream === source && stream.controller === 'here')
  const items: number[] = []
  for await (const item of stream) items.push(item)
  assert.deepEqual(items, [1, 2])
  assert.equal((await one()).name, 'stream')
})

const encoder = new TextEncoder()

function web(chunks: number, fails = false): ReadableStream<Uint8Array> {
  let sent = 0
  return new ReadableStream({
    async pull(controller) {
      await sleep(1)
      if (sent++ < chunks) controller.enqueue(encoder.encode(`${sent} `))
      else if (fails) controller.error(new Error('lost'))
      else controller.close()
    },
  })
}

test('web responses end with their body', async () => {
  const handler = traced('handler', async (body: ReadableStream | null) => {
    return new Response(body, { status: 201, headers: { 'x-kept': 'yes' } })
  })
  const response = await handler(web(3))
  assert.ok(response instanceof Response)
  assert.deepEqual([response.status, response.headers.get('x-kept')], [201, 'yes'])
  assert.deepEqual(await recorded(), [])
  assert.equal(await response.text(), '1 2 3 ')
  assert.equal((await one()).status, 'unset')
  await handler(null)
  assert.equal((await recorded()).length, 1)
  const failing = await handler(web(1, true))
  await assert.rejects(failing.text(), /lost/)
  const failed = await one()
  assert.deepEqual([failed.status, failed.statusMessage], ['error', 'lost'])
  const cancelled = await handler(web(100))
  await cancelled.body?.cancel('enough')
  assert.equal((await one()).status, 'unset')
})

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => void stream.once('close', resolve))
}

test('node streams end their span, and errors stay unhandled', async () => {
  const open = traced('open', (source: Readable) => source)
  const read = open(Readable.from(['a', 'b']))
  assert.deepEqual(await recorded(), [])
  const parts: string[] = []
  for await (const part of read) parts.push(String(part))
  assert.deepEqual(parts, ['a', 'b'])
  assert.equal((await one()).status, 'unset')
  const broken = open(new PassThrough())
  broken.on('error', () => undefined)
  await closed(broken.destroy(new Error('torn')))
  assert.equal((await one()).statusMessage, 'torn')
  const cancelled = open(new PassThrough())
  await closed(cancelled.destroy())
  assert.equal((await one()).status, 'unset')
  await pipeline(open(Readable.from(['x'])), new PassThrough().resume())
  assert.equal((await one()).name, 'open')
})

test('what nobody reads ends when it is gone', async () => {
  await (async () => {
    await traced('unread', async () => web(1))()
  })()
  for (let i = 0; i < 200 && exporter.spans.length === 0; i++) {
    gc?.()
    await sleep(5)
    await engine.flush()
  }
  assert.equal((await one()).name, 'unread')
})

/** Has what is gone be collected, and told. */
async function collected(): Promise<void> {
  for (let i = 0; i < 10; i++) {
    gc?.()
    await sleep(2)
  }
  await engine.flush()
}

test('what is still read goes on when the result it was taken from is gone', async () => {
  const chunks = () => {
    let left = 3
    return new ReadableStream<Uint8Array>({
      pull: (controller) => (left-- > 0 ? controller.enqueue(new Uint8Array([left])) : controller.close()),
    })
  }
  const reader = await (async () => {
    const response = await traced('body', async () => new Response(chunks()))()
    return (response.body as ReadableStream<Uint8Array>).getReader()
  })()
  for (let read = 0; read < 3; read++) {
    await collected()
    assert.deepEqual(exporter.spans, [])
    assert.equal((await reader.read()).value?.[0], 2 - read)
  }
  assert.ok((await reader.read()).done)
  assert.equal((await one()).name, 'body')

  // An iterable whose iterator knows nothing of it.
  const iterator = traced('items', () => ({
    [Symbol.asyncIterator]: () => {
      let left = 2
      return { next: async () => ({ done: left === 0, value: left-- }) }
    },
  }))()[Symbol.asyncIterator]()
  for (const value of [2, 1]) {
    await collected()
    assert.deepEqual(exporter.spans, [])
    assert.equal((await iterator.next()).value, value)
  }
  assert.ok((await iterator.next()).done)
  assert.equal((await one()).name, 'items')
})

test('promises with methods of their own, and lazy ones', async () => {
  class ApiPromise extends Promise<string> {
    #own = 'private'
    withResponse(): string {
      return this.#own
    }
  }
  const call = traced('call', () => new ApiPromise((resolve) => resolve('value')))
  const pending = call()
  assert.ok(pending instanceof ApiPromise)
  assert.equal(pending.withResponse(), 'private')
  assert.equal(await pending, 'value')
  assert.equal((await one()).output, 'value')
  let runs = 0
  const lazy = traced('lazy', () => ({
    // biome-ignore lint/suspicious/noThenProperty: it is a query that runs when it is awaited.
    then(ok: (value: number) => void) {
      runs += 1
      ok(runs)
    },
    where: () => 'built',
  }))
  const query = lazy()
  assert.equal(query.where(), 'built')
  assert.equal(runs, 0)
  assert.deepEqual([await query, await query], [1, 1])
  assert.equal((await one()).output, 1)
})

test('the decorators of old', async () => {
  class Shop {
    static opened = 0
    sell(this: Shop, item: string): string {
      return item
    }
    static open(): number {
      Shop.opened += 1
      return Shop.opened
    }
  }
  // What `experimentalDecorators` compiles `@withSpan(...)` to.
  const decorate = (holder: object, key: string, decorator: ReturnType<typeof withSpan>): void => {
    const property = Object.getOwnPropertyDescriptor(holder, key) as TypedPropertyDescriptor<() => unknown>
    Object.defineProperty(holder, key, decorator(holder, key, property))
  }
  decorate(Shop.prototype, 'sell', withSpan({ type: 'tool' }))
  decorate(Shop, 'open', withSpan('opening'))
  assert.equal(new Shop().sell('tea'), 'tea')
  const sold = await one()
  assert.deepEqual([sold.name, sold.type, sold.input, sold.output], ['sell', 'tool', 'tea', 'tea'])
  assert.equal(Shop.open(), 1)
  assert.equal((await one()).name, 'opening')
  assert.throws(() => withSpan()({}, 'price', { value: 5 as never }), /@withSpan: price is no method/)
})

test('decorators without brackets, and with a name and options', async () => {
  class Plain {
    @withSpan
    double(x: number): number {
      return 2 * x
    }

    @withSpan('half', { type: 'tool' })
    static halve(x: number): number {
      return x / 2
    }
  }
  assert.equal(new Plain().double(2), 4)
  assert.deepEqual(await one().then(({ name, input, output }) => [name, input, output]), ['double', 2, 4])
  assert.equal(Plain.halve(2), 1)
  assert.deepEqual(await one().then(({ name, type }) => [name, type]), ['half', 'tool'])

  @InstrumentClass
  class Whole {
    one(): number {
      return 1
    }
  }
  assert.equal(new Whole().one(), 1)
  assert.equal((await one()).name, 'Whole.one')

  // As `experimentalDecorators` has them.
  const holder = { method: (x: number) => x }
  const property = Object.getOwnPropertyDescriptor(holder, 'method') as TypedPropertyDescriptor<
    (x: number) => number
  >
  Object.defineProperty(holder, 'method', withSpan(holder, 'method', property))
  assert.equal(holder.method(3), 3)
  assert.equal((await one()).name, 'method')
})

test('traced without a function says what it wants', () => {
  assert.throws(() => traced('x' as never), /is given the function whose calls it records/)
})
