// `tests/vectors/otlp.json`: spans recorded through this package's interface, and the bytes that a receiver gets.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { extract, init, SpanContext, type SpanOptions, setLogger } from 'polyspan'
import { Receiver } from './receiving'
import { type Json, text, value, vectors } from './vectors'

setLogger(() => undefined)
const receiver = new Receiver()
before(() => receiver.open())
after(() => receiver.close())

/** A field of a protobuf message: its number, and its bytes after the tag and, where it has one, the length. */
interface Field {
  readonly number: number
  readonly bytes: Buffer
}

/** The fields of a message in their order. Lengths may be written longer than they need be. */
function fields(message: Buffer): Field[] {
  let at = 0
  const varint = (): number => {
    let [found, factor] = [0, 1]
    for (;;) {
      const byte = message[at++] as number
      found += (byte & 127) * factor
      if (byte < 128) return found
      factor *= 128
    }
  }
  const found: Field[] = []
  while (at < message.length) {
    const tag = varint()
    const type = tag & 7
    const size = type === 2 ? varint() : type === 1 ? 8 : 4
    const start = at
    if (type === 0) varint()
    else at += size
    found.push({ number: Math.floor(tag / 8), bytes: message.subarray(start, at) })
  }
  assert.equal(at, message.length)
  return found
}

const inside = (messages: Buffer[], number: number): Buffer[] =>
  messages.flatMap(fields).flatMap((field) => (field.number === number ? [field.bytes] : []))

/** The spans of a request: of `resource_spans` the `scope_spans`, and of these the spans. */
const spansOf = (request: Buffer): Buffer[] => inside(inside(inside([request], 1), 2), 2)

/** Fields of a span and of a link (opentelemetry/proto/trace/v1/trace.proto). */
const [SPAN_ID, TRACE_STATE, PARENT, NAME, ATTRIBUTES, EVENTS, LINKS, FLAGS] = [2, 3, 4, 5, 9, 11, 13, 16]
const LINK_FLAGS = 6

const UNSAYABLE = ['dropped_attributes', 'dropped_events', 'dropped_links']

/** Whether a program can say it: what was left out, the scope and times before there were computers are not its own. */
function isSayable(given: Json): boolean {
  return !UNSAYABLE.some((name) => name in given) && given.start !== '0' && !given.scope
}

/** The places in a list of what no program says. */
function unsayable(list: Json[], is: (item: Json) => boolean): Set<number> {
  return new Set(list.flatMap((item, at) => (is(item) ? [at] : [])))
}
const isPart = (part: Json): boolean => UNSAYABLE.some((name) => name in part) || part.time === '0'
/** Attributes need a name; and a number without a fraction is an integer, as JavaScript has only one kind. */
const isAttribute = ([key, form]: Json): boolean => key === '' || /"double":-?\d+}/.test(JSON.stringify(form))

/** What must be equal: the fields of a span, without what the engine draws and without what no program says. */
function compared(span: Buffer, given: Json, without: boolean): [number: number, hex: string][] {
  const left = new Map([
    [ATTRIBUTES, unsayable(given.attributes ?? [], isAttribute)],
    [EVENTS, unsayable(given.events ?? [], isPart)],
    [LINKS, unsayable(given.links ?? [], isPart)],
  ])
  const seen = new Map<number, number>()
  return fields(span).flatMap(({ number, bytes }) => {
    const at = seen.get(number) ?? 0
    seen.set(number, at + 1)
    if (number === SPAN_ID || number === FLAGS) return []
    // Of other parents than remote ones the id is drawn too.
    if (number === PARENT && !given.parent_remote) return []
    if (without && left.get(number)?.has(at)) return []
    if (number === LINKS) {
      const known = fields(bytes).filter((field) => field.number !== LINK_FLAGS)
      return [[number, known.map((field) => `${field.number}:${field.bytes.toString('hex')}`).join()]]
    }
    // A threshold that contradicts the random value is erased by the sampler.
    if (number === TRACE_STATE) return [[number, bytes.toString().replace('th:8;', '')]]
    return [[number, bytes.toString('hex')]]
  })
}

const sayable = (list: Json[] = [], is: (item: Json) => boolean): Json[] => list.filter((item) => !is(item))
const attributesOf = (list: Json[] | undefined): Map<string, Json> =>
  new Map(sayable(list, isAttribute).map(([key, form]) => [text(key), value(form)]))

/** The context of a span of another process. */
function remote(traceId: string, spanId: string, { flags = 1, tracestate = '' }: Json): Json {
  const traceparent = `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`
  return extract({ traceparent, tracestate })
}

function record(start: (name: string, options: SpanOptions) => Json, given: Json): void {
  const above = given.parent_remote
    ? { parent: remote(given.trace_id, given.parent_span_id, given) }
    : { root: true, traceId: given.trace_id }
  const span = start(text(given.name), {
    type: given.type,
    kind: given.kind,
    tags: given.tags,
    startTime: BigInt(given.start),
    ...above,
  })
  span.set(attributesOf(given.attributes))
  if (given.metadata) span.update({ metadata: attributesOf(given.metadata) })
  for (const part of ['input', 'output']) if (part in given) span.update({ [part]: value(given[part]) })
  for (const event of sayable(given.events, isPart))
    span.event(text(event.name), attributesOf(event.attributes), BigInt(event.time))
  for (const link of sayable(given.links, isPart)) {
    const { trace_id: traceId, span_id: spanId, flags: traceFlags = 0, tracestate: traceState = '' } = link
    const context = SpanContext.of({
      traceId,
      spanId,
      traceFlags,
      traceState,
      isRemote: link.remote === true,
    })
    span.link(context, attributesOf(link.attributes))
  }
  if (given.status) span.status(given.status, given.status_message)
  span.end(BigInt(given.end))
}

for (const entry of vectors('otlp.json').cases as Json[]) {
  const given = entry.spans.filter(isSayable)
  // What is left of it was said by others.
  if (given.length === 0) continue
  test(`otlp: ${entry.name}`, async () => {
    const options = { endpoint: receiver.endpoint, redaction: false, limits: { depth: 63 } }
    const engine = init('tests', { name: 'otlp', replace: true, ...options })
    for (const each of given) record((name, options) => engine.start(name, options), each)
    await engine.shutdown()
    assert.ok(engine.stats().addsUp)
    const nameOf = (span: Buffer): string => String(fields(span).find(({ number }) => number === NAME)?.bytes)
    const arrived = receiver.take().flatMap(({ body }) => spansOf(body))
    assert.deepEqual(
      arrived.map(nameOf),
      given.map((each: Json) => text(each.name)),
    )
    const expected = spansOf(Buffer.from(entry.hex, 'hex'))
    given.forEach((each: Json, at: number) => {
      const wanted = expected.find((span) => fields(span)[1]?.bytes.toString('hex') === each.span_id)
      assert.deepEqual(
        compared(arrived[at] as Buffer, { ...each, attributes: [], events: [], links: [] }, false),
        compared(wanted as Buffer, each, true),
        each.name,
      )
    })
  })
}
