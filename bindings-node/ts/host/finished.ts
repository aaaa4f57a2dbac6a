// A span as the application's code in the host stage sees it: typed, and changeable.
//
// It is read when it is first looked at, and what was looked at is compared at the end: only a span that was changed
// is written anew.

import { wholeValue } from '../context'
import { momentOf, nanosOf, now, type TimeInput } from '../core/clock'
import { type ParentInput, SpanContext, type SpanContextInit, spanContextOf } from '../core/span_context'
import { native } from '../native'
import { readValue, type Value } from '../values'

/** Something that happened during a span. */
export interface SpanEvent {
  name: string
  /** Nanoseconds since the Unix epoch where it was read; any time where it is set, now by default. */
  time?: TimeInput
  attributes?: Record<string, unknown>
}

/** A link of a span to another one. */
export interface SpanLink {
  /** A `SpanContext` where it was read; whatever names a span where it is set. */
  context: ParentInput
  attributes?: Record<string, unknown>
}

/** Why a span failed. */
export interface SpanError {
  /** What kind of error it was: `error.type`, or the class of the exception. */
  readonly type: string
  readonly message: string
  /** Empty where none was recorded. */
  readonly stack: string
}

/** A span as the addon tells it. */
export interface Told {
  [name: string]: unknown
  traceId: string
  spanId: string
  traceFlags: number
  traceState: string
  parentSpanId: string | null
  parentIsRemote: boolean
  name: string
  type: string
  kind: string
  flags: number
  startTime: bigint | number
  endTime: bigint | number
  status: 'unset' | 'ok' | 'error'
  statusMessage: string
  attributes: Record<string, unknown>
  metadata: Record<string, unknown>
  tags: string[]
  input: unknown
  output: unknown
  hasInput: boolean
  hasOutput: boolean
  scope: string
  scopeVersion: string
  scopeSchemaUrl: string
  resource: Record<string, Value>
  droppedAttributes: number
  droppedEvents: number
  droppedLinks: number
}

const ROOT = 1
const LOCAL_ROOT = 2
const EVENT = 8
const INTERNAL = 16
const KINDS = ['internal', 'server', 'client', 'producer', 'consumer']
const STATUSES = ['unset', 'ok', 'error']
/** Counts of attributes that limits left out, kept beside the events and links that they are of. */
const dropped = new WeakMap<object, number>()

/** A span on its way out. Processors and formatters may change everything but its identity; exporters and filters
 * have a copy of their own, so that what they change changes nothing. */
export class FinishedSpan {
  private bytes: Buffer | undefined
  private read: Told | undefined = undefined
  /** Fields that were set, or handed out and may have been changed. */
  private readonly touched = new Set<string>()

  /** @internal */
  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** @internal */
  get _told(): Told {
    if (this.read === undefined) {
      this.read = toldOf(this.bytes as Buffer)
      this.bytes = undefined
    }
    return this.read
  }

  /** The span id as 16 lower-case hex digits. */
  get id(): string {
    return this._told.spanId
  }

  /** The trace id as 32 lower-case hex digits. */
  get traceId(): string {
    return this._told.traceId
  }

  /** The parent's span id; `undefined` for a root. */
  get parentId(): string | undefined {
    return this._told.parentSpanId ?? undefined
  }

  /** Its identity. */
  get context(): SpanContext {
    const { traceId, spanId, traceFlags, traceState } = this._told
    return SpanContext.of({ traceId, spanId, traceFlags, traceState, isRemote: false })
  }

  get name(): string {
    return this._told.name
  }

  set name(name: string) {
    this.put('name', String(name))
  }

  /** The span type, such as `tool`. */
  get type(): string {
    return this._told.type
  }

  set type(type: string) {
    if (typeof type !== 'string' || native().spanType(type) === null) {
      throw new TypeError(`type: ${String(type)} is no span type`)
    }
    this.put('type', type)
  }

  /** The span kind, such as `client`. */
  get kind(): string {
    return this._told.kind
  }

  set kind(kind: string) {
    this.put('kind', oneOf('kind', kind, KINDS))
  }

  /** Start in nanoseconds since the Unix epoch. */
  get startTime(): bigint {
    return BigInt(this._told.startTime)
  }

  set startTime(time: TimeInput) {
    this.put('startTime', nanosGiven('startTime', time))
  }

  /** End in nanoseconds since the Unix epoch; `undefined` while the span is open. */
  get endTime(): bigint | undefined {
    const { endTime } = this._told
    return Number(endTime) > 0 ? BigInt(endTime) : undefined
  }

  set endTime(time: TimeInput) {
    this.put('endTime', nanosGiven('endTime', time))
  }

  /** Nanoseconds from start to end; `undefined` while the span is open. */
  get duration(): bigint | undefined {
    const end = this.endTime
    if (end === undefined) return undefined
    return end > this.startTime ? end - this.startTime : 0n
  }

  get status(): 'unset' | 'ok' | 'error' {
    return this._told.status
  }

  set status(status: 'unset' | 'ok' | 'error') {
    this.put('status', oneOf('status', status, STATUSES))
  }

  /** The description of an error status. */
  get statusMessage(): string {
    return this._told.statusMessage
  }

  set statusMessage(message: string) {
    this.put('statusMessage', String(message))
  }

  /** Why it failed; `undefined` unless the status is an error. Read from status, `error.type` and the last exception. */
  get error(): SpanError | undefined {
    const told = this._told
    if (told.status !== 'error') return undefined
    const exception = (told.events as SpanEvent[]).findLast((event) => event.name === 'exception')
    const text = (attributes: Record<string, unknown> | undefined, key: string): string => {
      const found = attributes?.[key]
      return typeof found === 'string' ? found : ''
    }
    return {
      type: text(told.attributes, 'error.type') || text(exception?.attributes, 'exception.type'),
      message: told.statusMessage || text(exception?.attributes, 'exception.message'),
      stack: text(exception?.attributes, 'exception.stacktrace'),
    }
  }

  get attributes(): Record<string, unknown> {
    return this.handed('attributes')
  }

  set attributes(attributes: Record<string, unknown>) {
    this.put('attributes', record('attributes', attributes))
  }

  get metadata(): Record<string, unknown> {
    return this.handed('metadata')
  }

  set metadata(metadata: Record<string, unknown>) {
    this.put('metadata', record('metadata', metadata))
  }

  /** Tags of the trace, on its root. */
  get tags(): string[] {
    return this.handed('tags')
  }

  set tags(tags: string[]) {
    this.put('tags', [...tags])
  }

  /** What happened during it. */
  get events(): SpanEvent[] {
    return this.handed('events')
  }

  set events(events: SpanEvent[]) {
    this.put('events', [...events])
  }

  /** What it links to. */
  get links(): SpanLink[] {
    return this.handed('links')
  }

  set links(links: SpanLink[]) {
    this.put('links', [...links])
  }

  /** What went into the operation; `undefined` when nothing was recorded. */
  get input(): unknown {
    return this.handed('input')
  }

  set input(input: unknown) {
    this.put('input', input)
  }

  /** What came out of the operation; `undefined` when nothing was recorded. */
  get output(): unknown {
    return this.handed('output')
  }

  set output(output: unknown) {
    this.put('output', output)
  }

  /** The attributes of the process that recorded it. */
  get resource(): Readonly<Record<string, Value>> {
    return this._told.resource
  }

  /** The instrumentation scope. */
  get scope(): { readonly name: string; readonly version: string } {
    return { name: this._told.scope, version: this._told.scopeVersion }
  }

  /** Whether it has no parent at all. */
  get isRoot(): boolean {
    return (this._told.flags & ROOT) !== 0
  }

  /** Whether it has no parent in this process. */
  get isLocalRoot(): boolean {
    return (this._told.flags & LOCAL_ROOT) !== 0
  }

  /** Whether it stands for an instant. */
  get isEvent(): boolean {
    return (this._told.flags & EVENT) !== 0
  }

  /** Whether it is internal to a framework. */
  get isInternal(): boolean {
    return (this._told.flags & INTERNAL) !== 0
  }

  /** What was left out. */
  get dropped(): { readonly attributes: number; readonly events: number; readonly links: number } {
    const { droppedAttributes, droppedEvents, droppedLinks } = this._told
    return { attributes: droppedAttributes, events: droppedEvents, links: droppedLinks }
  }

  /** Everything it holds as plain data for `JSON.stringify`: times as text, bytes as base64. */
  toJSON(): Record<string, unknown> {
    const { id, traceId, parentId, name, type, kind, startTime, endTime, duration, status } = this
    const { statusMessage, tags, isRoot, isLocalRoot, isEvent, isInternal, scope, dropped: left } = this
    const { attributes, metadata, events, links, input, output, resource } = this._told as Told & {
      events: SpanEvent[]
      links: SpanLink[]
    }
    const plainLinks = links.map(({ context, attributes }) => {
      const to = spanContextOf(context)
      return { traceId: to?.traceId, spanId: to?.spanId, attributes }
    })
    return plain({
      ...{ id, traceId, parentId, name, type, kind, startTime, endTime, duration, status, statusMessage },
      ...{ attributes, metadata, tags, events, links: plainLinks, input, output, error: this.error },
      ...{ isRoot, isLocalRoot, isEvent, isInternal, resource, scope, dropped: left },
    }) as Record<string, unknown>
  }

  /** @internal The fields that may have been changed, for the addon; `undefined` where there are none. Throws where
   * they are of a wrong form. */
  _changes(): Uint8Array | undefined {
    if (this.touched.size === 0) return undefined
    const told = this._told
    const changes: Record<string, unknown> = {}
    for (const name of this.touched) {
      const value = told[name]
      if (name === 'input' || name === 'output') changes[name] = value === undefined ? [] : [value]
      else if (name === 'events') changes[name] = (value as SpanEvent[]).map(eventGiven)
      else if (name === 'links') changes[name] = (value as SpanLink[]).map(linkGiven)
      else changes[name] = value
    }
    return wholeValue(changes)
  }

  private put(name: string, value: unknown): void {
    ;(this._told as Record<string, unknown>)[name] = value
    this.touched.add(name)
  }

  private handed<T>(name: string): T {
    const value = this._told[name]
    if (typeof value === 'object' && value !== null) this.touched.add(name)
    return value as T
  }
}

/** Reads what the addon told of a span. */
function toldOf(bytes: Buffer): Told {
  const told = readValue(bytes) as unknown as Told
  if (!told.hasInput) told.input = undefined
  if (!told.hasOutput) told.output = undefined
  told.events = ((told.events as Record<string, unknown>[]) ?? []).map((event) => {
    const { name, attributes } = event as unknown as SpanEvent
    const found: SpanEvent = { name, time: BigInt(event.time as bigint), attributes }
    dropped.set(found, event.droppedAttributes as number)
    return found
  })
  told.links = ((told.links as Record<string, unknown>[]) ?? []).map((link) => {
    const context = SpanContext.of(link as unknown as SpanContextInit)
    const found: SpanLink = { context, attributes: link.attributes as Record<string, unknown> }
    dropped.set(found, (link.droppedAttributes as number | undefined) ?? 0)
    return found
  })
  return told
}

function eventGiven(event: SpanEvent): Record<string, unknown> {
  const { name, time, attributes } = event
  const nanos = time === undefined ? nanosOf(now()) : nanosGiven('event', time)
  return { name: String(name), time: nanos, attributes: attributes ?? {}, dropped: dropped.get(event) ?? 0 }
}

function linkGiven(link: SpanLink): Record<string, unknown> {
  const to = spanContextOf(link.context)
  if (to === undefined) throw new TypeError('links: a span, a span context or a traceparent is expected')
  return { context: to._bytes(), attributes: link.attributes ?? {}, dropped: dropped.get(link) ?? 0 }
}

function nanosGiven(field: string, time: TimeInput): bigint {
  const moment = momentOf(time)
  if (moment === undefined) throw new TypeError(`${field}: ${String(time)} is no time`)
  return nanosOf(moment)
}

function oneOf(field: string, given: string, known: string[]): string {
  if (known.includes(given)) return given
  throw new TypeError(`${field}: ${String(given)} is none of ${known.join(', ')}`)
}

function record(field: string, given: unknown): Record<string, unknown> {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    return { ...(given as Record<string, unknown>) }
  }
  throw new TypeError(`${field}: an object is expected`)
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  }
  return value
}
