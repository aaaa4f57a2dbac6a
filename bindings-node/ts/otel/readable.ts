// A span of ours as span processors of the OpenTelemetry SDK for JavaScript see it: the `ReadableSpan` of its
// generations 2 and 3, and while it is open what it can be written with.
//
// Made only where a provider has such processors. What it holds is read out of the record when it is asked for: as it
// was recorded while the span is open, and as it leaves the process, redacted and limited, once it has ended.

import {
  type Attributes,
  createTraceState,
  type HrTime,
  type Link,
  type SpanContext,
  SpanKind,
  type SpanStatus,
} from '@opentelemetry/api'
import { nanosOf } from '../core/clock'
import { FrameWriter } from '../core/frame'
import type { Ambient } from '../core/slot'
import type { Span } from '../core/span'
import type { Beginning, Governed, Terms } from '../core/terms'
import type { Told } from '../host/finished'
import type { RecordedLink } from '../memory'
import type { Recorder } from '../recorder'
import { readValue, type Value } from '../values'
import { OtelSpan } from './span'

const PARENT_REMOTE = 4
const KINDS: Record<string, SpanKind> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
}
/** Before the body of an event. */
const HEADER = 8

/** What recorded a span. */
export interface InstrumentationScope {
  name: string
  version?: string
  schemaUrl?: string
}

/** The resource as the SDK has it. */
export interface SdkResource {
  readonly attributes: Attributes
  readonly schemaUrl?: string
  readonly asyncAttributesPending: boolean
  merge(other: SdkResource | null): SdkResource
  getRawAttributes(): [string, Attributes[string]][]
}

interface TimedEvent {
  name: string
  time: HrTime
  attributes: Attributes
  droppedAttributesCount: number
}

/** What was left of a span when it was last read. */
interface Content {
  name: string
  kind: SpanKind
  attributes: Attributes
  events: TimedEvent[]
  links: Link[]
  droppedAttributesCount: number
  droppedEventsCount: number
  droppedLinksCount: number
}

const NOTHING: Told = {
  ...({ attributes: {}, events: [], links: [] } as unknown as Told),
  ...{ droppedAttributes: 0, droppedEvents: 0, droppedLinks: 0 },
}

export class ReadableSpan extends OtelSpan {
  readonly instrumentationScope: InstrumentationScope
  readonly resource: SdkResource
  private content: Content | undefined = undefined
  private statusMessage: string | undefined = undefined

  constructor(own: Span, scope: InstrumentationScope, resource: SdkResource) {
    super(own)
    this.instrumentationScope = scope
    this.resource = resource
  }

  /** As it is sent: spans of AI types are called as the conventions have it. */
  get name(): string {
    return this.content?.name ?? this.own._name.text
  }

  get kind(): SpanKind {
    return this.content?.kind ?? this.own._kind - 1
  }

  get parentSpanContext(): SpanContext | undefined {
    const { own } = this
    if ((own._parentHigh | own._parentLow) === 0) return undefined
    const { traceId, traceFlags, traceState } = own.context
    const spanId = hex(own._parentHigh) + hex(own._parentLow)
    const parent: SpanContext = { traceId, spanId, traceFlags: traceFlags & 1 }
    if (traceState !== '') parent.traceState = createTraceState(traceState)
    if ((own._flags & PARENT_REMOTE) !== 0) parent.isRemote = true
    return parent
  }

  /** What generation 1 called it. */
  get parentSpanId(): string | undefined {
    return this.parentSpanContext?.spanId
  }

  get startTime(): HrTime {
    return hrTime(nanosOf(this.own._start))
  }

  get endTime(): HrTime {
    return this.ended ? hrTime(nanosOf(this.own._end)) : [0, 0]
  }

  get duration(): HrTime {
    if (!this.ended) return [-1, -1]
    return hrTime(nanosOf(this.own._end) - nanosOf(this.own._start))
  }

  get ended(): boolean {
    return !this.own.isRecording
  }

  get status(): SpanStatus {
    const message = this.statusMessage ?? this.own._more?.statusMessage ?? ''
    return message === '' ? { code: this.own._status } : { code: this.own._status, message }
  }

  get attributes(): Attributes {
    return this.now.attributes
  }

  get events(): TimedEvent[] {
    return this.now.events
  }

  get links(): Link[] {
    return this.now.links
  }

  get droppedAttributesCount(): number {
    return this.now.droppedAttributesCount
  }

  get droppedEventsCount(): number {
    return this.now.droppedEventsCount
  }

  get droppedLinksCount(): number {
    return this.now.droppedLinksCount
  }

  /** Reads what is to be seen of it once it has ended. */
  settle(raw: boolean): void {
    const told = recordOf(this.own, raw)
    this.statusMessage = told.statusMessage
    this.content = contentOf(told)
  }

  private get now(): Content {
    return this.content ?? contentOf(recordOf(this.own, true))
  }
}

/** Writes one span alone: no table of texts, and no counts. */
class Alone implements Governed {
  altered = 0
  limited = 0
  readonly terms: Terms
  private readonly recorder: Recorder

  constructor(recorder: Recorder) {
    this.recorder = recorder
    this.terms = recorder.terms
  }

  inherited(around: Ambient | undefined): Beginning {
    return this.recorder.inherited(around)
  }
}

const writers = new WeakMap<Recorder, FrameWriter>()

/** The record of a span as the addon tells it. */
function recordOf(own: Span, raw: boolean): Told {
  const recorder = own._recorder as Recorder | undefined
  if (recorder === undefined) return NOTHING
  let writer = writers.get(recorder)
  if (writer === undefined) {
    writer = new FrameWriter(new Alone(recorder), 4096, false)
    writers.set(recorder, writer)
  }
  writer.span(own as never)
  const bytes = recorder.engine.record(writer.buf.subarray(HEADER, writer.at), raw)
  writer.reset()
  return bytes === null ? NOTHING : (readValue(bytes) as unknown as Told)
}

function contentOf(told: Told): Content {
  const { droppedAttributes, droppedEvents, droppedLinks } = told
  return {
    name: told.name,
    kind: KINDS[told.kind] ?? SpanKind.INTERNAL,
    attributes: plainAttributes(told.attributes),
    events: (told.events as Record<string, Value>[]).map(({ name, time, attributes, droppedAttributes }) => ({
      name: name as string,
      time: hrTime(BigInt(time as bigint)),
      attributes: plainAttributes(attributes as Record<string, unknown>),
      droppedAttributesCount: droppedAttributes as number,
    })),
    links: (told.links as Record<string, Value>[]).map((link) => {
      const { traceState, isRemote, attributes, ...ids } = link as unknown as RecordedLink
      const context: SpanContext = ids
      if (traceState !== '') context.traceState = createTraceState(traceState)
      if (isRemote) context.isRemote = true
      return { context, attributes: plainAttributes(attributes), droppedAttributesCount: 0 }
    }),
    droppedAttributesCount: droppedAttributes,
    droppedEventsCount: droppedEvents,
    droppedLinksCount: droppedLinks,
  }
}

/** Attributes of the SDK are texts, numbers, truth values, and lists of these; what is more is JSON. */
function plainAttributes(given: Record<string, unknown>): Attributes {
  const found: Attributes = {}
  for (const [key, value] of Object.entries(given)) {
    if (value === null) continue
    const isList = Array.isArray(value) && value.every((item) => isPlain(item))
    found[key] = isPlain(value) || isList ? (value as Attributes[string]) : json(value)
  }
  return found
}

function isPlain(value: unknown): boolean {
  return (
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null
  )
}

function json(value: unknown): string {
  return JSON.stringify(value, (_, item) => {
    if (typeof item === 'bigint') return item.toString()
    return item instanceof Uint8Array ? Buffer.from(item).toString('base64') : item
  })
}

function hrTime(nanos: bigint): HrTime {
  return [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)]
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
