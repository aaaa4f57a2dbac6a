// A span where no engine runs: what it is given is written at once, as the bytes of its event (docs/frame.md), and its
// head when it ends. Of several values of one key the last one counts when it is read.
//
// Small, for it is in every page: it shares values, keys and their bytes with the server (`../core`), and has no
// contexts, types of its own, or anything else that a page can do without. Nothing here throws.

import { capture } from '../core/capture'
import { isBefore, type Moment, momentOf, now, putMoment, type TimeInput } from '../core/clock'
import { errorParts } from '../core/exception'
import { hexWord, randomWord, type Trace } from '../core/ids'
import { refuse } from '../core/log'
import { textOf, utf8Cut, utf8Of } from '../core/utf8'
import { Writer } from '../core/writer'
import type { Page } from './page'
import { type Identity, readTraceparent, traceparent } from './trace'

const NAME = 1
const STATUS_MESSAGE = 2
const TRACE_STATE = 3
const ATTRIBUTE = 4
const EVENT = 5
const LINK = 6
const INPUT = 7
const OUTPUT = 8
const METADATA = 9
const TAG = 10
const DROPPED = 11

const HEAD = 72
const ENDED = 3
/** Flags of a record. */
const LOCAL_ROOT = 2
const PARENT_REMOTE = 4
const KIND_GIVEN = 256
/** Fields begin with room for this; most spans need no more. */
const ROOM = 512

export type Attributes = { readonly [key: string]: unknown }
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer'
/** A span, a span context, or the text of a `traceparent`. */
export type ParentInput = Span | SpanContext | string

/** The identity of a span of anywhere. */
export interface SpanContext {
  traceId: string
  spanId: string
  traceFlags?: number
  traceState?: string
}

export interface SpanOptions {
  /** What the span stands for, for example `'tool'`; `'generic'` by default. */
  type?: string
  kind?: SpanKind
  attributes?: Attributes
  input?: unknown
  metadata?: Attributes
  /** Tags of the trace; only its first span here carries them. */
  tags?: readonly string[]
  parent?: ParentInput
  links?: readonly ParentInput[]
  startTime?: TimeInput
  /** Begins a new trace, whatever is current. */
  root?: boolean
}

export interface SpanUpdate {
  name?: string
  input?: unknown
  output?: unknown
  metadata?: Attributes
  attributes?: Attributes
}

const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer']

/** The identity that was given as a parent or target; `undefined` if it is none. */
export function identityOf(given: ParentInput | undefined): Identity | undefined {
  if (given instanceof Span) return given._identity
  if (typeof given === 'string') return readTraceparent(given)
  const { traceId, spanId, traceFlags = 1, traceState } = given ?? {}
  return readTraceparent(`00-${traceId}-${spanId}-0${traceFlags & 3}`, traceState)
}

export class Span {
  /** @internal */ readonly _identity: Identity
  private readonly page: Page
  /** What it has been given; nothing where it does not record, or has ended. */
  private out: Writer | undefined
  private readonly parent: Identity | undefined
  private readonly start: Moment
  private name: string
  private kind = 1
  private type = 0
  private flags = 0
  private code = 0
  private dropped = 0
  private told = false
  private ended = false

  /** @internal */
  constructor(
    page: Page,
    name: string,
    trace: Trace,
    parent: Identity | undefined,
    local: boolean,
    given: SpanOptions,
  ) {
    this.page = page
    const high = randomWord() || 1
    this._identity = { trace, high, low: randomWord() }
    this.parent = parent
    this.start = (given.startTime === undefined ? undefined : momentOf(given.startTime)) ?? now()
    this.name = String(name)
    if (!page.opens(trace.isSampled)) return
    this.out = new Writer(ROOM)
    if (!local) this.flags = parent === undefined ? LOCAL_ROOT : LOCAL_ROOT | PARENT_REMOTE
    if (given.kind !== undefined) {
      this.kind = Math.max(1, KINDS.indexOf(given.kind))
      this.flags |= KIND_GIVEN
    }
    if (given.type !== undefined) this.type = page.typeOf(given.type)
    if (trace.state !== '') {
      this.out.u8(TRACE_STATE)
      this.out.sized(trace.state)
    }
    for (const tag of (this.flags & LOCAL_ROOT && given.tags) || []) {
      this.out.u8(TAG)
      this.out.key(String(tag))
    }
    this.update(given)
    for (const link of given.links ?? []) this.link(link)
  }

  /** The trace id as 32 lower-case hex digits. */
  get traceId(): string {
    return this._identity.trace.id
  }

  /** The span id as 16 lower-case hex digits. */
  get spanId(): string {
    return hexWord(this._identity.high) + hexWord(this._identity.low)
  }

  /** Whether what is set is kept: false when it is not sampled or has ended. */
  get isRecording(): boolean {
    return this.out !== undefined
  }

  /** Its identity as others refer to it. */
  get context(): SpanContext {
    const { flags, state } = this._identity.trace
    return { traceId: this.traceId, spanId: this.spanId, traceFlags: flags, traceState: state }
  }

  /** The header that continues the trace elsewhere. */
  get traceparent(): string {
    return traceparent(this._identity)
  }

  /** Writes a field, and takes it back where the span becomes too large or its value cannot be read. */
  private field(tag: number, write: (out: Writer) => void): boolean {
    const { out, page } = this
    if (out === undefined) return false
    const before = out.at
    try {
      out.u8(tag)
      write(out)
      if (out.at + HEAD <= page.terms.spanBytes) return true
    } catch {
      refuse('a value that fails when it is read')
    }
    out.at = before
    page.altered += 1
    return false
  }

  private value(out: Writer, value: unknown): void {
    out.raw(capture(value, this.page.terms, this.page))
  }

  private each(tag: number, given: Attributes | undefined): void {
    for (const [key, value] of pairs(given)) {
      const kept = this.field(tag, (out) => {
        out.key(key)
        this.value(out, value)
      })
      if (!kept && tag === ATTRIBUTE) this.dropped += 1
    }
  }

  /** Sets an attribute, or all attributes of an object; the last value of a key counts. */
  set(key: string | Attributes, value?: unknown): this {
    this.each(ATTRIBUTE, typeof key === 'string' ? { [key]: value } : key)
    return this
  }

  /** Sets any of these. */
  update(fields: SpanUpdate): this {
    if (fields.name !== undefined) this.rename(fields.name)
    this.each(ATTRIBUTE, fields.attributes)
    this.each(METADATA, fields.metadata)
    if (this.page.terms.io) {
      if (fields.input !== undefined) this.field(INPUT, (out) => this.value(out, fields.input))
      if (fields.output !== undefined) this.field(OUTPUT, (out) => this.value(out, fields.output))
    }
    return this
  }

  /** Replaces the name. */
  rename(name: string): this {
    this.name = String(name)
    return this
  }

  /** A sized field that ends with attributes. */
  private packed(tag: number, attributes: Attributes | undefined, begin: (out: Writer) => void): void {
    this.field(tag, (out) => {
      const place = out.at
      out.u32(0)
      begin(out)
      out.u32(0)
      const list = pairs(attributes)
      out.u16(list.length)
      for (const [key, value] of list) {
        out.key(key)
        this.value(out, value)
      }
      out.view.setUint32(place, out.at - place - 4, true)
    })
  }

  /** Adds an event that happens now, or at `time`. */
  event(name: string, attributes?: Attributes, time?: TimeInput): this {
    this.packed(EVENT, attributes, (out) => {
      out.reserve(8)
      putMoment(out.view, out.at, (time === undefined ? undefined : momentOf(time)) ?? now())
      out.at += 8
      out.key(String(name))
    })
    return this
  }

  /** Links to another span. */
  link(target: ParentInput, attributes?: Attributes): this {
    const to = identityOf(target)
    if (to === undefined) refuse('link')
    else
      this.packed(LINK, attributes, (out) => {
        out.raw(idBytes(to))
        out.u8(to.trace.flags)
        out.u8(target instanceof Span ? 0 : 1)
        out.sized(to.trace.state)
      })
    return this
  }

  /** Records that the operation failed, and ends the span unless told otherwise. */
  error(error: unknown, options: { end?: boolean } = {}): this {
    if (this.out !== undefined) {
      const { type, message, stack } = errorParts(error)
      this.event('exception', {
        'exception.type': type,
        'exception.message': message,
        'exception.stacktrace': stack,
      })
      this.set('error.type', type).status('error', message)
    }
    if (options.end !== false) this.end()
    return this
  }

  /** Sets the status, `'ok'` or `'error'`, the latter with a message. `'ok'` is final. */
  status(code: 'ok' | 'error', message?: string): this {
    if (this.code === 1) return this
    this.code = code === 'ok' ? 1 : 2
    const said = code === 'error' && message ? cut(String(message), this.page.terms.valueBytes) : ''
    // An empty one takes back what was said before.
    if (said !== '' || this.told) this.told = this.field(STATUS_MESSAGE, (out) => out.sized(said))
    return this
  }

  /** Ends the span now, or at `time`. The first end counts. */
  end(time?: TimeInput): void {
    const { page, out, dropped } = this
    if (this.ended) return
    this.ended = true
    if (out === undefined) {
      page.quiet()
      return
    }
    const given = time === undefined ? undefined : momentOf(time)
    const end = given ?? now()
    if (dropped > 0) {
      out.u8(DROPPED)
      out.u32(dropped)
      out.u32(0)
      out.u32(0)
    }
    out.u8(NAME)
    out.key(this.name)
    this.out = undefined
    page.ended((frame) => this.write(frame, out, isBefore(end, this.start) ? this.start : end))
  }

  /** The event, header and all. */
  private write(frame: Writer, fields: Writer, end: Moment): void {
    frame.reserve(HEAD + fields.at)
    const { view, at } = frame
    view.setUint32(at, HEAD - 8 + fields.at, true)
    view.setUint32(at + 4, ENDED | (1 << 8), true)
    frame.at = at + 8
    frame.raw(idBytes(this._identity))
    view.setInt32(at + 32, this.parent?.high ?? 0)
    view.setInt32(at + 36, this.parent?.low ?? 0)
    putMoment(view, at + 40, this.start)
    putMoment(view, at + 48, end)
    view.setUint32(at + 56, this._identity.trace.flags | (this.kind << 8) | (this.code << 16), true)
    view.setUint32(at + 60, this.type | (this.flags << 16), true)
    view.setUint32(at + 64, 0, true)
    view.setUint32(at + 68, 0, true)
    frame.at = at + HEAD
    frame.raw(fields.buf.subarray(0, fields.at))
  }

  /** Runs `body` with this span current until it returns. The span stays open. */
  run<R>(body: () => R): R {
    return this.page.inside(this, body)
  }

  /** Ends the span: `using span = ...`. */
  [Symbol.dispose](): void {
    this.end()
  }
}

/** The ids of a span, as frames have them. */
function idBytes({ trace, high, low }: Identity): Uint8Array {
  const bytes = new Uint8Array(24)
  const view = new DataView(bytes.buffer)
  ;[trace.a, trace.b, trace.c, trace.d, high, low].forEach((word, at) => {
    view.setInt32(at * 4, word)
  })
  return bytes
}

function cut(text: string, limit: number): string {
  const bytes = utf8Of(text.slice(0, limit + 1))
  return bytes.length <= limit ? text : `${textOf(bytes.subarray(0, utf8Cut(bytes, limit)))}…[truncated]`
}

/** What an object holds; what cannot be read is left out. */
function pairs(given: Attributes | undefined): [string, unknown][] {
  try {
    return Object.entries(given ?? {}).filter(([key, value]) => key !== '' && value !== undefined)
  } catch {
    refuse('attributes')
    return []
  }
}
