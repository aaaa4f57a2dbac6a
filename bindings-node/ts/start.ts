// Starting spans. Most are decided here, from what the engine has handed out ahead; where more has to be known
// (samplers that are asked, hidden types, metadata, a remote parent, a request context) the engine starts them.

import { capture } from './capture'
import { momentOf, now, putMoment, type TimeInput } from './clock'
import {
  Context,
  contextWith,
  INHERITED,
  type Inherited,
  inherits,
  spanOf,
  surrounded,
  wholeValue,
} from './context'
import { contextBytes, NO_TRACE, randomWord, Trace, traceOf } from './ids'
import { refuse, sayOnce } from './log'
import { type Ambient, native } from './native'
import { linkField } from './packed'
import type { Recorder } from './recorder'
import { NOT_RECORDING, OPEN_LIMIT, UNSAMPLED } from './recorder'
import { recorderOf, recorderOfSlot, selects } from './registry'
import { current } from './slot'
import {
  type Attributes,
  each,
  LOCAL_ROOT,
  noSpan,
  OPEN,
  QUIET,
  type Slot,
  Span,
  type SpanUpdate,
  STANDS,
  text,
} from './span'
import { type ParentInput, type SpanContext, spanContextOf } from './span_context'
import { Writer } from './writer'

/** The kinds of spans, as OpenTelemetry has them. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer'

export interface SpanOptions extends Inherited {
  /** What the span stands for, for example `'tool'` or `'agent'`; `'generic'` by default. */
  type?: string
  /** The role in a request; by default what the type has, and `'internal'` for generic spans. */
  kind?: SpanKind
  attributes?: Attributes
  input?: unknown
  /** For this span and everything inside. */
  metadata?: Attributes
  /** Tags of the trace; only its first span in this process carries them. */
  tags?: Iterable<string>
  /** A span, span context, context or `traceparent` text, instead of the current span. */
  parent?: ParentInput
  links?: Iterable<ParentInput | readonly [ParentInput, Attributes]>
  /** When it started: a `Date`, milliseconds since the epoch, nanoseconds as a bigint, or `[seconds, nanos]`. */
  startTime?: TimeInput
  /** Begins a new trace, whatever is current. */
  root?: boolean
  /** The trace id of a root, as 1 to 32 hex digits. A bad one is replaced by a random one. */
  traceId?: string
  /** The span is internal to a framework, and hidden unless asked for. */
  internal?: boolean
}

const ROOT = 1
const EVENT = 8
const INTERNAL = 16
const KIND_GIVEN = 256
const FIELDS_AT = 64
const KINDS: Record<string, number> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 }
/** Links given at the start at most. */
const LINKS = 1000
const NO_OPTIONS: SpanOptions = {}
const types = new Map<string, number | null>()
const described = new Writer(1024)

/** Starts a span of that engine, or of the parent's, or of the default one. */
export function startSpan(
  name: string,
  options: SpanOptions | undefined,
  engine?: Recorder,
  instant = false,
): Span {
  const slot = current()
  const span = startIn(slot, name, options, engine, instant)
  if (slot?._otel !== undefined) span._otel = slot._otel
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
  span._scope = scope
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
    parent = given.root === true ? undefined : spanOf(slot)
    ambient = slot?._ambient
  }
  if (parent !== undefined && !parent._trace.isValid) parent = undefined
  const recorder = engine ?? parent?._recorder ?? (selects() ? undefined : recorderOf())
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
    return follower(parent, recorder)
  }
  if ((groups & INHERITS) !== 0) ambient = surrounded(ambient, inheritedOf(given), 'span')
  if (mustAsk(recorder, groups, parent, ambient)) return ask(name, given, parent, ambient, recorder, instant)
  return begin(name, given, parent, ambient, recorder, instant)
}

/** What of a span's options holds for everything inside; its own attributes do not, and the rest goes another way. */
function inheritedOf(given: SpanOptions): Inherited {
  const { attributes: _, metadata: __, tags: ___, requestContext: ____, ...inherited } = given
  return inherited
}

/** Whether it is a span of this process that is not sampled. */
function isUnsampledHere(parent: Span): boolean {
  return !parent._trace.isSampled && !parent._remote
}

/** Whether its children are certain not to be sampled either. */
function follows(recorder: Recorder, parent: Span): boolean {
  const { localParent } = recorder.terms
  return localParent === 'inherit' || (localParent === 'drop' && parent._trace.state === '')
}

/** Options of one group are treated alike. */
const INHERITS = 1
const ASKS = 2
const CONTENT = 4
const PARENT = 8
const TRACE_ID = 16
/** Those that make a difference for spans inside, or for whose child it is. */
const CHANGES = INHERITS | ASKS | PARENT

const GROUPS = new Map<string, number>([
  ...INHERITED.map((name) => [name, INHERITS] as const),
  ['metadata', ASKS],
  ['requestContext', ASKS],
  ['internal', ASKS],
  ['attributes', CONTENT],
  ['links', CONTENT],
  ['parent', PARENT],
  ['traceId', TRACE_ID],
])

/** The groups that some options are of. */
function groupsOf(given: SpanOptions): number {
  let groups = 0
  for (const name in given) {
    const group = GROUPS.get(name)
    if (group === undefined) continue
    const value = given[name as keyof SpanOptions]
    if (value !== undefined && value !== null && value !== false) groups |= group
  }
  return groups
}

/** What stands for children of a span that is not sampled: they share its ids and keep nothing. */
function follower(parent: Span, recorder: Recorder): Span {
  recorder.count(NOT_RECORDING)
  recorder.count(UNSAMPLED)
  if (parent._state === STANDS) return parent
  parent._follower ??= new Span(
    STANDS,
    recorder,
    parent._trace,
    parent._high,
    parent._low,
    parent._ambient,
    false,
  )
  return parent._follower
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

/** Starts a span about which everything is known here. */
function begin(
  name: string,
  given: SpanOptions,
  parent: Span | undefined,
  ambient: Ambient | undefined,
  recorder: Recorder,
  instant: boolean,
): Span {
  let trace = parent?._trace
  let records = trace?.isSampled === true
  if (trace === undefined) {
    const root = recorder.nextRoot()
    if (root === undefined) return ask(name, given, parent, ambient, recorder, instant)
    trace = root.trace
    records = root.records
  }
  let high = randomWord()
  const low = randomWord()
  if ((high | low) === 0) high = 1
  const token = records ? recorder.opened() : undefined
  if (token === undefined) {
    if (records) recorder.count(OPEN_LIMIT)
    recorder.count(NOT_RECORDING)
    const quiet = records ? unsampled(trace) : trace
    return new Span(QUIET, recorder, quiet, high, low, ambient, false)
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
  span._name = typeof name === 'string' ? name : text(name)
  const start = given.startTime === undefined ? undefined : moment(given.startTime)
  span._start = start ?? now()
  if (given !== NO_OPTIONS) {
    if (given.type !== undefined) span._type = typeOf(given.type)
    if (given.kind !== undefined) kindOf(span, given.kind)
    fill(span, given)
  }
  return span
}

/** The same trace for a span that does not record. */
function unsampled({ a, b, c, d, flags, state }: Trace): Trace {
  return new Trace(a, b, c, d, flags & ~1, state)
}

/** Puts a span among the open ones of its trace. */
function join(span: Span, parent: Span): void {
  span._above = parent
  parent._local ??= { last: undefined }
  const local = parent._local
  span._local = local
  span._previous = local.last
  if (local.last !== undefined) local.last._next = span
  local.last = span
}

/** What is given at the start and can be set later as well. */
function fill(span: Span, given: SpanOptions, hasAttributes = false, hasLinks = false): void {
  const attributes = given.attributes
  if (attributes !== undefined && !hasAttributes) span.set(attributes)
  if (given.input !== undefined) span._input(given.input)
  if (given.tags !== undefined) span._tags(given.tags)
  if (given.links !== undefined && !hasLinks) {
    for (const [target, more] of linksOf(given.links)) span.link(target, more)
  }
}

function linksOf(
  given: Iterable<ParentInput | readonly [ParentInput, Attributes]>,
): [ParentInput, Attributes?][] {
  const found: [ParentInput, Attributes?][] = []
  try {
    for (const link of given) {
      if (found.length === LINKS) break
      found.push(Array.isArray(link) ? [link[0], link[1]] : [link as ParentInput])
    }
  } catch {
    refuse('links')
  }
  return found
}

function moment(time: TimeInput): ReturnType<typeof momentOf> {
  const found = momentOf(time)
  if (found === undefined && time !== null) refuse('time')
  return found
}

/** The number of a span type by any of its names. */
export function typeOf(name: string): number {
  let number = types.get(name)
  if (number === undefined) {
    number = typeof name === 'string' ? native().spanType(name) : null
    if (types.size < 256) types.set(name, number)
  }
  if (number === null) refuse('span type')
  return number ?? 0
}

function kindOf(span: Span, kind: SpanKind): void {
  const number = KINDS[String(kind).toLowerCase()]
  if (number === undefined) refuse('span kind')
  span._setKind(number ?? 1)
}

/** Has the engine start a span: it is described as an event, and goes on as what the engine has written of it. */
function ask(
  name: string,
  given: SpanOptions,
  parent: Span | undefined,
  ambient: Ambient | undefined,
  recorder: Recorder | undefined,
  instant: boolean,
): Span {
  const withContent = recorder === undefined || recorder.terms.readsContent
  const event = describe(name, given, recorder, withContent, instant)
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
  if (slot === undefined) return startsNowhere(parent, ambient)
  const owner = recorder ?? recorderOfSlot(slot)
  const trace = traceOf(context)
  const state = body === undefined || owner === undefined ? QUIET : OPEN
  const high = context.readInt32BE(16)
  const low = context.readInt32BE(20)
  const span = new Span(state, owner, trace, high, low, started.ambient ?? ambient, false)
  if (state === QUIET || body === undefined) return span
  span._token = owner?.opened()
  span._high = body.readInt32BE(16)
  span._low = body.readInt32BE(20)
  span._parentHigh = body.readInt32BE(24)
  span._parentLow = body.readInt32BE(28)
  span._kind = body[49] as number
  span._type = body.readUInt16LE(52)
  span._flags = body.readUInt16LE(54)
  span._name = text(name)
  span._start = (given.startTime === undefined ? undefined : momentOf(given.startTime)) ?? now()
  span._prefix = body.subarray(FIELDS_AT)
  if (parent !== undefined && !parent._remote) join(span, parent)
  else span._local = { last: span }
  fill(span, given, withContent, withContent)
  return span
}

function parentBytes(parent: Span): Buffer {
  return contextBytes(parent._trace, parent._seenHigh, parent._seenLow, parent._remote)
}

/** The body of an event that says what is known of a span which is to start. */
function describe(
  name: string,
  given: SpanOptions,
  recorder: Recorder | undefined,
  withContent: boolean,
  instant: boolean,
): Uint8Array {
  const out = described
  out.at = 0
  out.reserve(FIELDS_AT)
  out.buf.fill(0, 0, FIELDS_AT)
  let flags = 0
  let kind = 1
  if (given.kind !== undefined) {
    const number = KINDS[String(given.kind).toLowerCase()]
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
  return Buffer.from(out.buf.subarray(0, out.at))
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

/** Before `init`: it stands for its parent, so that context still travels. */
function startsNowhere(parent: Span | undefined, ambient: Ambient | undefined): Span {
  sayOnce('no engine', 'spans are not recorded before `init`')
  if (parent === undefined) return noSpan(NO_TRACE, 0, 0, ambient)
  return noSpan(parent._trace, parent._seenHigh, parent._seenLow, ambient, parent._remote)
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
