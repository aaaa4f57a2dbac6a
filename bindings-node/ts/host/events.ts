// What exporters are told besides finished spans: traces, spans that are dropped, log records.

import { readValue, type Value } from '../values'
import { FinishedSpan, type Told } from './finished'

/** What this process has of a trace, as its exporters are told of its start and end. */
export interface TraceInfo {
  /** The trace id as 32 lower-case hex digits. */
  readonly id: string
  /** The span id of its root in this process; at the start that of the first span there is. */
  readonly rootId: string
  /** The name of that span, its type and status. */
  readonly name: string
  readonly type: string
  readonly status: 'unset' | 'ok' | 'error'
  /** Nanoseconds since the Unix epoch. */
  readonly startTime: bigint
  /** `undefined` at the start of the trace. */
  readonly endTime: bigint | undefined
  /** How many of its spans have ended, once it is over. */
  readonly spanCount: number
  /** How many that were told to have started were dropped. */
  readonly droppedCount: number
}

/** A span that was told to have started and will never be told to have ended. */
export interface DroppedSpan {
  readonly id: string
  readonly traceId: string
  /** `undefined` for a root. */
  readonly parentId: string | undefined
  readonly type: string
  /** Nanoseconds since the Unix epoch. */
  readonly startTime: bigint
  /** `filtered`, or a reason of `stats().dropped` such as `queue_full` or `shutdown`. */
  readonly reason: string
}

/** A log record as it was recorded. */
export interface LogRecord {
  /** What it says; `null` if nothing. */
  readonly body: Value
  /** How serious it is, as OpenTelemetry numbers it: 9 for info, 13 for warn, 17 for error; 0 for unknown. */
  readonly severity: number
  /** What its source calls that, such as `WARN`. */
  readonly severityText: string
  /** Nanoseconds since the Unix epoch. */
  readonly time: bigint
  /** The trace and span it belongs to; `undefined` for none. */
  readonly traceId: string | undefined
  readonly spanId: string | undefined
  /** The class of the event that it stands for; empty for none. */
  readonly eventName: string
  readonly attributes: Record<string, Value>
  /** The metadata it inherited. */
  readonly metadata: Record<string, Value>
  readonly logger: string
  readonly resource: Record<string, Value>
}

/** What `exportEvent` is given, told apart by `type`. */
export type TelemetryEvent =
  | { readonly type: 'span_started' | 'span_updated' | 'span_ended'; readonly span: FinishedSpan }
  | { readonly type: 'span_dropped'; readonly span: DroppedSpan }
  | { readonly type: 'trace_started' | 'trace_ended'; readonly trace: TraceInfo }
  | { readonly type: 'log'; readonly record: LogRecord }

export type EventKind = TelemetryEvent['type']

/** The kinds by the numbers that the addon has for them. */
export const KINDS: readonly EventKind[] = [
  'span_ended',
  'span_started',
  'span_updated',
  'span_dropped',
  'trace_started',
  'trace_ended',
  'log',
]

/** One thing that an exporter is told. */
export interface Telling {
  readonly kind: EventKind
  readonly about: FinishedSpan | DroppedSpan | TraceInfo | LogRecord
}

/** The records of a job, in their order. */
export function tellings(bytes: Buffer): Telling[] {
  const told: Telling[] = []
  for (let at = 0; at < bytes.length; ) {
    const kind = KINDS[bytes[at] as number] ?? 'span_ended'
    const length = bytes.readUInt32LE(at + 1)
    const record = bytes.subarray(at + 5, at + 5 + length)
    told.push({ kind, about: about(kind, record) })
    at += 5 + length
  }
  return told
}

/** The same where all are about spans. */
export function spansOf(bytes: Buffer): FinishedSpan[] {
  return tellings(bytes).map(({ about }) => about as FinishedSpan)
}

function about(kind: EventKind, record: Buffer): Telling['about'] {
  switch (kind) {
    case 'span_dropped': {
      const told = readValue(record) as unknown as Told
      const { spanId: id, traceId, type, statusMessage: reason } = told
      return { id, traceId, parentId: told.parentSpanId ?? undefined, type, reason, ...startOf(told) }
    }
    case 'trace_started':
    case 'trace_ended': {
      const told = readValue(record) as unknown as Told
      const { traceId: id, spanId: rootId, name, type, status, attributes } = told
      const isOver = kind === 'trace_ended'
      const endTime = Number(told.endTime) > 0 ? BigInt(told.endTime) : undefined
      const count = (key: string): number => (isOver ? Number(attributes[key] ?? 0) : 0)
      const counts = { spanCount: count('spans'), droppedCount: count('dropped') }
      return { id, rootId, name, type, status, endTime, ...startOf(told), ...counts }
    }
    case 'log':
      return logOf(readValue(record))
    default:
      return new FinishedSpan(record)
  }
}

function startOf({ startTime }: Told): { startTime: bigint } {
  return { startTime: BigInt(startTime) }
}

/** A log record as the addon tells it. */
export function logOf(told: Value): LogRecord {
  const given = told as unknown as LogRecord
  const { traceId, spanId, time } = given
  return { ...given, time: BigInt(time), traceId: traceId ?? undefined, spanId: spanId ?? undefined }
}

/** The event for `exportEvent`. */
export function eventOf({ kind, about }: Telling): TelemetryEvent {
  if (kind === 'log') return { type: kind, record: about as LogRecord }
  if (kind === 'trace_started' || kind === 'trace_ended') return { type: kind, trace: about as TraceInfo }
  return { type: kind, span: about } as TelemetryEvent
}
