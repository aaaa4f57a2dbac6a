// The memory exporter, for tests: finished spans as objects.

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

  clear(): void {
    this._native.spans(true)
  }
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
