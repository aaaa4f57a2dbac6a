// Polyspan for Node.js: tracing for AI agents. Importing it does nothing else: no thread, no environment read, and
// the native addon is loaded by the first call. `init` starts the engine.

import { setHost, setKeeper } from './core/host'
import { say, sayOnce } from './core/log'
import type { SpanBody } from './core/run'
import type { Span } from './core/span'
import type { SpanOptions } from './core/span_options'
import type { Engine } from './engine'
import type { NativeEngine } from './native'
import { nodeHost, nodeKeeper } from './node'
import type { PageTerms } from './page/terms'
import * as parts from './parts'
import { recorderOf } from './registry'
import { recordSpan, startSpan } from './start'
import { readValue } from './values'

export { extract, type Getter, inject, type Setter } from './carrier'
export { baggage, type ContextOptions, context } from './context'
export type { TimeInput } from './core/clock'
export { Context } from './core/context'
export type { Attributes } from './core/given'
export type { Inherited } from './core/inherited'
export { setLogger } from './core/log'
export type { SpanBody } from './core/run'
export { type ErrorOptions, Span, type SpanUpdate } from './core/span'
export { type ParentInput, SpanContext, type SpanContextInit } from './core/span_context'
export type { SpanKind, SpanOptions } from './core/span_options'
export {
  type DescribedExporter,
  Engine,
  type ExporterOption,
  engine,
  engines,
  flush,
  type InitOptions,
  init,
  setDefault,
  setSelector,
  shutdown,
  stats,
  type TimeoutOptions,
} from './engine'
export { type ErrorCode, PolyspanError } from './error'
export type { DroppedSpan, LogRecord, TelemetryEvent, TraceInfo } from './host/events'
export type { SpanExporter } from './host/exporter'
export { FinishedSpan, type SpanError, type SpanEvent, type SpanLink } from './host/finished'
export type { Formatter } from './host/handler'
export type { Processor, ProcessorFunction, SpanFilter } from './host/taps'
export { type LogLevel, type LogOptions, log, setLogLevel } from './logs'
export {
  MemoryExporter,
  type MetricPoint,
  type RecordedEvent,
  type RecordedLink,
  type SpanRecord,
} from './memory'
export type { SamplerFunction, SelectorFunction, SpanAbout } from './sampler'
export * from './spans'
export { currentSpan, currentTraceId, event } from './start'
export type { ExporterStats, Stats } from './stats'
export {
  InstrumentClass,
  type InstrumentOptions,
  instrument,
  type SpanDecorator,
  type TracedOptions,
  traced,
  withSpan,
  withTraceId,
} from './traced'
export type { TypedOptions, TypedSpan } from './typed'
export type { Value } from './values'

setHost(nodeHost)
setKeeper(nodeKeeper)

/** Records what `body` does as a span, which is current inside and ends with it: when it returns or throws, when its
 * promise settles, or when the stream that it returned has ended. */
export function span<R>(name: string, body: SpanBody<R>): R
export function span<R>(name: string, options: SpanOptions, body: SpanBody<R>): R
export function span<R>(name: string, options: SpanOptions | SpanBody<R>, body?: SpanBody<R>): R {
  return typeof options === 'function'
    ? recordSpan(name, undefined, options)
    : recordSpan(name, options, body as SpanBody<R>)
}

/** Starts a span that is not current: it ends by `end()`, or with its block by `using`. */
span.start = (name: string, options?: SpanOptions): Span => startSpan(name, options)

/** @internal What the entries for servers and pages ask of the engine: `relay`, `next`. */
export const _door = {
  engine: (): NativeEngine | undefined => recorderOf()?.engine,
  engineOf: (engine: Engine): NativeEngine => engine._recorder.engine,
  say,
  sayOnce,
  pageTerms(): PageTerms {
    const engine = recorderOf()?.engine
    return engine === undefined ? { threshold: null } : (readValue(engine.pageTerms()) as PageTerms)
  },
}

/** @internal What needs the OpenTelemetry API, which may not be there: the entry `opentelemetry`. */
export function _opentelemetry(): typeof import('./opentelemetry') {
  return require('./opentelemetry.js')
}

/** @internal For the entry `opentelemetry`. */
export const _parts = { ...parts }
