// Starting spans. Most are decided here, from what the engine has handed out ahead; about the others the engine is
// asked (`ask.ts`).

import { ask, startsNowhere } from './ask'
import { contextWith, surrounded } from './context'
import { begin, passesOn } from './core/begin'
import type { TimeInput } from './core/clock'
import { Context, spanOf } from './core/context'
import { inherits } from './core/inherited'
import { OPEN, STANDS } from './core/kept_span'
import { refuse } from './core/log'
import { MUTED } from './core/muted'
import { runSpan, type SpanBody, settle } from './core/run'
import { type Ambient, current, currentAt, placeOfCurrent, type Slot } from './core/slot'
import { noSpan, Span, type SpanUpdate } from './core/span'
import type { ParentInput } from './core/span_context'
import {
  ASKS,
  CHANGES,
  CONTENT,
  changes,
  groupsOf,
  INHERITS,
  inheritedOf,
  NO_OPTIONS,
  type SpanOptions,
  TRACE_ID,
} from './core/span_options'
import type { Recorder } from './recorder'
import { recorderOf, selects } from './registry'

/** Records what `body` does as a span. What is current is looked up once: before Node.js 24 that takes as long as a
 * fiftieth of a span. */
export function recordSpan<R>(
  name: string,
  options: SpanOptions | undefined,
  body: SpanBody<R>,
  engine?: Recorder,
): R {
  const place = placeOfCurrent()
  const slot = currentAt(place)
  if (standsFor(slot, options, engine) && typeof body === 'function') {
    ;(slot._recorder as Recorder).countUnsampled()
    const result = body(slot)
    return typeof result === 'object' && result !== null ? (settle(slot, result) as R) : result
  }
  return runSpan(startSpan(name, options, engine, false, slot), body, slot, place)
}

/** Whether what is current stands for such a span as well, since it is not sampled: then nothing starts, nothing else
 * becomes current, and nothing ends. It is what `startIn` and `follower` would find, by fewer steps. */
function standsFor(
  slot: Slot | undefined,
  options: SpanOptions | undefined,
  engine: Recorder | undefined,
): slot is Span {
  // Only a span has one.
  if (slot === undefined || (slot as Span)._follower !== slot) return false
  const recorder = (slot as Span)._recorder as Recorder
  if (recorder.stopped || (engine !== undefined && engine !== recorder)) return false
  try {
    return options === undefined || options === null || !changes(options)
  } catch {
    // A getter of the options that throws.
    return false
  }
}

/** Starts a span of that engine, or of the parent's, or of the default one, below what is current: `slot`. */
export function startSpan(
  name: string,
  options: SpanOptions | undefined,
  engine?: Recorder,
  instant = false,
  slot: Slot | undefined = current(),
): Span {
  let span: Span
  try {
    span = startIn(slot, name, options, engine, instant)
  } catch {
    // A getter of the options that throws.
    refuse('span')
    span = startIn(slot, name, undefined, engine, instant)
  }
  if (slot?._otel !== undefined && span !== MUTED) span._otel = slot._otel
  const recorder = span._recorder
  if (recorder?.observer !== undefined && span._state === OPEN) recorder.observer.started(span, slot)
  return span
}

/** The same where `slot` is current, for an instrumentation scope. */
export function startSpanAt(
  slot: Slot | undefined,
  name: string,
  options: SpanOptions,
  engine: Recorder | undefined,
  scope: number,
): Span {
  const span = startIn(slot, name, options, engine, false)
  if (span !== MUTED) span._scope = scope
  return span
}

function startIn(
  slot: Slot | undefined,
  name: string,
  options: SpanOptions | undefined,
  engine: Recorder | undefined,
  instant: boolean,
): Span {
  const given = options ?? NO_OPTIONS
  let parent: Span | undefined
  let ambient: Ambient | undefined
  if (given.parent !== undefined && given.parent !== null) {
    const chosen = givenParent(given.parent, slot)
    parent = chosen._span
    ambient = chosen._ambient
  } else {
    parent = spanOf(slot)
    if (given.root === true && parent !== MUTED) parent = undefined
    ambient = slot?._ambient
  }
  if (parent !== undefined && !parent._trace.isValid) {
    if (parent === MUTED) return MUTED
    parent = undefined
  }
  const recorder =
    engine ?? (parent?._recorder as Recorder | undefined) ?? (selects() ? undefined : recorderOf())
  // A handle of an engine that was shut down counts what it gets.
  if (recorder === undefined || (recorder.stopped && engine === undefined))
    return startElsewhere(name, given, parent, ambient, instant)
  const groups = options === undefined ? 0 : groupsOf(given)
  if (
    parent !== undefined &&
    (groups & CHANGES) === 0 &&
    isUnsampledHere(parent) &&
    follows(recorder, parent)
  ) {
    if (recorder.terms.countsUnsampled !== true) return follower(slot, parent, ambient, recorder)
    const counted = begin(name, given, parent, ambient, recorder, instant)
    if (counted !== undefined) return counted
  }
  if ((groups & INHERITS) !== 0) ambient = surrounded(ambient, inheritedOf(given), 'span')
  if (mustAsk(recorder, groups, parent, ambient)) return ask(name, given, parent, ambient, recorder, instant)
  return (
    begin(name, given, parent, ambient, recorder, instant) ??
    ask(name, given, parent, ambient, recorder, instant)
  )
}

/** Whether it is a span of this process that is not sampled. */
function isUnsampledHere(parent: Span): boolean {
  return !parent._trace.isSampled && !parent._remote
}

/** Whether its children are certain not to be sampled either. */
function follows(recorder: Recorder, parent: Span): boolean {
  return passesOn(recorder.terms, parent._trace)
}

/** What stands for children of a span that is not sampled: they share its ids and keep nothing but what is around them,
 * baggage for example, which travels all the same. */
function follower(
  slot: Slot | undefined,
  parent: Span,
  ambient: Ambient | undefined,
  recorder: Recorder,
): Span {
  recorder.countUnsampled()
  const around = slot?._otel
  if (parent._state === STANDS && parent._ambient === ambient && parent._otel === around) return parent
  const known = parent._follower
  if (known !== undefined && known._ambient === ambient && known._otel === around) return known as Span
  const { _trace, _high, _low } = parent
  const follower = new Span(STANDS, recorder, _trace, _high, _low, ambient, false)
  follower._otel = around
  parent._follower = follower
  return follower
}

function givenParent(given: ParentInput, slot: Slot | undefined): Context {
  if (given instanceof Span) return new Context(given, given._ambient ?? slot?._ambient)
  if (given instanceof Context) return new Context(given._span, given._ambient ?? slot?._ambient)
  return contextWith(slot, { parent: given })
}

/** Whether the engine has to be asked about a span. */
function mustAsk(
  recorder: Recorder,
  groups: number,
  parent: Span | undefined,
  ambient: Ambient | undefined,
): boolean {
  const { terms } = recorder
  if (!terms.hidesNothing || recorder.inherited(ambient).asks || (groups & ASKS) !== 0) return true
  if (terms.readsContent && (groups & CONTENT) !== 0) return true
  if (parent === undefined && (groups & TRACE_ID) !== 0) return true
  if (parent === undefined) return !terms.drawsRoots || recorder.pressed
  if (parent._remote || parent._trace.flags > 3) return true
  if (terms.localParent === 'inherit') return false
  const sampled = parent._trace.isSampled
  return parent._trace.state !== '' || terms.localParent !== (sampled ? 'sample' : 'drop')
}

/** A span whose engine is not known here: the selector's choice, another thread's, or none. */
function startElsewhere(
  name: string,
  given: SpanOptions,
  parent: Span | undefined,
  ambient: Ambient | undefined,
  instant: boolean,
): Span {
  const recorder = selects() && (parent === undefined || parent._remote) ? undefined : recorderOf()
  if (recorder === undefined && !selects()) return startsNowhere(parent, ambient)
  const around = inherits(given) ? surrounded(ambient, inheritedOf(given), 'span') : ambient
  return ask(name, given, parent, around, recorder, instant)
}

/** Records a span that stands for an instant: it starts and ends now, or at `time`, with all that is given here. */
export function event(
  name: string,
  options: SpanOptions & { output?: unknown; time?: TimeInput } = {},
): void {
  const { output, time, ...rest } = options
  const started = startSpan(name, time === undefined ? rest : { ...rest, startTime: time }, undefined, true)
  const update: SpanUpdate = output === undefined ? {} : { output }
  started.update(update)
  if (started._state === OPEN) started._endAt(started._start)
  else started.end()
}

/** The current span; one that does not record where there is none. */
export function currentSpan(): Span {
  return spanOf(current()) ?? noSpan()
}

/** The id of the current trace; `undefined` where no span is current or the trace is not sampled. */
export function currentTraceId(): string | undefined {
  const span = spanOf(current())
  return span?._trace.isSampled && span._trace.isValid ? span.traceId : undefined
}
