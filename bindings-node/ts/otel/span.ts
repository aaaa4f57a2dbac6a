// A span of ours with the methods of the OpenTelemetry API.

import {
  type Attributes as ApiAttributes,
  type Span as ApiSpan,
  type SpanContext as ApiSpanContext,
  type TimeInput as ApiTimeInput,
  createTraceState,
  type Exception,
  type Link,
  type SpanStatus,
  SpanStatusCode,
} from '@opentelemetry/api'
import type { TimeInput } from '../core/clock'
import { momentOf } from '../core/clock'
import { errorParts } from '../core/exception'
import type { Attributes } from '../core/given'
import type { Span } from '../core/span'

export class OtelSpan implements ApiSpan {
  /** The span that it stands for. */
  readonly own: Span

  constructor(own: Span) {
    this.own = own
  }

  spanContext(): ApiSpanContext {
    const { traceId, spanId, traceFlags, traceState, isRemote } = this.own.context
    const context: ApiSpanContext = { traceId, spanId, traceFlags: traceFlags & 3 }
    if (traceState !== '') context.traceState = createTraceState(traceState)
    if (isRemote) context.isRemote = true
    return context
  }

  setAttribute(key: string, value: unknown): this {
    if (value !== undefined && value !== null) this.own.set(key, value)
    return this
  }

  setAttributes(attributes: ApiAttributes): this {
    for (const [key, value] of Object.entries(attributes ?? {})) this.setAttribute(key, value)
    return this
  }

  addEvent(name: string, attributesOrTime?: ApiAttributes | ApiTimeInput, time?: ApiTimeInput): this {
    if (isTime(attributesOrTime)) this.own.event(name, undefined, timeOf(attributesOrTime))
    else this.own.event(name, given(attributesOrTime), timeOf(time))
    return this
  }

  addLink({ context, attributes }: Link): this {
    this.own.link(context as never, given(attributes))
    return this
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link)
    return this
  }

  setStatus({ code, message }: SpanStatus): this {
    if (code === SpanStatusCode.OK) this.own.status('ok')
    else if (code === SpanStatusCode.ERROR) this.own.status('error', message)
    return this
  }

  updateName(name: string): this {
    this.own.rename(name)
    return this
  }

  end(time?: ApiTimeInput): void {
    this.own.end(timeOf(time))
  }

  isRecording(): boolean {
    return this.own.isRecording
  }

  recordException(exception: Exception, time?: ApiTimeInput): void {
    this.own.event('exception', partsOf(exception), timeOf(time))
  }
}

/** What the API's own SDK records of an exception: a code says more than the class. */
function partsOf(exception: Exception): Record<string, string> {
  if (typeof exception === 'string') return { 'exception.message': exception }
  const parts: Record<string, string> = {}
  try {
    const { code, name, message, stack } = exception
    if (code || name) parts['exception.type'] = String(code || name)
    if (message) parts['exception.message'] = message
    if (stack) parts['exception.stacktrace'] = stack
  } catch {
    // It is none that can be read.
  }
  if (Object.keys(parts).length > 0) return parts
  const { type, message, stack } = errorParts(exception)
  return { 'exception.type': type, 'exception.message': message, 'exception.stacktrace': stack }
}

/** The face of a span in contexts of the API; it is made once. */
export function spanFor(own: Span): OtelSpan {
  if (own._api === undefined) own._api = new OtelSpan(own)
  return own._api as OtelSpan
}

function isTime(value: unknown): value is ApiTimeInput {
  return (
    typeof value === 'number' ||
    value instanceof Date ||
    (Array.isArray(value) && momentOf(value) !== undefined)
  )
}

function given(attributes: ApiAttributes | undefined): Attributes | undefined {
  return attributes === undefined || attributes === null ? undefined : (attributes as Attributes)
}

/** A time of the API: the same forms as ours. */
export function timeOf(time: ApiTimeInput | undefined): TimeInput | undefined {
  return time === undefined || time === null ? undefined : (time as TimeInput)
}
