// The memory exporter, for tests: finished spans as objects.

import { type LogRecord, logOf } from './host/events'
import { type NativeMemory, native } from './native'
import { readValue, type Value } from './values'

export interface RecordedEvent {
  name: string
  time: bigint
  attributes: Record<string, Value>
  droppedAttributes: number
}

export interface RecordedLink {
  traceId: string
  spanId: string
  traceFlags: number
  traceState: string
  isRemote: boolean
  attributes: Record<string, Value>
}

/** A finished span as it left the engine: redacted, limited, under the names that it was recorded with. */
export interface SpanRecord {
  traceId: string
  spanId: string
  traceFlags: number
  traceState: string
  parentSpanId: string | undefined
  parentIsRemote: boolean
  name: string
  type: string
  kind: string
  /** Flag bits (`docs/frame.md`). */
  flags: number
  /** Nanoseconds since the Unix epoch. */
  startTime: bigint
  endTime: bigint
  status: 'unset' | 'ok' | 'error'
  statusMessage: string
  attributes: Record<string, Value>
  events: RecordedEvent[]
  links: RecordedLink[]
  droppedAttributes: number
  droppedEvents: number
  droppedLinks: number
  /** `undefined` where none was recorded. */
  input: Value | undefined
  output: Value | undefined
  metadata: Record<string, Value>
  tags: string[]
  scope: string
  scopeVersion: string
  resource: Record<string, Value>
}

/** A data point of a metric: one series as it was collected. */
export interface MetricPoint {
  /** The metric, such as `gen_ai.client.token.usage`, with its unit, such as `s`, and what it says. */
  name: string
  unit: string
  description: string
  kind: 'counter' | 'up_down_counter' | 'histogram'
  /** Whether it counts from the start, or since the collection before. */
  temporality: 'cumulative' | 'delta'
  /** What tells the series from the others. */
  attributes: Record<string, Value>
  /** The number; of a histogram the sum. */
  value: number
  /** How many values a histogram has, the smallest and the largest; `undefined` for a number. */
  count: number | undefined
  min: number | undefined
  max: number | undefined
  /** Where the buckets of a histogram end, the last of which has no end, and how many values each has. */
  bounds: number[]
  buckets: number[]
  /** Nanoseconds since the Unix epoch. */
  startTime: bigint
  time: bigint
}

/** Keeps finished spans in memory: `init({ exporter: new MemoryExporter() })`. */
export class MemoryExporter {
  /** @internal */ readonly _native: NativeMemory

  /** One for at most `capacity` spans, 100,000 by default; later ones are dropped and counted as `queue_full`. */
  constructor(capacity = 100_000) {
    this._native = new (native().NativeMemory)(capacity)
  }

  /** The spans received so far, in the order they ended. Flush before. */
  get spans(): SpanRecord[] {
    return records(this._native.spans(false))
  }

  /** Takes the spans out. */
  take(): SpanRecord[] {
    return records(this._native.spans(true))
  }

  /** The log records received so far, in the order they were recorded. */
  get logs(): LogRecord[] {
    return (readValue(this._native.logs(false)) as Value[]).map(logOf)
  }

  /** The data points of metrics received so far, in the order they were collected. Cumulative ones are there once for
   * each collection. */
  get metrics(): MetricPoint[] {
    return (readValue(this._native.metrics(false)) as Value[]).map(pointOf)
  }

  /** Forgets all of them. */
  clear(): void {
    this._native.spans(true)
    this._native.logs(true)
    this._native.metrics(true)
  }
}

function pointOf(told: Value): MetricPoint {
  const given = told as unknown as MetricPoint
  const { startTime, time, count, min, max } = given
  const numbers = { count: count ?? undefined, min: min ?? undefined, max: max ?? undefined }
  return { ...given, ...numbers, startTime: BigInt(startTime), time: BigInt(time) }
}

function records(bytes: Buffer): SpanRecord[] {
  return (readValue(bytes) as unknown as Record<string, unknown>[]).map((given) => {
    const { hasInput, hasOutput, ...span } = given
    return {
      ...span,
      parentSpanId: span.parentSpanId ?? undefined,
      startTime: BigInt(span.startTime as bigint),
      endTime: BigInt(span.endTime as bigint),
      input: hasInput ? span.input : undefined,
      output: hasOutput ? span.output : undefined,
      events: (span.events as RecordedEvent[]).map((event) => ({ ...event, time: BigInt(event.time) })),
    } as unknown as SpanRecord
  })
}
