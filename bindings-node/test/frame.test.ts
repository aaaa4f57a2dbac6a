// The encoder: `tests/vectors/frame.json` byte for byte, and random values against the core's own encoder.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { init, MemoryExporter, type Span, setLogger } from 'polyspan'
import { wholeValue } from '../lib/context.js'
import { capture } from '../lib/core/capture.js'
import { setHost } from '../lib/core/host.js'
import { linkField } from '../lib/core/packed.js'
import { SpanContext } from '../lib/core/span_context.js'
import { STATIC_KEYS } from '../lib/core/static_keys.js'
import { Writer } from '../lib/core/writer.js'
import { native } from '../lib/native.js'
import { nodeHost } from '../lib/node.js'
import type { Recorder } from '../lib/recorder.js'
import { readValue, type Value } from '../lib/values.js'
import { Double, type Json, map, text, told, value, vectors } from './vectors'

setLogger(() => undefined)
// The parts are a copy of their own, beside the package's.
setHost(nodeHost)

const file = vectors('frame.json')
const BOUNDS = { valueBytes: 1 << 24, depth: 64, arrayItems: 1 << 20, objectKeys: 1 << 20 }
const cuts = { altered: 0, limited: 0 }

test('static keys are those of the core', () => assert.deepEqual(STATIC_KEYS, file.static_keys))

/** The bytes of a span as the vectors describe it, from the parts that spans are written with. */
function body(event: Json): Uint8Array | undefined {
  const out = new Writer(256)
  for (const field of event.fields ?? []) {
    const [[kind, given]] = Object.entries(field) as [[string, Json]]
    // Doubles that are whole and references by hand are not what an application can give.
    if (JSON.stringify(given)?.match(/"(static|entry|nested)"/) || hasWholeDouble(given)) return undefined
    const tag = {
      name: 1,
      status_message: 2,
      tracestate: 3,
      attribute: 4,
      input: 7,
      output: 8,
      metadata: 9,
      tag: 10,
    }
    if (kind === 'link') {
      if (given.dropped_attributes) return undefined
      const { trace_id: traceId, span_id: spanId, flags = 0, tracestate = '', remote = false } = given
      const to = SpanContext.of({
        traceId,
        spanId,
        traceFlags: flags,
        traceState: tracestate,
        isRemote: remote,
      })
      out.raw(linkField(to, map(given.attributes ?? []), BOUNDS, cuts))
    } else if (kind in tag) {
      out.u8(tag[kind as keyof typeof tag])
      if (kind === 'name' || kind === 'tag') out.inlineKey(text(given))
      else if (kind === 'status_message' || kind === 'tracestate') out.sized(text(given))
      else if (kind === 'attribute' || kind === 'metadata') {
        out.inlineKey(text(given[0]))
        out.raw(capture(value(given[1]), BOUNDS, cuts))
      } else out.raw(capture(value(given), BOUNDS, cuts))
    } else {
      return undefined
    }
  }
  return out.buf.subarray(0, out.at)
}

function hasWholeDouble(given: Json): boolean {
  if (typeof given !== 'object' || given === null) return false
  if ('double' in given) return Number.isInteger(Number(given.double)) && given.double !== '-0'
  return Object.values(given).some(hasWholeDouble)
}

function bytes(hex: Json): Buffer {
  return Buffer.from(text(hex), 'hex')
}

let compared = 0
for (const entry of file.events as Json[]) {
  const fields = body(entry.event)
  if (fields === undefined) continue
  compared += 1
  test(`fields: ${entry.name}`, () => {
    assert.deepEqual(Buffer.from(fields).toString('hex'), bytes(entry.hex).subarray(72).toString('hex'))
  })
}
test('most events were compared', () => assert.ok(compared >= 9, `${compared}`))

test('the head of a span, and its string table', async () => {
  const exporter = new MemoryExporter()
  const engine = init({ service: 'x', name: 'head', exporter })
  const { frame, terms } = (engine as unknown as { _recorder: Recorder })._recorder
  const spans: Span[] = []
  for (let i = 0; i < 3; i++) {
    const span = engine.start('work', {
      type: 'rag_vector_operation',
      kind: 'consumer',
      startTime: 1700000000000000000n,
    })
    span.set('model', i).set('url.path', '/')
    spans.push(span)
    span.end(1700000000250000001n)
  }
  const all = Buffer.from(frame.buf.subarray(0, frame.at))
  const kinds: number[] = []
  let head: Buffer | undefined
  for (let at = 0; at < all.length; at += 8 + all.readUInt32LE(at)) {
    kinds.push(all[at + 4] as number)
    assert.equal(all[at + 5], 1)
    assert.equal(all.readUInt16LE(at + 6), terms.slot)
    if (all[at + 4] === 3) head ??= all.subarray(at + 8, at + 72)
  }
  // Keys that come again are entered into the table after their second use, and used from then on.
  assert.deepEqual(kinds, [3, 3, 16, 16, 3])
  assert.equal(head?.subarray(0, 16).toString('hex'), spans[0]?.traceId)
  assert.equal(head?.subarray(16, 24).toString('hex'), spans[0]?.spanId)
  assert.equal(head?.readBigUInt64LE(32), 1700000000000000000n)
  assert.equal(head?.readBigUInt64LE(40), 1700000000250000001n)
  // Sampled and random, consumer, unset, the type, root and local root and a kind that was given.
  assert.deepEqual([...(head as Buffer).subarray(48, 56)], [3, 5, 0, 0, 26, 0, 3, 1])
  await engine.flush()
  assert.deepEqual(
    exporter.spans.map((span) => [span.name, span.type, span.kind, span.attributes]),
    [0, 1, 2].map((model) => ['work', 'rag_vector_operation', 'consumer', { model, 'url.path': '/' }]),
  )
  await engine.shutdown()
})

/** Pseudo-random numbers that a failing run shows again. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const PIECES = [
  '',
  'a',
  'zürich',
  '😀',
  '\ud800',
  '\u2028',
  'x'.repeat(40),
  'ß'.repeat(30),
  'key.of.something',
  '\0',
]

function anything(next: () => number, depth: number): unknown {
  const pick = Math.floor(next() * (depth > 3 ? 10 : 13))
  const word = () => PIECES[Math.floor(next() * PIECES.length)] as string
  switch (pick) {
    case 0:
      return null
    case 1:
      return next() < 0.5
    case 2:
      return Math.floor((next() - 0.5) * 2 ** Math.floor(next() * 54))
    case 3:
      return (next() - 0.5) * 10 ** Math.floor(next() * 600 - 300)
    case 4:
      return [Number.NaN, Infinity, -Infinity, -0, 2 ** 53, -(2 ** 53) - 2, 2 ** 31, -(2 ** 31)][
        Math.floor(next() * 8)
      ]
    case 5:
      return (BigInt(Math.floor(next() * 2 ** 53)) - 2n ** 52n) * 2047n
    case 6:
      return Buffer.from(word())
    case 10:
      return Array.from({ length: Math.floor(next() * 5) }, () => anything(next, depth + 1))
    case 11:
      return Object.fromEntries(
        Array.from({ length: Math.floor(next() * 5) }, (_, at) => [
          `${word()}${at}`,
          anything(next, depth + 1),
        ]),
      )
    case 12:
      return new Map(
        Array.from({ length: Math.floor(next() * 5) }, (_, at) => [
          `${word()}${at}`,
          anything(next, depth + 1),
        ]),
      )
    default:
      return word() + word()
  }
}

test('the core reads random values and writes the same bytes', () => {
  // The addon tells a sampler what it has read of a span, as it writes values itself.
  let heard = Buffer.alloc(0)
  const options = new (native().NativeOptions)()
  options.data(wholeValue({ service: 'x', name: 'differential', exporters: [] }))
  const decide = (about: Buffer): number => {
    heard = Buffer.from(about)
    return 0
  }
  options.sampler(decide)
  const engine = native().init(options, false)
  const next = random(20261121)
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  for (let round = 0; round < 5000; round++) {
    const given = anything(next, 0)
    const bytes = capture(given, BOUNDS, cuts)
    const described = new Writer(256)
    described.reserve(64)
    described.buf.fill(0, 0, 64)
    described.at = 64
    described.u8(1)
    described.inlineKey('span')
    described.u8(4)
    described.inlineKey('k')
    described.raw(bytes)
    native().start(engine, described.buf.subarray(0, described.at), undefined, undefined, undefined, traceId)
    const about = {
      name: 'span',
      type: 'generic',
      kind: 'internal',
      traceId,
      attributes: new Map([['k', given]]),
    }
    const expected = wholeValue({ ...about, metadata: {}, requestContext: null, parent: null })
    assert.equal(heard.toString('hex'), Buffer.from(expected).toString('hex'), `round ${round}`)
    // What TypeScript reads of it is what was given.
    const read = readValue(Buffer.from(bytes))
    assert.deepEqual(plain(read), plain(normal(given)), `round ${round}`)
  }
  return engine.shutdown(5)
})

/** What is left of a value on its way: lone surrogates are replaced, maps are objects. */
function normal(given: unknown): Json {
  if (typeof given === 'string') return given.toWellFormed()
  if (typeof given === 'bigint') return Number.isSafeInteger(Number(given)) ? Number(given) : given
  if (given instanceof Uint8Array) return new Uint8Array(given)
  if (Array.isArray(given)) return given.map(normal)
  const entries = given instanceof Map ? [...given] : Object.entries((given ?? {}) as object)
  if (typeof given !== 'object' || given === null || given instanceof Double) return given
  return Object.fromEntries(entries.map(([key, item]) => [String(key).toWellFormed(), normal(item)]))
}

function plain(given: Value): Json {
  return told(given)
}
