// The span: a plain object that keeps what it is given and is written as one event when it ends.
//
// Texts, numbers and truth values are kept as they are; everything else is captured when it is set, so that a span
// shows what was there then and holds on to nothing of the application. Nothing here throws.

import type { Context as ApiContext } from '@opentelemetry/api'
import { type Cuts, capture } from './capture'
import { isBefore, type Moment, momentOf, now, type TimeInput } from './clock'
import type { Context } from './context'
import { type ErrorParts, errorParts } from './exception'
import { type Attributes, each, sizeOf, text, texts } from './given'
import { contextBytes, hexWord, NO_TRACE, type Trace } from './ids'
import { type Kept, type KeptEvent, More } from './kept'
import { type Key, keyOf } from './keys'
import { refuse, sayOnce } from './log'
import type { Ambient } from './native'
import { linkField } from './packed'
import type { Epoch, Recorder } from './recorder'
import { ENDED_TWICE, UNSAMPLED } from './recorder'
import { inside } from './slot'
import { type ParentInput, SpanContext, spanContextOf } from './span_context'

export interface SpanUpdate {
  /** Replaces the name. */
  name?: string
  /** Replaces the input. */
  input?: unknown
  /** Replaces the output. */
  output?: unknown
  /** Added to the metadata of this span; the last value of a key counts. */
  metadata?: Attributes
  /** Added to the attributes; the last value of a key counts. */
  attributes?: Attributes
  /** Tags of the trace; only its first span in this process carries them. */
  tags?: Iterable<string>
}

export interface ErrorOptions {
  /** Whether the span ends; true by default. */
  end?: boolean
  /** Names the error where its class says too little; becomes `error.type`. */
  id?: string
  domain?: string
  category?: string
  details?: unknown
  metadata?: Attributes
}

/** Open spans of one trace in this process, for `endTree`. */
export interface Local {
  last: Span | undefined
}

const NOTHING: unknown[] = []
/** Attributes of one span that are kept before those that were replaced are taken out. */
const MANY = 1024
/** Attributes of an event at most. */
const MOST = 65535
const OK = 1
const ERROR = 2
export const LOCAL_ROOT = 2
const KIND_GIVEN = 256

/** How a span is open, has ended, or does not record. */
export const OPEN = 0
export const ENDED = 1
export const QUIET = 2
/** Ends without being counted: of another process, without an engine, or standing for several. */
export const STANDS = 3

export class Span {
  /** @internal */ _state: number
  /** @internal */ readonly _recorder: Recorder | undefined
  /** @internal */ readonly _trace: Trace
  /** @internal */ _high: number
  /** @internal */ _low: number
  /** @internal The id that others see: that of an ancestor where this span is hidden. */ _seenHigh: number
  /** @internal */ _seenLow: number
  /** @internal */ _parentHigh = 0
  /** @internal */ _parentLow = 0
  /** @internal */ _start: Moment = 0
  /** @internal */ _end: Moment = 0
  /** @internal */ _kind = 1
  /** @internal */ _status = 0
  /** @internal */ _type = 0
  /** @internal */ _flags = 0
  /** @internal */ _scope = 0
  /** @internal */ _name = ''
  /** @internal */ _renamed = false
  /** @internal Keys and values in turn. */ _fields: unknown[] = NOTHING
  /** @internal Bytes that it keeps. */ _size = 0
  /** @internal */ _more: More | undefined = undefined
  /** @internal What spans inside inherit. */ readonly _ambient: Ambient | undefined
  /** @internal Fields that were written when it started. */ _prefix: Uint8Array | undefined = undefined
  /** @internal */ readonly _remote: boolean
  /** @internal */ _above: Span | undefined = undefined
  /** @internal */ _local: Local | undefined = undefined
  /** @internal */ _previous: Span | undefined = undefined
  /** @internal */ _next: Span | undefined = undefined
  /** @internal */ _token: { epoch: Epoch } | undefined = undefined
  /** @internal */ _follower: Span | undefined = undefined
  /** @internal What it is for the OpenTelemetry API as a context, and as a span, once that has asked. */
  _face: ApiContext | undefined = undefined
  /** @internal */ _api: unknown = undefined
  /** @internal The context of the OpenTelemetry API under which it started. */
  _otel: ApiContext | undefined = undefined

  /** @internal */
  constructor(
    state: number,
    recorder: Recorder | undefined,
    trace: Trace,
    high: number,
    low: number,
    ambient: Ambient | undefined,
    remote: boolean,
  ) {
    this._state = state
    this._recorder = recorder
    this._trace = trace
    this._high = high
    this._low = low
    this._seenHigh = high
    this._seenLow = low
    this._ambient = ambient
    this._remote = remote
  }

  /** The trace id as 32 lower-case hex digits; all zeros when no engine runs. */
  get traceId(): string {
    return this._trace.id
  }

  /** The span id as 16 lower-case hex digits. */
  get spanId(): string {
    return hexWord(this._seenHigh) + hexWord(this._seenLow)
  }

  /** Whether what is set is kept: false when it is not sampled, has ended, or no engine runs. */
  get isRecording(): boolean {
    return this._state === OPEN
  }

  /** Its identity as others refer to it: a parent for other spans, a target for links. */
  get context(): SpanContext {
    return new SpanContext(this._trace, this._seenHigh, this._seenLow, this._remote)
  }

  /** @internal */
  get _isLocalRoot(): boolean {
    return (this._flags & LOCAL_ROOT) !== 0
  }

  /** @internal */
  _contextBytes(): Buffer {
    return contextBytes(this._trace, this._seenHigh, this._seenLow, this._remote)
  }

  /** @internal */
  _extra(): More {
    this._more ??= new More()
    return this._more
  }

  /** Sets an attribute, or all attributes of an object; the last value of a key counts. */
  set(key: string, value: unknown): this
  set(attributes: Attributes): this
  set(key: string | Attributes, value?: unknown): this {
    if (this._state !== OPEN) return this
    if (typeof key === 'string') this._attribute(key, value)
    else each(key, 'attributes', this._cuts(), (name, one) => this._attribute(name, one))
    return this
  }

  /** @internal */
  _cuts(): Cuts {
    return this._recorder as Recorder
  }

  /** @internal */
  _attribute(name: string, value: unknown): void {
    const recorder = this._recorder as Recorder
    if (name === '') {
      recorder.altered += 1
      sayOnce('empty key', 'an attribute or metadata whose key is empty is left out')
      return
    }
    if (this._fields === NOTHING) this._fields = []
    const fields = this._fields
    const kind = typeof value
    if (kind === 'number' || kind === 'boolean') {
      this._size += 16
      fields.push(keyOf(name), value)
    } else if (kind === 'string') {
      this._size += 16 + (value as string).length
      fields.push(keyOf(name), value)
    } else {
      const bytes = capture(value, recorder.terms, recorder)
      this._size += 16 + bytes.length
      fields.push(keyOf(name), bytes)
    }
    if (fields.length >= MANY * 2 && (fields.length & 1023) === 0) this._compact()
    if (this._size > recorder.terms.spanBytes) this._tooLarge()
  }

  /** Takes out attributes that a later one replaces. */
  private _compact(): void {
    const last = new Map<Key, unknown>()
    for (let i = 0; i < this._fields.length; i += 2) {
      const key = this._fields[i] as Key
      last.delete(key)
      last.set(key, this._fields[i + 1])
    }
    this._fields = [...last].flat()
  }

  private _tooLarge(): void {
    const before = this._fields.length
    this._compact()
    this._size = this._fields.reduce<number>((sum, value) => sum + sizeOf(value), 0)
    if (this._size <= (this._recorder as Recorder).terms.spanBytes) return
    if (this._fields.length < before) return
    this._fields.length -= 2
    this._extra().droppedAttributes += 1
    this._cuts().altered += 1
  }

  /** Sets any of these: name, input and output are replaced, the others merged. */
  update(fields: SpanUpdate): this {
    if (this._state !== OPEN || typeof fields !== 'object' || fields === null) return this
    if (fields.name !== undefined) this.rename(fields.name)
    if (fields.input !== undefined) this._input(fields.input)
    if (fields.output !== undefined) this._output(fields.output)
    if (fields.metadata !== undefined) this._metadata(fields.metadata)
    if (fields.attributes !== undefined) this.set(fields.attributes)
    if (fields.tags !== undefined) this._tags(fields.tags)
    return this
  }

  /** @internal */
  _input(value: unknown): void {
    const { terms } = this._recorder as Recorder
    if (terms.io) this._extra().input = this._kept(value)
  }

  /** @internal */
  _output(value: unknown): void {
    const { terms } = this._recorder as Recorder
    if (terms.io) this._extra().output = this._kept(value)
  }

  private _kept(value: unknown): Kept {
    const kind = typeof value
    if (kind === 'string' || kind === 'number' || kind === 'boolean') return value as Kept
    const recorder = this._recorder as Recorder
    return capture(value, recorder.terms, recorder)
  }

  /** @internal */
  _metadata(metadata: Attributes): void {
    const more = this._extra()
    more.metadata ??= []
    const list = more.metadata
    const { terms } = this._recorder as Recorder
    each(metadata, 'metadata', this._cuts(), (name, value) => {
      if (name === '') this._cuts().altered += 1
      else if (this._fits(name.length)) list.push([name, capture(value, terms, this._cuts())])
    })
  }

  /** @internal */
  _tags(tags: Iterable<string>): void {
    const list = texts(tags, 'tags', this._cuts())
    if (!this._isLocalRoot) {
      this._cuts().altered += list.length
      if (list.length > 0)
        sayOnce('tags', 'tags are of a trace: give them to its root, or to the context around it')
      return
    }
    const more = this._extra()
    more.tags = more.tags === undefined ? list : more.tags.concat(list)
  }

  /** Whether the span may grow by so much. */
  private _fits(bytes: number): boolean {
    this._size += bytes
    if (this._size <= (this._recorder as Recorder).terms.spanBytes) return true
    this._size -= bytes
    this._cuts().altered += 1
    return false
  }

  /** Adds an event that happens now, or at `time`. */
  event(name: string, attributes?: Attributes, time?: TimeInput): this {
    if (this._state !== OPEN) return this
    const at = time === undefined ? now() : (this._moment(time) ?? now())
    const kept: KeptEvent = { name: typeof name === 'string' ? name : text(name), time: at, fields: NOTHING }
    const size = attributes === undefined ? 0 : this._eventFields(kept, attributes)
    const more = this._extra()
    if (this._fits(32 + kept.name.length + size)) {
      if (more.events === undefined) more.events = [kept]
      else more.events.push(kept)
    } else {
      more.droppedEvents += 1
    }
    return this
  }

  /** Keeps the attributes of an event; returns how many bytes they are about. */
  private _eventFields(kept: KeptEvent, attributes: Attributes): number {
    const fields: unknown[] = []
    let size = 0
    each(attributes, 'event attributes', this._cuts(), (key, value) => {
      if (key === '' || fields.length === 2 * MOST) {
        this._cuts().altered += 1
        return
      }
      const own = this._kept(value)
      fields.push(keyOf(key), own)
      size += 16 + key.length + sizeOf(own)
    })
    kept.fields = fields
    return size
  }

  /** Links to another span: a span, a span context, or the text of a `traceparent`. */
  link(target: ParentInput, attributes?: Attributes): this {
    if (this._state !== OPEN) return this
    const recorder = this._recorder as Recorder
    const to = spanContextOf(target)
    if (to === undefined) {
      this._refused('link')
      return this
    }
    const bytes = linkField(to, attributes, recorder.terms, recorder)
    const more = this._extra()
    if (this._fits(bytes.length)) {
      more.links ??= []
      more.links.push(bytes)
    } else {
      more.droppedLinks += 1
    }
    return this
  }

  /** Records that the operation failed: the error with its type, message and stack, and the status. Ends the span
   * unless told otherwise. */
  error(error: unknown, options: ErrorOptions = {}): this {
    if (this._state === OPEN) {
      const parts = errorParts(error)
      this._exception(parts, undefined, undefined)
      this._attribute('error.type', parts.type)
      const named: [string, unknown][] = [
        ['error.type', options.id],
        ['polyspan.error.id', options.id],
        ['polyspan.error.domain', options.domain],
        ['polyspan.error.category', options.category],
        ['polyspan.error.details', options.details],
      ]
      for (const [key, value] of named) if (value !== undefined) this._attribute(key, value)
      if (options.metadata !== undefined) this._metadata(options.metadata)
      this.status('error', parts.message)
    }
    if (options.end !== false) this.end()
    return this
  }

  /** Records an error as an event and leaves the status alone. */
  recordException(
    error: unknown,
    attributes?: Attributes,
    options: { escaped?: boolean; time?: TimeInput } = {},
  ): this {
    if (this._state === OPEN) this._exception(errorParts(error), attributes, options)
    return this
  }

  private _exception(
    parts: ErrorParts,
    attributes: Attributes | undefined,
    options: { escaped?: boolean; time?: TimeInput } | undefined,
  ): void {
    const fields = new Map<string, unknown>([
      ['exception.type', parts.type],
      ['exception.message', parts.message],
      ['exception.stacktrace', parts.stack],
    ])
    if (options?.escaped) fields.set('exception.escaped', 'true')
    if (attributes !== undefined) {
      // What the caller gives replaces what was found.
      each(attributes, 'exception attributes', this._cuts(), (key, value) => fields.set(key, value))
    }
    this.event('exception', fields, options?.time)
  }

  /** Sets the status, `'ok'` or `'error'`, the latter with a message. `'ok'` is final. */
  status(code: 'ok' | 'error' | 'unset', message?: string): this {
    if (this._state !== OPEN || this._status === OK) return this
    const named = String(code).toLowerCase()
    if (named === 'ok' || named === 'error') {
      this._status = named === 'ok' ? OK : ERROR
      const said = named === 'error' && message !== undefined ? text(message) : ''
      if (said !== '' || this._more !== undefined) this._extra().statusMessage = said
    } else if (named !== 'unset') {
      this._refused('status')
    }
    return this
  }

  /** Replaces the name. */
  rename(name: string): this {
    if (this._state !== OPEN) return this
    this._name = text(name)
    this._renamed = true
    return this
  }

  /** Ends the span now, or at `time`. The first end counts. Further fields are set before. */
  end(time?: TimeInput, fields?: SpanUpdate): void {
    if (fields !== undefined) this.update(fields)
    if (this._state === OPEN) this._endAt(this._moment(time) ?? now())
    else if (this._state === QUIET) {
      this._state = ENDED
      this._recorder?.count(UNSAMPLED)
    } else if (this._state === ENDED) this._recorder?.count(ENDED_TWICE)
  }

  /** @internal */
  _endAt(end: Moment): void {
    const recorder = this._recorder as Recorder
    this._state = ENDED
    if (isBefore(end, this._start)) {
      this._end = this._start
      recorder.altered += 1
    } else {
      this._end = end
    }
    this._unlink()
    recorder.ended(this)
    // What was kept is in the frame.
    this._fields = NOTHING
    this._more = undefined
    this._prefix = undefined
  }

  private _unlink(): void {
    const local = this._local
    if (local === undefined) return
    if (this._previous !== undefined) this._previous._next = this._next
    if (this._next !== undefined) this._next._previous = this._previous
    else local.last = this._previous
    this._previous = undefined
    this._next = undefined
  }

  /** Ends every open span below this one, the latest first, and then this one, all at the same moment. */
  endTree(): void {
    const end = now()
    for (let span = this._local?.last; span !== undefined; ) {
      const previous: Span | undefined = span._previous
      if (span !== this && span._isBelow(this)) span._endAt(end)
      span = previous
    }
    if (this._state === OPEN) this._endAt(end)
    else this.end()
  }

  private _isBelow(other: Span): boolean {
    for (let above = this._above; above !== undefined; above = above._above) if (above === other) return true
    return false
  }

  /** Runs `body` with this span current. The span stays open. */
  run<R>(body: () => R): R {
    return inside(this, body)
  }

  /** Ends the span: `using span = ...`. */
  [Symbol.dispose](): void {
    if (this._state === OPEN || this._state === QUIET) this.end()
  }

  /** @internal */
  _setKind(kind: number): void {
    this._kind = kind
    this._flags |= KIND_GIVEN
  }

  private _refused(place: string): void {
    this._cuts().altered += 1
    refuse(place)
  }

  private _moment(time: TimeInput | undefined): Moment | undefined {
    if (time === undefined || time === null) return undefined
    const moment = momentOf(time)
    if (moment === undefined) this._refused('time')
    return moment
  }
}

/** What stands for nothing: before `init`, or outside of any span. */
export function noSpan(trace: Trace = NO_TRACE, high = 0, low = 0, ambient?: Ambient, remote = false): Span {
  return new Span(STANDS, undefined, trace, high, low, ambient, remote)
}

/** A context with its span, for the slot. */
export type Slot = Span | Context
