// Whatever an application puts into a span: what is shown of it, and that nothing fails or hangs.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { context, type Engine, init, MemoryExporter, type Span, type SpanRecord, setLogger } from 'polyspan'

setLogger(() => undefined)
const exporter = new MemoryExporter()
let engine: Engine
before(() => {
  engine = init('tests', { exporter, redaction: false })
})
after(() => engine.shutdown())

async function shown(input: unknown): Promise<unknown> {
  engine.start('x', { input }).end()
  await engine.flush()
  return (exporter.take()[0] as SpanRecord).input
}

/** What arrives of a span that `fill` is given. */
async function recorded(name: string, fill: (span: Span) => unknown): Promise<SpanRecord> {
  const started = engine.start(name)
  fill(started)
  if (started.isRecording) started.end()
  await engine.flush()
  return exporter.take()[0] as SpanRecord
}

class Account {
  readonly id = 7
  #secret = 'hidden'
  get shown(): string {
    return this.#secret
  }
}

class Own {
  toJSON(): unknown {
    return { own: [this.constructor.name] }
  }
}

class Endless {
  toJSON(): unknown {
    return new Endless()
  }
}

const cyclic: Record<string, unknown> = { name: 'a', list: [1] }
cyclic.self = cyclic
;(cyclic.list as unknown[]).push(cyclic)

const failure = Object.assign(new RangeError('out', { cause: 'because' }), { code: 'E_OUT' })

const cases: [name: string, given: unknown, expected: unknown][] = [
  ['undefined in a list', [undefined, null], [null, null]],
  ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
  ['no date', new Date(Number.NaN), 'Invalid Date'],
  [
    'a map',
    new Map<unknown, unknown>([
      ['a', 1],
      [2, 'b'],
      [{}, 'c'],
    ]),
    { 2: 'b', a: 1, '[Object]': 'c' },
  ],
  ['a set', new Set([1, 'a']), [1, 'a']],
  ['large whole numbers', [2n ** 70n, -5n, 2 ** 53], ['1180591620717411303424', -5, 2 ** 53]],
  ['bytes', [Buffer.from('ab'), new Uint8Array([1]).buffer], [new Uint8Array([97, 98]), new Uint8Array([1])]],
  ['numbers of other widths', new Float32Array([0.5, 2]), [0.5, 2]],
  [
    'symbols and functions',
    [Symbol('s'), function named() {}, () => 1],
    ['Symbol(s)', '[Function named]', '[Function]'],
  ],
  ['a class instance', new Account(), { id: 7 }],
  ['its own form', new Own(), { own: ['Own'] }],
  ['an endless form', new Endless(), '[Circular]'],
  ['a cycle', cyclic, { name: 'a', list: [1, '[Circular]'], self: '[Circular]' }],
  ['a pattern and an address', [/a+/g, new URL('https://example.com/a')], ['/a+/g', 'https://example.com/a']],
  ['boxed values', [Object(5), Object('s'), Object(true)], [5, 's', true]],
  ['promises', [Promise.resolve(1), new WeakMap()], ['[Promise]', '[weak collection]']],
  ['headers', new Headers({ accept: '*/*' }), { accept: '*/*' }],
  [
    'a request',
    new Request('http://localhost/x', { method: 'POST' }),
    { method: 'POST', url: 'http://localhost/x', headers: {} },
  ],
  ['no prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  [
    'keys of the language',
    JSON.parse('{"__proto__": 1, "constructor": 2}'),
    JSON.parse('{"__proto__": 1, "constructor": 2}'),
  ],
  ['holes', Object.assign(new Array(3), { 0: 1, 2: 3 }), [1, null, 3]],
]

for (const [name, given, expected] of cases) {
  test(`value: ${name}`, async () => assert.deepEqual(await shown(given), expected))
}

test('value: an error, with its cause and its own properties', async () => {
  const { stack, ...rest } = (await shown(failure)) as Record<string, unknown>
  assert.deepEqual(rest, { name: 'RangeError', message: 'out', cause: 'because', code: 'E_OUT' })
  assert.match(stack as string, /RangeError: out/)
})

test('value: getters, proxies and forms that throw', async () => {
  const given = {
    fine: 1,
    get bad(): unknown {
      throw new TypeError('no')
    },
    form: {
      toJSON(): unknown {
        throw new RangeError('no')
      },
    },
    proxy: new Proxy({}, { ownKeys: () => raise() }),
    prototype: new Proxy({}, { getPrototypeOf: () => raise() }),
    revoked: revoked(),
  }
  assert.deepEqual(await shown(given), {
    fine: 1,
    bad: '[getter threw TypeError]',
    form: '[toJSON threw RangeError]',
    proxy: '[unreadable: Error]',
    prototype: '[unreadable: Error]',
    revoked: '[unreadable: TypeError]',
  })
})

test('value: iterators that throw cost what they had not given by then', async () => {
  class List extends Array<number> {
    override *[Symbol.iterator](): ArrayIterator<number> {
      yield 1
      throw new RangeError('no')
    }
  }
  class Pairs extends Map<string, unknown> {
    override *[Symbol.iterator](): MapIterator<[string, unknown]> {
      yield ['a', [1]]
      throw new TypeError('no')
    }
  }
  const list = new List(1, 2, 3)
  const given = { before: 1, list, pairs: new Pairs([['x', 1]]), nested: [list, 'after'], after: 2 }
  assert.deepEqual(await shown(given), {
    before: 1,
    list: [1, '[unreadable: RangeError]'],
    pairs: { a: [1], __unreadable: '[unreadable: TypeError]' },
    nested: [[1, '[unreadable: RangeError]'], 'after'],
    after: 2,
  })
})

test('value: of a hundred megabytes as little is visited as is kept', async () => {
  let visited = 0
  const counting = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(from, key) {
        if (typeof key === 'string' && /^\d+$|^k/.test(key)) visited += 1
        return Reflect.get(from, key)
      },
    })
  // Numbers of eight bytes each.
  const numbers = counting(new Array(12_500_000).fill(0.5))
  const texts = Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`k${at}`, 'x'.repeat(50_000)]))
  const found = (await shown({ numbers, texts: counting(texts) })) as Record<string, unknown[]>
  assert.ok(visited <= 1100, `${visited}`)
  assert.equal(found.numbers?.[0], 0.5)
  const error = new AggregateError([new Error('one'), 'two'], 'both', { cause: { code: 7 } })
  const { errors, cause } = (await shown(error)) as Record<string, Record<string, unknown>[]>
  assert.deepEqual([errors?.[0]?.message, errors?.[1], cause], ['one', 'two', { code: 7 }])
})

function raise(): never {
  throw new Error('no')
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

test('value: a getter that records a span itself', async () => {
  const given = {
    get inner(): string {
      engine.start('inner', { input: { deep: [1, 2, 3] } }).end()
      return 'value'
    },
    after: { x: 1 },
  }
  engine.start('outer', { input: given }).end()
  await engine.flush()
  const spans = exporter.take()
  assert.deepEqual(
    spans.map((span) => [span.name, span.input]),
    [
      ['inner', { deep: [1, 2, 3] }],
      ['outer', { inner: 'value', after: { x: 1 } }],
    ],
  )
})

test('value: what is set is what was there then', async () => {
  const given = { list: [1] }
  const span = engine.start('x', { input: given, attributes: { given } })
  given.list.push(2)
  span.end()
  await engine.flush()
  const [record] = exporter.take()
  assert.deepEqual([record?.input, record?.attributes.given], [{ list: [1] }, { list: [1] }])
})

test('value: huge ones are cut, and touched no further', async () => {
  let touched = 0
  const items = new Proxy(new Array(10_000_000).fill(0), {
    get(target, key) {
      touched += 1
      return Reflect.get(target, key)
    },
  })
  const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, at]))
  let deep: unknown = 'x'
  for (let depth = 0; depth < 100_000; depth++) deep = [deep]
  assert.match(String(await shown('x'.repeat(100_000_000))).slice(-20), /…\[truncated\]$/)
  assert.equal(await shown(new Uint8Array(200_000_000)), '[bytes length=200000000]')
  const found = (await shown({ items, wide, deep })) as Record<string, Record<string, unknown> & unknown[]>
  assert.ok(touched < 10_000, `${touched}`)
  assert.match(found.items?.at(-1) as string, /^\[…\d+ more items\]$/)
  assert.match(String(found.wide?.__truncated), /^\d+ more keys omitted$/)
  assert.ok(JSON.stringify(found.deep).includes('[MaxDepth]'))
  assert.ok(engine.stats().altered > 0)
})

test('attributes that are none are left out and counted', async () => {
  const before = engine.stats().altered
  const span = engine.start('x')
  for (const bad of [null, undefined, 5, [['a']], new Proxy({}, { ownKeys: () => raise() })]) {
    span.set(bad as never).update({ metadata: bad as never, tags: bad as never })
  }
  span
    .set('', 1)
    .set(new Map([['m', 1]]))
    .set([['p', 2]])
  span
    .update(null as never)
    .status('perhaps' as never)
    .link({} as never)
    .end()
  await engine.flush()
  const [record] = exporter.take()
  assert.deepEqual(record?.attributes, { m: 1, p: 2 })
  assert.ok(engine.stats().altered > before)
})

test('integers that are longer than anybody reads', async () => {
  const record = await recorded('big', (started) => {
    started
      .set('digits', 2n ** 100n)
      .set('bits', 2n ** 3_000_000n)
      .set('negative', -(2n ** 20_000n - 1n))
    started.set('list', [2n ** 64n, 2n ** 3_000_000n])
  })
  assert.deepEqual(record.attributes, {
    digits: '1267650600228229401496703205376',
    bits: '<int of 3000001 bits>',
    negative: '<int of 20000 bits>',
    list: ['18446744073709551616', '<int of 3000001 bits>'],
  })
})

test('iterables without an end, and arguments that cannot be read', async () => {
  function* endless(): Generator<[string, number]> {
    for (let i = 0; ; i++) yield [`k${i}`, i]
  }
  function* names(): Generator<string> {
    for (;;) yield 'again'
  }
  const sparse: string[] = []
  sparse[4_294_967_290] = 'last'
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const throws = {
    get name(): never {
      throw new Error('no name')
    },
    get end(): never {
      throw new Error('no end')
    },
  }
  const record = await recorded('hostile', (started) => {
    started.set(endless()).update({ tags: names(), metadata: endless() }).update({ tags: sparse })
    started.update(throws).update(proxy).error(new Error('x'), { end: false })
    started.error(new Error('y'), null as never).update({ name: 'late' })
    started.end(proxy as never, throws)
  })
  assert.equal(record.statusMessage, 'y')
  const other = await recorded('failing', (started) => {
    started.error(new Error('z'), throws as never)
  })
  assert.equal(other.name, 'failing')
})

test('many attributes cost what one costs, so many times', async () => {
  // That many looks at all the others would take minutes.
  const many: Record<string, number> = {}
  for (let i = 0; i < 50_000; i++) many[`key ${i}`] = i
  const wide = await recorded('wide', (started) => void started.set(many).set('key 7', 'last'))
  assert.equal(wide.attributes['key 7'], 'last')
  // The same where there is no more room: what is there already can be replaced.
  const text = 'x'.repeat(100)
  const full = await recorded('full', (started) => {
    for (let i = 0; i < 200_000; i++) started.set(`key ${i}`, text)
    for (let i = 0; i < 100_000; i++) started.set('key 7', i)
  })
  assert.equal(full.attributes['key 7'], 99_999)
  assert.ok(full.droppedAttributes > 0)
})

test('texts of a hundred megabytes are cut wherever they are given', async () => {
  const long = 'long '.repeat(20_000_000)
  const before = process.memoryUsage().arrayBuffers
  const { altered } = engine.stats()
  const shown: ((started: Span) => unknown)[] = [
    (started) => started.update({ input: long }),
    (started) => started.update({ output: long }),
    (started) => started.set('text', long),
    (started) => started.set({ text: long }),
  ]
  for (const fill of shown) {
    const { input, output, attributes } = await recorded('long', fill)
    const kept = String(input ?? output ?? attributes.text)
    assert.ok(kept.startsWith('long long') && kept.endsWith('…[truncated]'))
    assert.ok(kept.length > 100_000 && kept.length < 1_048_600, `${kept.length}`)
  }
  // What an encoder is given it encodes whole.
  const { encode } = TextEncoder.prototype
  let most = 0
  TextEncoder.prototype.encode = function (text = '') {
    most = Math.max(most, text.length)
    return encode.call(this, text)
  }
  const record = await recorded('long', (started) => {
    started.rename(long).event(long, { text: long })
    started.error(Object.assign(new Error(long), { stack: long }), { end: false })
  })
  TextEncoder.prototype.encode = encode
  assert.ok(most < 1_100_000, `${most}`)
  assert.equal(Buffer.byteLength(record.name), 0x7fff)
  assert.ok(Buffer.byteLength(String(record.statusMessage)) < 1_048_600)
  assert.ok(engine.stats().altered > altered)
  assert.ok(process.memoryUsage().arrayBuffers - before < 200_000_000)
})

test('of what spans inherit as much is read as is kept', async () => {
  let visited = 0
  const item = {
    get text() {
      visited += 1
      return 'some text'
    },
  }
  const list = new Array(500_000).fill(item)
  const record = await context(
    { metadata: { list, whole: [1, 2.5, -0, 3n, null, { '__proto__ ': true }] } },
    () => recorded('inside', () => undefined),
  )
  assert.ok(visited > 0 && visited < 100_000, `${visited}`)
  assert.match(JSON.stringify(record.metadata.list), /truncated/)
  assert.deepEqual(record.metadata.whole, [1, 2.5, -0, 3, null, { '__proto__ ': true }])
})
