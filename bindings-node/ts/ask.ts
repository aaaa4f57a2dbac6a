// Having the engine start a span: for samplers that are asked, hidden types, metadata, remote parents, request contexts.

import { wholeValue } from './context'
import { measured, tooMany } from './core/begin'
import { capture } from './core/capture'
import { momentOf, now, putMoment } from './core/clock'
import { each, text } from './core/given'
import { contextBytes, NO_TRACE, randomWord, Trace, traceOf, wordsOf } from './core/ids'
import { OPEN, QUIET } from './core/kept_span'
import { keyOf } from './core/keys'
import { refuse, sayOnce } from './core/log'
import { fill, join } from './core/opening'
import { linkField } from './core/packed'
import type { Ambient } from './core/slot'
import { noSpan, Span } from './core/span'
import { type SpanContext, spanContextOf } from './core/span_context'
import { kindNumber, linksOf, moment, type SpanOptions, typeOf } from './core/span_options'
import { Writer } from './core/writer'
import { native } from './native'
import type { Recorder } from './recorder'
import { recorderOfSlot } from './registry'

const INTERNAL = 16
const EVENT = 8
const KIND_GIVEN = 256
const FIELDS_AT = 64
/** The trace flag of ids that are random. */
const RANDOM = 2

const described = new Writer(1024)

/** Has the engine start a span: it is described as an event, and goes on as what the engine has written of it. */
export function ask(
  name: string,
  given: SpanOptions,
  parent: Span | undefined,
  ambient: Ambient | undefined,
  recorder: Recorder | undefined,
  instant: boolean,
): Span {
  // Taken before: a start that the engine has told of is followed by an end. Whose it is where a selector chooses, is not
  // known yet.
  const taken = recorder?.opened()
  if (recorder !== undefined && taken === undefined)
    return tooMany(name, given, parent?._trace ?? newTrace(given.traceId), ambient, recorder)
  const withContent = recorder === undefined || recorder.terms.readsContent
  const withInput = recorder?.terms.showsStarts === true && recorder.terms.io
  const event = describe(name, given, recorder, withContent, withInput, instant)
  const started = native().start(
    recorder?.engine,
    event,
    parent === undefined ? undefined : parentBytes(parent),
    ambient,
    given.requestContext === undefined ? undefined : wholeValue(given.requestContext),
    parent === undefined && given.traceId !== undefined && given.traceId !== null
      ? text(given.traceId)
      : undefined,
  )
  const { context, body, slot } = started
  if (taken !== undefined && body === undefined) recorder?.closed(taken)
  if (slot === undefined) return startsNowhere(parent, ambient)
  const owner = recorder ?? recorderOfSlot(slot)
  const trace = traceOf(context)
  const state = body === undefined || owner === undefined ? QUIET : OPEN
  const high = context.readInt32BE(16)
  const low = context.readInt32BE(20)
  const span = new Span(state, owner, trace, high, low, started.ambient ?? ambient, false)
  if (state === QUIET || body === undefined) {
    if (owner?.terms.countsUnsampled === true) measured(span, name, given)
    return span
  }
  span._token = taken ?? owner?.opened()
  span._high = body.readInt32BE(16)
  span._low = body.readInt32BE(20)
  span._parentHigh = body.readInt32BE(24)
  span._parentLow = body.readInt32BE(28)
  span._kind = body[49] as number
  span._type = body.readUInt16LE(52)
  span._flags = body.readUInt16LE(54)
  span._name = keyOf(text(name))
  span._start = (given.startTime === undefined ? undefined : momentOf(given.startTime)) ?? now()
  span._prefix = body.subarray(FIELDS_AT)
  if (parent !== undefined && !parent._remote) join(span, parent)
  else span._local = { last: span }
  fill(span, withInput ? { ...given, input: undefined } : given, withContent, withContent)
  return span
}

/** One that the engine knows nothing of. */
function newTrace(id: unknown): Trace {
  const [a, b, c, d] = wordsOf(id, 32) ?? []
  if (a === undefined || b === undefined || c === undefined || d === undefined)
    return new Trace(randomWord(), randomWord(), randomWord(), randomWord() | 1, RANDOM, '')
  return new Trace(a, b, c, d, 0, '')
}

function parentBytes(parent: Span): Uint8Array {
  return contextBytes(parent._trace, parent._seenHigh, parent._seenLow, parent._remote)
}

/** The body of an event that says what is known of a span which is to start. */
function describe(
  name: string,
  given: SpanOptions,
  recorder: Recorder | undefined,
  withContent: boolean,
  withInput: boolean,
  instant: boolean,
): Uint8Array {
  const out = described
  out.at = 0
  out.reserve(FIELDS_AT)
  out.buf.fill(0, 0, FIELDS_AT)
  let flags = 0
  let kind = 1
  if (given.kind !== undefined) {
    const number = kindNumber(given.kind)
    if (number === undefined) refuse('span kind')
    kind = number ?? 1
    flags |= KIND_GIVEN
  }
  if (given.internal === true) flags |= INTERNAL
  if (instant) flags |= EVENT
  const start = given.startTime === undefined ? undefined : moment(given.startTime)
  if (start !== undefined) putMoment(out.view, 32, start)
  out.buf[49] = kind
  out.view.setUint16(52, given.type === undefined ? 0 : typeOf(given.type), true)
  out.view.setUint16(54, flags, true)
  out.at = FIELDS_AT
  out.u8(1)
  out.inlineKey(text(name))
  const cuts = recorder ?? { altered: 0, limited: 0 }
  const bounds = recorder?.terms ?? { valueBytes: 1 << 20, depth: 64, arrayItems: 100000, objectKeys: 100000 }
  const put = (tag: number) => (key: string, value: unknown) => {
    const bytes = capture(value, bounds, cuts)
    out.u8(tag)
    out.inlineKey(key)
    out.raw(bytes)
  }
  if (withContent) {
    each(given.attributes, 'attributes', cuts, put(4))
    for (const [target, more] of given.links === undefined ? [] : linksOf(given.links)) {
      const to: SpanContext | undefined = spanContextOf(target)
      if (to !== undefined) out.raw(linkField(to, more, bounds, cuts))
    }
  }
  each(given.metadata, 'metadata', cuts, put(9))
  if (withInput && given.input !== undefined) {
    out.u8(7)
    out.raw(capture(given.input, bounds, cuts))
  }
  return Buffer.from(out.buf.subarray(0, out.at))
}

/** Before `init`: it stands for its parent, so that context still travels. */
export function startsNowhere(parent: Span | undefined, ambient: Ambient | undefined): Span {
  sayOnce('no engine', 'spans are not recorded before `init`')
  if (parent === undefined) return noSpan(NO_TRACE, 0, 0, ambient)
  return noSpan(parent._trace, parent._seenHigh, parent._seenLow, ambient, parent._remote)
}
