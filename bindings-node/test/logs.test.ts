// Log records: what they say, what they belong to, and from which level on they are kept.

import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import {
  context,
  type Engine,
  init,
  type LogLevel,
  type LogRecord,
  log,
  MemoryExporter,
  type PolyspanError,
  setLogger,
  setLogLevel,
  span,
  stats,
} from 'polyspan'
import { type Json, vectors } from './vectors'

setLogger(() => undefined)
const memory = new MemoryExporter()
let engine: Engine

beforeEach(async () => {
  // The same one each time: its options are.
  engine = init('tests', {
    exporter: memory,
    replace: true,
    logLevel: 'info',
    limits: { maxStringLength: 40 },
  })
  memory.clear()
})

async function logged(): Promise<LogRecord[]> {
  await engine.flush()
  assert.ok(stats().addsUp)
  return memory.logs
}

test('a record says what was logged', async () => {
  assert.equal(
    log('warn', { card: 'visa', refused: true }, { attributes: { attempt: 2 }, logger: 'billing' }),
    true,
  )
  log('error', 'settling failed', {
    error: new RangeError('after 5 s'),
    eventName: 'settle.failed',
    time: 1_767_225_600_000_000_000n,
  })
  const [first, second] = (await logged()) as [LogRecord, LogRecord]
  assert.deepEqual([first.body, first.attributes], [{ card: 'visa', refused: true }, { attempt: 2 }])
  assert.deepEqual([first.severity, first.severityText, first.logger], [13, 'WARN', 'billing'])
  assert.deepEqual(
    [first.traceId, first.spanId, first.resource['service.name']],
    [undefined, undefined, 'tests'],
  )
  assert.ok(first.time > 1_700_000_000_000_000_000n)
  assert.deepEqual([second.time, second.eventName], [1_767_225_600_000_000_000n, 'settle.failed'])
  assert.equal(second.attributes['exception.type'], 'RangeError')
  assert.equal(second.attributes['exception.message'], 'after 5 s')
})

test('it belongs to the current span, or the one given, and inherits', async () => {
  const ids: (string | undefined)[] = []
  context({ sessionId: 's-42', metadata: { tier: 'gold' } }, () => {
    span('work', (work) => {
      log('info', 'inside')
      ids.push(work.traceId, work.spanId)
    })
    log('info', 'between')
  })
  const other = span.start('other')
  log('info', 'of the other', { span: other })
  log('info', 'of none', { span: 'nonsense' })
  const [inside, between, given, none] = (await logged()) as [LogRecord, LogRecord, LogRecord, LogRecord]
  assert.deepEqual([inside.traceId, inside.spanId], ids)
  assert.deepEqual([inside.attributes['session.id'], inside.metadata], ['s-42', { tier: 'gold' }])
  assert.deepEqual([between.traceId, between.attributes['session.id']], [undefined, 's-42'])
  assert.deepEqual([given.spanId, none.spanId], [other.spanId, undefined])
  other.end()
})

test('records are redacted and limited', async () => {
  log('info', 'the password is hunter2x', { attributes: { api_key: 'sk-1', text: 'x'.repeat(100) } })
  log('info', 'y'.repeat(1000))
  const [first, second] = (await logged()) as [LogRecord, LogRecord]
  assert.deepEqual([first.body, first.attributes.api_key], ['the password is [REDACTED]', '[REDACTED]'])
  assert.ok(String(first.attributes.text).length < 100)
  assert.ok(String(second.body).length < 100)
})

test('nothing that is logged throws', async () => {
  const cyclic: Json = { name: 'cyclic' }
  cyclic.self = cyclic
  log('info', cyclic)
  log('loud' as never, 'unknown level', { time: 'soon' as never, attributes: 7 as never })
  log('info', {
    get broken() {
      throw new Error('no')
    },
  })
  const bodies = (await logged()).map(({ body }) => body)
  const broken = { broken: '[getter threw Error]' }
  assert.deepEqual(bodies, [{ name: 'cyclic', self: '[Circular]' }, 'unknown level', broken])
})

test('the level is changed while the program runs', async () => {
  const { emitted, exported } = stats().logs
  setLogLevel('error')
  assert.equal(log('warn', 'left out'), false)
  engine.setLogLevel('trace')
  assert.equal(log('trace', 'kept'), true)
  assert.deepEqual(
    (await logged()).map(({ body }) => body),
    ['kept'],
  )
  assert.deepEqual([stats().logs.emitted - emitted, stats().logs.exported - exported], [1, 1])
})

const { severities, levels } = vectors('logs.json')

test('levels keep what the vectors say', async () => {
  for (const [name, least] of levels as [LogLevel, number | null | 'unknown'][]) {
    if (least === 'unknown') {
      assert.throws(
        () => setLogLevel(name),
        (error: PolyspanError) => error.code === 'invalid_option' && error.message.startsWith('logLevel: '),
      )
      continue
    }
    setLogLevel(name)
    for (const [number, severity] of (severities as string[]).entries()) {
      if (!['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].includes(severity)) continue
      assert.equal(log(severity as never, name), least !== null && number >= least, `${name} ${severity}`)
    }
  }
})

test('one that takes log records alone is an exporter of them', async () => {
  const lines: string[] = []
  const apart = init('tests', {
    name: 'apart',
    exporter: 'none',
    logsExporter: { name: 'lines', onLog: (record) => lines.push(`${record.severityText} ${record.body}`) },
    replace: true,
  })
  apart.span('work', () => undefined)
  await engine.shutdown()
  log('info', 'to the engine that is left')
  await apart.flush()
  const { exported } = apart.stats().logs
  await apart.shutdown()
  assert.deepEqual([lines, exported], [['INFO to the engine that is left'], 1])
})
