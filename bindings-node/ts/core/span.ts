// The span as applications see it: a plain object that keeps what it is given and is written as one event when it ends.
//
// How it keeps things stands in `kept_span.ts`. Nothing here throws.

import { now, type TimeInput } from './clock'
import { type ErrorParts, errorParts } from './exception'
import { type Attributes, each, text } from './given'
import { contextBytes, hexWord, NO_TRACE, type Trace } from './ids'
import type { KeptEvent } from './kept'
import { ENDED, ERROR, KeptSpan, NOTHING, OK, OPEN, QUIET, type Recording, STANDS } from './kept_span'
import { keyOf } from './keys'
import { linkField } from './packed'
import { type Ambient, inside } from './slot'
import { type Identified, identity, type ParentInput, SpanContext, spanContextOf } from './span_context'
import { ENDED_TWICE } from './terms'

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

export class Span extends KeptSpan implements Identified {
  // Without a constructor of its own, starting a span is a third dearer.
  /** @internal */
  constructor(
    state: number,
    recorder: Recording | undefined,
    trace: Trace,
    high: number,
    low: number,
    ambient: Ambient | undefined,
    remote: boolean,
  ) {
    super(state, recorder, trace, high, low, ambient, remote)
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

  get [identity](): SpanContext {
    return this.context
  }

  /** @internal */
  _contextBytes(): Uint8Array {
    return contextBytes(this._trace, this._seenHigh, this._seenLow, this._remote)
  }

  /** Sets an attribute, or all attributes of an object; the last value of a key counts. */
  set(key: string, value: unknown): this
  set(attributes: Attributes): this
  set(key: string | Attributes, value?: unknown): this {
    if (this._state !== OPEN) return this
    if (typeof key === 'string') this._attribute(key, value)
    else this._attributes(key)
    return this
  }

  /** Sets any of these: name, input and output are replaced, the others merged. */
  update(fields: SpanUpdate): this {
    if (typeof fields !== 'object' || fields === null) return this
    try {
      this._update(fields)
    } catch {
      // A getter that throws.
      this._refused('update')
    }
    return this
  }

  private _update(fields: SpanUpdate): void {
    if (this._state === QUIET && fields.name !== undefined) this.rename(fields.name)
    if (this._state !== OPEN) return
    if (fields.name !== undefined) this.rename(fields.name)
    if (fields.input !== undefined) this._input(fields.input)
    if (fields.output !== undefined) this._output(fields.output)
    if (fields.metadata !== undefined) this._metadata(fields.metadata)
    if (fields.attributes !== undefined) this.set(fields.attributes)
    if (fields.tags !== undefined) this._tags(fields.tags)
    this._show()
  }

  /** Adds an event that happens now, or at `time`. */
  event(name: string, attributes?: Attributes, time?: TimeInput): this {
    if (this._state !== OPEN) return this
    const at = time === undefined ? now() : (this._moment(time) ?? now())
    const kept: KeptEvent = { name: keyOf(text(name)), time: at, fields: NOTHING }
    const size = attributes === undefined ? 0 : this._eventFields(kept, attributes)
    const more = this._extra()
    if (this._fits(32 + kept.name.text.length + size)) {
      if (more.events === undefined) more.events = [kept]
      else more.events.push(kept)
    } else {
      more.droppedEvents += 1
    }
    this._show()
    return this
  }

  /** Links to another span: a span, a span context, or the text of a `traceparent`. */
  link(target: ParentInput, attributes?: Attributes): this {
    if (this._state !== OPEN) return this
    const recorder = this._recorder as Recording
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
  error(error: unknown, options?: ErrorOptions): this {
    let ends = true
    try {
      ends = options?.end !== false
      this._failed(error, options ?? {})
    } catch {
      // A getter of the options that throws.
      this._refused('error')
    }
    if (ends) this.end()
    else this._show()
    return this
  }

  private _failed(error: unknown, options: ErrorOptions): void {
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
    } else {
      this.status('error')
    }
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
    if (!this._canEnd || this._status === OK) return this
    const named = String(code).toLowerCase()
    if (named === 'ok' || named === 'error') {
      this._status = named === 'ok' ? OK : ERROR
      const said = named === 'error' && message !== undefined ? text(message) : ''
      // Of a span that does not record metrics count the status alone.
      if (this._state === OPEN && (said !== '' || this._more !== undefined))
        this._extra().statusMessage = said
    } else if (named !== 'unset') {
      this._refused('status')
    }
    return this
  }

  /** Replaces the name. */
  rename(name: string): this {
    if (this._canEnd) {
      this._name = keyOf(text(name))
      this._renamed = true
    }
    return this
  }

  /** Ends the span now, or at `time`. The first end counts. Further fields are set before. */
  end(time?: TimeInput, fields?: SpanUpdate): void {
    if (fields !== undefined) this.update(fields)
    if (this._state === OPEN) this._endAt(this._moment(time) ?? now())
    else if (this._state === QUIET) this._endQuietly(time)
    else if (this._state === ENDED) this._recorder?.count(ENDED_TWICE)
  }

  /** Ends every open span below this one, the latest first, and then this one, all at the same moment. */
  endTree(): void {
    const end = now()
    for (let span = this._local?.last; span !== undefined; ) {
      const previous: KeptSpan | undefined = span._previous
      if (span !== this && span._isBelow(this)) span._endAt(end)
      span = previous
    }
    if (this._state === OPEN) this._endAt(end)
    else this.end()
  }

  /** Runs `body` with this span current. The span stays open. */
  run<R>(body: () => R): R {
    return inside(this, body)
  }

  /** Ends the span: `using span = ...`. */
  [Symbol.dispose](): void {
    if (this._canEnd) this.end()
  }
}

/** What stands for nothing: before `init`, or outside of any span. */
export function noSpan(trace: Trace = NO_TRACE, high = 0, low = 0, ambient?: Ambient, remote = false): Span {
  return new Span(STANDS, undefined, trace, high, low, ambient, remote)
}
