// The border to the addon: a panic there ends in the call, is counted, and after three of them the engine is off and the
// application goes on.

import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import {
  type Engine,
  event,
  extract,
  init,
  inject,
  MemoryExporter,
  setLogger,
  shutdown,
  span,
} from 'polyspan'

setLogger(() => undefined)
const { native } = require('../lib/native.js') as {
  native(): { provokePanics?(entries: number): void }
}
/** Has so many of the next calls of the addon panic, as if none had before. Builds for users have no such thing. */
const provoke = (entries: number): void => native().provokePanics?.(entries)
const options = { skip: native().provokePanics === undefined && 'the addon is built for users' }

let exporter: MemoryExporter
let engine: Engine
beforeEach(async () => {
  provoke(0)
  await shutdown()
  exporter = new MemoryExporter()
  engine = init('border', { exporter })
})

test('a panic as spans are handed over costs them alone', options, async () => {
  span('lost', () => 1)
  provoke(1)
  await engine.flush()
  assert.equal(engine.stats().panics, 1)
  span('next', () => 1)
  await engine.flush()
  assert.deepEqual(
    exporter.spans.map(({ name }) => name),
    ['next'],
  )
})

/** What a program calls for every span or request; none of it may throw. */
const CALLS: Record<string, () => unknown> = {
  'a span the engine is asked about': () => span('asked', { traceId: 'abc' }, () => 1),
  'a span of a session': () => span('session', { sessionId: 's1' }, () => 1),
  'an event': () => event('said', { sessionId: 's1' }),
  extract: () => extract({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }),
  inject: () => span('calls', () => inject({})),
}
for (const [name, call] of Object.entries(CALLS)) {
  test(`a panic in ${name} ends there`, options, () => {
    provoke(1)
    call()
    assert.equal(engine.stats().panics, 1)
  })
}

test('what throws says that it failed', options, async () => {
  provoke(1)
  assert.throws(() => init('border2', { exporter: 'none' }), { code: 'internal' })
  provoke(1)
  assert.throws(() => engine.resource, { code: 'internal' })
  assert.equal(engine.stats().panics, 2)
})

test('after three panics nothing is recorded, and the program goes on', options, async () => {
  provoke(3)
  for (let i = 0; i < 3; i++) inject({})
  assert.equal(
    span('off', () => 'done'),
    'done',
  )
  await engine.flush()
  assert.deepEqual(exporter.spans, [])
  assert.equal(engine.stats().panics, 3)
})

test('what strangers send turns nothing off', options, async () => {
  const { _recorder } = engine as unknown as {
    _recorder: { engine: { relay(frame: Uint8Array, source: string): { spans: number; torn: boolean } } }
  }
  provoke(4)
  for (let i = 0; i < 4; i++) {
    const { spans, torn } = _recorder.engine.relay(new Uint8Array(8), 'browser')
    assert.deepEqual({ spans, torn }, { spans: 0, torn: true })
  }
  assert.equal(engine.stats().panics, 4)
  span('recorded', () => 1)
  await engine.flush()
  assert.equal(exporter.spans.length, 1)
})
