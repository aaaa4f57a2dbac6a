// Tracers: spans of the OpenTelemetry API, recorded as spans of an engine.

import {
  type Context as ApiContext,
  type Span as ApiSpan,
  type SpanOptions as ApiSpanOptions,
  context as apiContext,
  createContextKey,
  INVALID_SPAN_CONTEXT,
  SpanKind,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { Recorder } from '../recorder'
import type { SpanOptions } from '../span_options'
import { startSpanAt } from '../start'
import { slotOf } from './context'
import { OtelSpan, spanFor, timeOf } from './span'

/** Set by exporters of the OpenTelemetry SDK around their own requests. */
const SUPPRESSED = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
const KINDS = {
  [SpanKind.INTERNAL]: 'internal',
  [SpanKind.SERVER]: 'server',
  [SpanKind.CLIENT]: 'client',
  [SpanKind.PRODUCER]: 'producer',
  [SpanKind.CONSUMER]: 'consumer',
} as const

export class PolyspanTracer implements Tracer {
  private readonly recorder: () => Recorder | undefined
  private readonly name: string
  private readonly version: string
  private readonly schemaUrl: string
  private scope: number | undefined
  private scopeOf: Recorder | undefined

  constructor(recorder: () => Recorder | undefined, name: string, version: string, schemaUrl: string) {
    this.recorder = recorder
    this.name = name
    this.version = version
    this.schemaUrl = schemaUrl
  }

  startSpan(name: string, options: ApiSpanOptions = {}, context: ApiContext = apiContext.active()): ApiSpan {
    if (context.getValue(SUPPRESSED) === true) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
    const given: SpanOptions = {}
    if (options.kind !== undefined && options.kind !== SpanKind.INTERNAL) given.kind = KINDS[options.kind]
    if (options.attributes !== undefined) given.attributes = defined(options.attributes)
    if (options.startTime !== undefined) given.startTime = timeOf(options.startTime) as never
    if (options.root === true) given.root = true
    if (options.links !== undefined && options.links.length > 0) {
      given.links = options.links.map((link) => [link.context as never, (link.attributes ?? {}) as never])
    }
    const recorder = this.recorder()
    const own = startSpanAt(slotOf(context), name, given, recorder, this.scopeIn(recorder))
    const span = spanFor(own)
    // Children that are not sampled share one object, which contexts must tell apart from what is current.
    return span.own === own ? span : new OtelSpan(own)
  }

  startActiveSpan<F extends (span: ApiSpan) => ReturnType<F>>(name: string, body: F): ReturnType<F>
  startActiveSpan<F extends (span: ApiSpan) => ReturnType<F>>(
    name: string,
    options: ApiSpanOptions,
    body: F,
  ): ReturnType<F>
  startActiveSpan<F extends (span: ApiSpan) => ReturnType<F>>(
    name: string,
    options: ApiSpanOptions,
    context: ApiContext,
    body: F,
  ): ReturnType<F>
  startActiveSpan<F extends (span: ApiSpan) => ReturnType<F>>(
    name: string,
    second: ApiSpanOptions | F,
    third?: ApiContext | F,
    fourth?: F,
  ): ReturnType<F> {
    const body = [second, third, fourth].find((part) => typeof part === 'function') as F
    const options = typeof second === 'function' ? undefined : second
    const outer = third !== undefined && typeof third !== 'function' ? third : apiContext.active()
    const span = this.startSpan(name, options, outer)
    return apiContext.with(trace.setSpan(outer, span), body, undefined, span)
  }

  private scopeIn(recorder: Recorder | undefined): number {
    if (recorder === undefined) return 0
    if (this.scope === undefined || this.scopeOf !== recorder) {
      this.scope = recorder.engine.scope(this.name, this.version, this.schemaUrl)
      this.scopeOf = recorder
    }
    return this.scope
  }
}

/** Attributes of the API are never null. */
function defined(attributes: NonNullable<ApiSpanOptions['attributes']>): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(attributes)) {
    const value = attributes[key]
    if (value !== undefined && value !== null) kept[key] = value
  }
  return kept
}
