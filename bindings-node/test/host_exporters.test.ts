// Exporters of the application: what they are given, what they throw, and that none disturbs another.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { setTimeout as later } from 'node:timers/promises'
import {
  currentSpan,
  type Engine,
  event,
  type FinishedSpan,
  type InitOptions,
  init,
  log,
  MemoryExporter,
  type PolyspanError,
  type SpanExporter,
  setLogger,
  span,
} from 'polyspan'

const lines: string[] = []
setLogger((line) => lines.push(line))

let running: Engine[] = []

/** Starts an engine of the test's own, which is stopped at its end. */
function started(exporters: InitOptions['exporters'], options: InitOptions = {}): Engine {
  const engine = init('tests', { exporters, replace: true, schedule_delay: 0.01, ...options })
  running.push(engine)
  return engine
}

afterEach(async () => {
  for (const engine of running) {
    await engine.shutdown()
    assert.ok(engine.stats().addsUp)
    assert.equal(engine.stats().panics, 0)
  }
  running = []
  lines.length = 0
})

/** Keeps what it is given. */
class Keeping implements SpanExporter {
  spans: FinishedSpan[] = []
  calls: string[] = []

  export(spans: FinishedSpan[]): void {
    this.spans.push(...spans)
  }

  flush(): void {
    this.calls.push('flush')
  }

  shutdown(): void {
    this.calls.push('shutdown')
  }
}

/** Waits until it holds. */
async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 30_000
  while (!holds()) {
    assert.ok(Date.now() < end, 'it did not happen in time')
    await later(5)
  }
}

test('a class with export is an exporter', async () => {
  const exporter = new Keeping()
  const engine = started([exporter])
  let ids: string[] = []
  span('outer', { type: 'agent', input: { question: ['why'] }, tags: ['beta'] }, (outer) => {
    span('inner', { metadata: { tier: 'gold' }, kind: 'client' }, (inner) => {
      inner.event('thought', { n: 1 })
      inner.link(outer, { because: true })
    })
    outer.update({ output: 'therefore' }).set('attempt', 2)
    ids = [outer.spanId, outer.traceId]
  })
  await engine.flush()
  const [last, first] = exporter.spans as [FinishedSpan, FinishedSpan]
  assert.deepEqual([first.name, first.type, first.kind], ['outer', 'agent', 'internal'])
  assert.deepEqual([first.input, first.output], [{ question: ['why'] }, 'therefore'])
  assert.deepEqual([first.attributes, first.tags], [{ attempt: 2 }, ['beta']])
  assert.deepEqual([first.isRoot, first.isLocalRoot, last.isRoot], [true, true, false])
  assert.deepEqual([first.id, first.traceId], ids)
  assert.deepEqual([last.parentId, first.parentId], [first.id, undefined])
  assert.deepEqual([last.metadata, last.kind], [{ tier: 'gold' }, 'client'])
  assert.deepEqual(
    last.events.map(({ name, attributes }) => [name, attributes]),
    [['thought', { n: 1 }]],
  )
  const [link] = last.links
  assert.equal((link?.context as { spanId?: string } | undefined)?.spanId, first.id)
  assert.deepEqual(link?.attributes, { because: true })
  assert.equal(last.duration, (last.endTime as bigint) - last.startTime)
  assert.equal(first.resource['service.name'], 'tests')
  assert.equal(first.scope.name, 'polyspan')
  assert.deepEqual([first.status, first.error], ['unset', undefined])
  assert.deepEqual(first.dropped, { attributes: 0, events: 0, links: 0 })
  const plain = JSON.parse(JSON.stringify(first))
  assert.deepEqual([plain.input, plain.startTime], [{ question: ['why'] }, String(first.startTime)])
  assert.equal(engine.stats().exported, 2)
  await engine.shutdown()
  assert.equal(exporter.calls.at(-1), 'shutdown')
  assert.ok(exporter.calls.includes('flush'))
})

test('what went wrong is there to read', async () => {
  const exporter = new Keeping()
  const engine = started([exporter])
  assert.throws(() =>
    span('failing', () => {
      throw new RangeError('no order 7')
    }),
  )
  await engine.flush()
  const [failed] = exporter.spans
  assert.equal(failed?.status, 'error')
  assert.deepEqual([failed?.error?.type, failed?.error?.message], ['RangeError', 'no order 7'])
  assert.match(failed?.error?.stack ?? '', /RangeError: no order 7/)
})

test('methods for events are enough', async () => {
  const ended: string[] = []
  const engine = started([
    { name: 'listening', onSpanEnded: (one) => ended.push(one.name) },
    {
      name: 'matching',
      exportEvent: (event) => {
        if (event.type === 'span_ended') ended.push(`${event.span.name}!`)
      },
    },
  ])
  engine.start('one').end()
  engine.start('two').end()
  await engine.flush()
  assert.deepEqual(ended.sort(), ['one', 'one!', 'two', 'two!'])
  assert.deepEqual(Object.keys(engine.stats().exporters), ['listening', 'matching'])
})

test('promises are awaited side by side, and calls of one follow each other', async () => {
  const order: string[] = []
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  class First implements SpanExporter {
    async export(spans: FinishedSpan[]): Promise<void> {
      // Ends only if the other one runs meanwhile.
      await gate
      order.push(...spans.map((one) => one.name))
    }
    async flush(): Promise<void> {
      await null
      order.push('flushed')
    }
  }
  const engine = started([new First(), { name: 'second', onSpanEnded: async () => open() }])
  engine.start('awaited').end()
  await engine.flush()
  assert.deepEqual(order, ['awaited', 'flushed'])
  assert.equal(engine.stats().exported, 1)
})

test('what an exporter throws is counted and said once', async () => {
  const keeping = new Keeping()
  class Throwing implements SpanExporter {
    name = 'throwing exporter'
    export(spans: FinishedSpan[]): void {
      throw new Error(`not ${spans.length} again`)
    }
    flush(): void {
      throw new TypeError('nothing to flush')
    }
    async shutdown(): Promise<void> {
      throw 'a text'
    }
  }
  const engine = started([new Throwing(), keeping])
  for (let i = 0; i < 3; i++) {
    engine.start('lost there').end()
    await engine.flush()
  }
  await engine.shutdown()
  assert.deepEqual(engine.stats().exporters['throwing exporter']?.dropped, { host_failed: 3 })
  assert.equal(keeping.spans.length, 3)
  const said = lines.filter((line) => line.includes('throwing exporter: export threw'))
  assert.deepEqual(said, ['polyspan: throwing exporter: export threw Error: not 1 again'])
})

test('an exporter says that it was refused', async () => {
  const engine = started([{ name: 'refused', export: () => false }])
  engine.start('refused').end()
  await engine.flush()
  assert.deepEqual(engine.stats().exporters.refused?.dropped, { rejected: 1 })
})

test('one span that cannot be delivered costs itself', async () => {
  const choosy = {
    name: 'choosy',
    onSpanEnded(one: FinishedSpan) {
      if (one.name === 'bad') throw new Error(one.name)
    },
  }
  const engine = started([choosy])
  for (const name of ['good', 'bad', 'good']) engine.start(name).end()
  await engine.flush()
  const counts = engine.stats().exporters.choosy
  assert.deepEqual([counts?.exported, counts?.dropped], [2, { host_failed: 1 }])
})

test('one that hangs holds up no other', async () => {
  let release = (): void => undefined
  let reached = false
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const healthy: string[] = []
  const engine = started([
    {
      name: 'hanging',
      async export() {
        reached = true
        await gate
      },
    },
    { name: 'healthy', onSpanEnded: (one) => healthy.push(one.name) },
  ])
  engine.start('first').end()
  await until(() => reached)
  for (let i = 0; i < 9; i++) engine.start('later').end()
  await until(() => healthy.length === 10)
  await assert.rejects(engine.flush({ timeout: 0.05 }), /not known to be delivered/)
  assert.ok(engine.stats().addsUp)
  release()
  await engine.flush()
  assert.equal(engine.stats().exported, 10)
})

test('an exporter records nothing itself', async () => {
  const inner: unknown[] = []
  const engine = started([
    {
      name: 'recording',
      async onSpanEnded() {
        span('of the exporter', (own) => inner.push(own.isRecording))
        await null
        span('a root of it', { root: true }, (own) => inner.push(own.isRecording))
        event('an event')
        inner.push(log('error', 'a line'), currentSpan().isRecording)
      },
    },
  ])
  engine.start('outer').end()
  await engine.flush()
  await engine.flush()
  assert.deepEqual(inner, [false, false, false, false])
  assert.deepEqual([engine.stats().ended, engine.stats().logs.emitted], [1, 0])
})

test('formatters change what one exporter gets', async () => {
  const shout = (one: FinishedSpan): FinishedSpan => {
    one.name = one.name.toUpperCase()
    return one
  }
  const enrich = async (one: FinishedSpan): Promise<FinishedSpan> => {
    await null
    if (one.name === 'BAD') throw new RangeError('nobody by that name')
    one.metadata.user = 'Ada'
    return one
  }
  class Formatted extends Keeping {
    formatters = [shout, enrich]
  }
  const [formatted, plain] = [new Formatted(), new Keeping()]
  const engine = started([formatted, plain])
  engine.start('good').end()
  engine.start('bad').end()
  await engine.flush()
  // One that throws leaves the span as it was.
  assert.deepEqual(
    formatted.spans.map(({ name, metadata }) => [name, metadata]),
    [
      ['GOOD', { user: 'Ada' }],
      ['bad', {}],
    ],
  )
  assert.deepEqual(
    plain.spans.map(({ name }) => name),
    ['good', 'bad'],
  )
  assert.deepEqual([engine.stats().hostErrors, engine.stats().exported], [1, 2])
  assert.deepEqual(
    lines.filter((line) => line.includes('enrich')),
    ['polyspan: Formatted: enrich threw RangeError: nobody by that name'],
  )
})

test("formatters stand before an exporter of the engine's own", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'polyspan-'))
  const path = join(folder, 'spans.jsonl')
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      bodies.push(Buffer.concat(parts).toString('latin1'))
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as { port: number }
    const shout = async (one: FinishedSpan): Promise<FinishedSpan> => {
      if (one.name === 'bad') throw new Error(one.name)
      one.name = one.name.toUpperCase()
      one.attributes.password = 'hunter2'
      return one
    }
    const plain = new Keeping()
    const engine = started([
      { type: 'otlp_http', endpoint: `http://127.0.0.1:${port}`, compression: 'none', formatters: [shout] },
      { type: 'file', path, formatters: shout },
      plain,
    ])
    for (const name of ['good', 'bad']) engine.start(name).end()
    await engine.flush()
    // What a formatter adds is redacted like everything else.
    assert.match(bodies.join(''), /GOOD/)
    assert.doesNotMatch(bodies.join('') + readFileSync(path, 'utf8'), /hunter2/)
    assert.match(readFileSync(path, 'utf8'), /GOOD/)
    assert.deepEqual(
      plain.spans.map(({ name }) => name),
      ['good', 'bad'],
    )
    const stats = engine.stats()
    assert.deepEqual([stats.exported, stats.hostErrors, stats.dropped], [2, 2, {}])
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true, force: true })
  }
})

test('formatters that hang cost their exporter alone', async () => {
  const memory = new MemoryExporter()
  const folder = mkdtempSync(join(tmpdir(), 'polyspan-'))
  const path = join(folder, 'spans.jsonl')
  try {
    const hanging = { type: 'file', path, formatters: [() => new Promise<FinishedSpan>(() => undefined)] }
    const engine = started([hanging, memory])
    engine.start('stuck there').end()
    await assert.rejects(engine.shutdown({ timeout: 0.5 }), /not known to be delivered/)
    assert.equal(memory.spans.length, 1)
    assert.deepEqual(engine.stats().exporters.file?.dropped, { shutdown: 1 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('the same exporter is the same option', async () => {
  const exporter = new Keeping()
  const engine = init('tests', { name: 'same', exporters: [exporter] })
  running.push(engine)
  assert.equal(init('tests', { name: 'same', exporters: [exporter] }).name, engine.name)
  assert.throws(() => init('tests', { name: 'same', exporters: [new Keeping()] }), /other options/)
})

test('what is no exporter, processor, filter or formatter is refused', () => {
  class Formatted extends Keeping {
    formatters = ['upper'] as never
  }
  const refused: [InitOptions, RegExp][] = [
    [
      { exporters: [new Formatted()] },
      /^Formatted\.formatters\[0\]: "upper" is not usable; expected a function/,
    ],
    [{ exporters: ['none', Keeping as never] }, /^exporters\[1\]: class Keeping is not usable/],
    [{ exporter: Keeping as never }, /^exporter: class Keeping is not usable/],
    [{ exporters: [new Date() as never] }, /^exporters\[0\]: an object of Date is not usable/],
    [
      { exporters: [{ type: 'file', path: 'x', formatters: [1 as never] }] },
      /^exporters\[0\]\.formatters\[0\]: "1"/,
    ],
    [{ processors: [() => undefined, {} as never] }, /^processors\[1\]: an object of Object is not usable/],
    [{ spanFilter: 'all' as never }, /^spanFilter: "all" is not usable; expected a function of a span/],
    [{ logLevel: 'loud' as never }, /^logLevel: "loud"/],
  ]
  for (const [options, message] of refused) {
    assert.throws(
      () => init('tests', { name: 'refused', exporter: 'none', ...options }),
      (error: PolyspanError) => {
        assert.equal(error.code, 'invalid_option')
        assert.match(error.message, message)
        return true
      },
    )
  }
})

test('spans are followed while they are open', async () => {
  const told: unknown[][] = []
  const exporter: SpanExporter = {
    name: 'following',
    onTraceStarted: (trace) => told.push(['trace', 'started', trace.name, trace.endTime]),
    onSpanStarted: (one) => told.push([one.id, 'started', one.name, one.input, one.attributes, one.endTime]),
    onSpanUpdated: (one) => told.push([one.id, 'updated', one.name, one.output]),
    onSpanDropped: (one) => told.push([one.id, 'dropped', one.reason]),
    onSpanEnded: (one) => told.push([one.id, 'ended', one.name]),
    onTraceEnded: (trace) => told.push(['trace', 'ended', trace.spanCount, trace.droppedCount]),
  }
  const engine = started([exporter], {
    spanFilter: (one: FinishedSpan) => one.endTime === undefined || one.name !== 'noise',
  })
  let [answer, noise] = ['', '']
  span('answer', { type: 'agent', input: 'q', attributes: { user: 'u' } }, (outer) => {
    outer.update({ output: 'looking it up' })
    const inner = engine.start('noise')
    inner.end()
    event('an instant')
    answer = outer.spanId
    noise = inner.spanId
  })
  await engine.flush()
  // What is said of one span keeps its order.
  const of = (id: string): unknown[] => told.filter(([about]) => about === id).map(([, ...rest]) => rest)
  assert.deepEqual(of(answer), [
    ['started', 'answer', 'q', { user: 'u' }, undefined],
    ['updated', 'answer', 'looking it up'],
    ['ended', 'answer'],
  ])
  assert.deepEqual(of(noise), [
    ['started', 'noise', undefined, {}, undefined],
    ['dropped', 'filtered'],
  ])
  assert.deepEqual(of('trace'), [
    ['started', 'answer', undefined],
    ['ended', 2, 1],
  ])
  assert.deepEqual([told[0]?.[0], told.at(-1)?.[0], told.length], ['trace', 'trace', 8])
})

test('a span that is open at the end is told to be dropped', async () => {
  const told: string[] = []
  const engine = started([
    {
      name: 'following',
      onSpanStarted: (one) => told.push(`started ${one.name}`),
      onSpanDropped: (one) => told.push(`dropped ${one.reason}`),
    },
  ])
  engine.start('never ended')
  await engine.shutdown()
  assert.deepEqual(told, ['started never ended', 'dropped shutdown'])
})
