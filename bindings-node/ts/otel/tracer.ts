// Tracers: spans of the OpenTelemetry API, recorded as spans of an engine.

import {
  type Context as ApiContext,
  type Span as ApiSpan,
  type SpanOptions as ApiSpanOptions,
  context as apiContext,
  INVALID_SPAN_CONTEXT,
  SpanKind,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { spanOf } from '../core/context'
import { OPEN } from '../core/kept_span'
import { MUTED } from '../core/muted'
import { current, currentAt, insideWith, placeOfCurrent, type Slot } from '../core/slot'
import type { Span } from '../core/span'
import type { SpanOptions } from '../core/span_options'
import type { Recorder } from '../recorder'
import { startSpanAt } from '../start'
import { isRegistered, SUPPRESSED, slotOf } from './context'
import type { Processors } from './processors'
import { spanFor, timeOf } from './span'

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
  private readonly traceIds: (() => string) | undefined
  private scope: number | undefined
  private scopeOf: Recorder | undefined

  constructor(
    recorder: () => Recorder | undefined,
    name: string,
    version: string,
    schemaUrl: string,
    traceIds?: () => string,
  ) {
    this.traceIds = traceIds
    this.recorder = recorder
    this.name = name
    this.version = version
    this.schemaUrl = schemaUrl
  }

  startSpan(name: string, options?: ApiSpanOptions, context?: ApiContext): ApiSpan {
    const own = this.start(name, options, context === undefined ? currentSlot() : slotOf(context))
    return own === undefined ? trace.wrapSpanContext(INVALID_SPAN_CONTEXT) : spanFor(own)
  }

  /** Starts a span where `slot` is current; `undefined` where tracing is suppressed. */
  private start(name: string, options: ApiSpanOptions | undefined, slot: Slot | undefined): Span | undefined {
    if (slot?._otel?.getValue(SUPPRESSED) === true) return undefined
    const recorder = this.recorder()
    const found = given(options)
    // Ids of traces may come from a generator of the SDK.
    const traceId = spanOf(slot) === undefined || found.root === true ? this.traceIds?.() : undefined
    const described = traceId === undefined ? found : { ...found, traceId }
    const own = startSpanAt(slot, name, described, recorder, this.scopeIn(recorder))
    if (own !== MUTED) own._otel ??= slot?._otel
    if (recorder?.observer !== undefined && own._state === OPEN) {
      const { name, version, schemaUrl } = this
      ;(recorder.observer as Processors).started(own, slot, { name, version, schemaUrl })
    }
    return own
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
    if (typeof second === 'function') return this.run(name, undefined, undefined, second)
    if (typeof third === 'function') return this.run(name, second, undefined, third)
    return this.run(name, second, third, fourth as F)
  }

  private run<F extends (span: ApiSpan) => ReturnType<F>>(
    name: string,
    options: ApiSpanOptions | undefined,
    context: ApiContext | undefined,
    body: F,
  ): ReturnType<F> {
    if (isRegistered()) {
      // The slot holds the span itself; a context of the API is made when somebody asks for it.
      const place = placeOfCurrent()
      const here = currentAt(place)
      const own = this.start(name, options, context === undefined ? here : slotOf(context))
      if (own !== undefined) return insideWith(own, body, spanFor(own), here, place)
    }
    const outer = context ?? apiContext.active()
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

const NOTHING: SpanOptions = {}

/** The options of the API in our words. */
function given(options: ApiSpanOptions | undefined): SpanOptions {
  if (options === undefined || options === null) return NOTHING
  const { kind, attributes, startTime, root, links } = options
  const found: SpanOptions = {}
  if (kind !== undefined && kind !== SpanKind.INTERNAL) found.kind = KINDS[kind]
  if (attributes !== undefined) found.attributes = defined(attributes)
  if (startTime !== undefined) found.startTime = timeOf(startTime) as never
  if (root === true) found.root = true
  if (links !== undefined && links.length > 0) {
    found.links = links.map((link) => [link.context as never, (link.attributes ?? {}) as never])
  }
  return found
}

/** Attributes of the API are never null. */
function defined(attributes: NonNullable<ApiSpanOptions['attributes']>): Record<string, unknown> {
  for (const key in attributes) if (attributes[key] === null) return withoutNull(attributes)
  return attributes
}

function withoutNull(attributes: NonNullable<ApiSpanOptions['attributes']>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null))
}

/** What is current for whoever manages contexts. */
function currentSlot(): Slot | undefined {
  return isRegistered() ? current() : slotOf(apiContext.active())
}
