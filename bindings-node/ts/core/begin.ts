// Starting a span about which nobody has to be asked: a child of a span of this process, or the root of a trace that
// was decided about ahead.

import { now } from './clock'
import { text } from './given'
import { randomWord, Trace } from './ids'
import { LOCAL_ROOT, OPEN, QUIET, STANDS } from './kept_span'
import { keyOf } from './keys'
import { fill, join, kindOf } from './opening'
import type { FrameRecorder } from './recorder'
import type { Ambient } from './slot'
import { Span } from './span'
import { moment, NO_OPTIONS, type SpanOptions, typeOf } from './span_options'
import { NOT_RECORDING, OPEN_LIMIT, type Terms } from './terms'

const EVENT = 8
const ROOT = 1

/** Starts a span about which everything is known here; `undefined` where nothing is known about new traces. */
export function begin(
  name: string,
  given: SpanOptions,
  parent: Span | undefined,
  ambient: Ambient | undefined,
  recorder: FrameRecorder,
  instant: boolean,
): Span | undefined {
  let trace = parent?._trace
  let records = trace?.isSampled === true
  if (trace === undefined) {
    const root = recorder.nextRoot()
    if (root === undefined) return undefined
    trace = root.trace
    records = root.records
  }
  let high = randomWord()
  const low = randomWord()
  if ((high | low) === 0) high = 1
  if (!records && parent === undefined && recorder.terms.countsUnsampled !== true) {
    // It stands for everything in its trace, so that what is current need not change in there.
    recorder.countUnsampled()
    const span = new Span(STANDS, recorder, trace, high, low, ambient, false)
    if (passesOn(recorder.terms, trace)) span._follower = span
    return span
  }
  const token = records ? recorder.opened() : undefined
  if (token === undefined) {
    return records
      ? tooMany(name, given, trace, ambient, recorder)
      : quiet(name, given, trace, ambient, recorder)
  }
  const span = new Span(OPEN, recorder, trace, high, low, ambient, false)
  span._token = token
  span._flags = recorder.inherited(ambient).flags
  if (parent === undefined) {
    span._flags |= ROOT | LOCAL_ROOT
    span._local = { last: span }
  } else {
    span._parentHigh = parent._seenHigh
    span._parentLow = parent._seenLow
    join(span, parent)
  }
  if (instant) span._flags |= EVENT
  span._name = keyOf(text(name))
  const start = given.startTime === undefined ? undefined : moment(given.startTime)
  span._start = start ?? now()
  if (given !== NO_OPTIONS) {
    if (given.type !== undefined) span._type = typeOf(given.type)
    if (given.kind !== undefined) kindOf(span, given.kind)
    fill(span, given)
  }
  return span
}

/** Whether children of a span that is not sampled are certain not to be sampled either. */
export function passesOn({ localParent }: Terms, { state }: Trace): boolean {
  return localParent === 'inherit' || (localParent === 'drop' && state === '')
}

/** What stands for a span of this trace that does not record since too many are open. */
export function tooMany(
  name: string,
  given: SpanOptions,
  trace: Trace,
  ambient: Ambient | undefined,
  recorder: FrameRecorder,
): Span {
  recorder.count(OPEN_LIMIT)
  return quiet(name, given, unsampled(trace), ambient, recorder)
}

function quiet(
  name: string,
  given: SpanOptions,
  trace: Trace,
  ambient: Ambient | undefined,
  recorder: FrameRecorder,
): Span {
  const span = new Span(QUIET, recorder, trace, randomWord(), randomWord() | 1, ambient, false)
  if (recorder.terms.countsUnsampled === true) measured(span, name, given)
  else recorder.count(NOT_RECORDING)
  return span
}

/** Has a span that does not record keep what metrics count of it. */
export function measured(span: Span, name: string, given: SpanOptions): void {
  span._name = keyOf(text(name))
  span._start = (given.startTime === undefined ? undefined : moment(given.startTime)) ?? now()
  if (given.type !== undefined) span._type = typeOf(given.type)
  if (given.kind !== undefined) kindOf(span, given.kind)
}

/** The same trace for a span that does not record. */
function unsampled({ a, b, c, d, flags, state }: Trace): Trace {
  return new Trace(a, b, c, d, flags & ~1, state)
}
