// Engines: starting one with `init`, finding it again, flushing and stopping it.

import { wholeValue } from './context'
import type { SpanBody } from './core/run'
import type { Span } from './core/span'
import type { SpanOptions } from './core/span_options'
import { checked, fromNative, notRunning, PolyspanError } from './error'
import { arm } from './exit'
import type { SpanExporter } from './host/exporter'
import type { Formatter } from './host/handler'
import { addExporter, addFilter, addProcessors } from './host/plan'
import type { Processor, ProcessorFunction, SpanFilter } from './host/taps'
import type { LogLevel } from './logs'
import type { MemoryExporter } from './memory'
import type { NativeEngine, NativeOptions } from './native'
import { native } from './native'
import { described } from './options'
import type { Recorder } from './recorder'
import { findDefault, forget, recorderFor, recorderOf, setSelecting } from './registry'
import { type SamplerFunction, type SelectorFunction, samplerCallback, selectorCallback } from './sampler'
import { recordSpan, startSpan } from './start'
import { noStats, type Stats, statsOf } from './stats'
import { readValue, type Value } from './values'

/** An exporter: its name or that of a preset, a description, or an object of your own (docs/node.md). */
export type ExporterOption = string | DescribedExporter | MemoryExporter | SpanExporter

/** One of the engine's own exporters with its options. */
export interface DescribedExporter {
  type: string
  /** Functions that change its copy of each span before it gets it. */
  formatters?: Formatter | readonly Formatter[]
  [option: string]: unknown
}

/** The options of an engine; what is not given comes from `OTEL_*`, then from the defaults (docs/configuration.md). */
export interface InitOptions {
  service?: string
  name?: string
  /** Replaces a running engine of that name, which drains first. */
  replace?: boolean
  disabled?: boolean
  resource?: { [key: string]: unknown }
  resourceSchemaUrl?: string
  /** A description, or a function that is asked for roots. */
  sampler?: string | number | { type: string; [option: string]: unknown } | SamplerFunction
  propagators?: string | string[]
  exporter?: ExporterOption
  exporters?: ExporterOption[]
  /** Functions of a span, or objects with `process(span)`, that change spans or leave them out. */
  processors?: Processor | ProcessorFunction | readonly (Processor | ProcessorFunction)[]
  /** A function of a span: true keeps it. */
  spanFilter?: SpanFilter
  /** Where log records go; to where spans go by default. */
  logsExporter?: ExporterOption | ExporterOption[]
  /** The least severity of log records that is kept. */
  logLevel?: LogLevel
  /** Whether and how metrics are made of spans. */
  metrics?: boolean | { [option: string]: unknown }
  metricsExporter?: ExporterOption | ExporterOption[]
  endpoint?: string
  tracesEndpoint?: string
  headers?: { [name: string]: string }
  /** Seconds, as all times. */
  timeout?: number
  compression?: 'gzip' | 'none'
  certificate?: string
  clientKey?: string
  clientCertificate?: string
  semantics?: 'genai' | 'openinference'
  redaction?: boolean | string | { [option: string]: unknown }
  limits?: string | { [option: string]: unknown }
  environment?: string
  sessionId?: string
  defaultSessionId?: string
  userId?: string
  organizationId?: string
  threadId?: string
  runId?: string
  requestId?: string
  resourceId?: string
  /** Metadata of every span that neither inherits nor is given another value of the key; 64 KiB in all. */
  metadata?: { [key: string]: unknown }
  /** Tags of every trace, besides those that it is given. */
  tags?: string[]
  requestContextKeys?: string[]
  propagateContext?: boolean | string[]
  internalSpans?: string | string[]
  includeInternalSpans?: boolean
  excludeSpanTypes?: string[]
  hideInput?: boolean
  hideOutput?: boolean
  includeIo?: boolean
  excludeFields?: string[]
  exitTimeout?: number
  diagnosticLevel?: 'none' | 'error' | 'warn' | 'info' | 'debug'
  /** Whether SIGTERM and SIGINT, where the application does not handle them, flush before the process ends. */
  handleSignals?: boolean
  [option: string]: unknown
}

export interface TimeoutOptions {
  /** Seconds; 30 by default. */
  timeout?: number
}

const TIMEOUT = 30

/** A running engine: one configured instance with its sampler, limits and exporters. */
export class Engine {
  /** @internal */ readonly _recorder: Recorder

  /** @internal */
  constructor(recorder: Recorder) {
    this._recorder = recorder
  }

  /** The name under which it runs. */
  get name(): string {
    return this._recorder.engine.name
  }

  /** The attributes that every span says of its process. */
  get resource(): Record<string, Value> {
    return readValue(checked(() => this._recorder.engine.resource())) as Record<string, Value>
  }

  /** Records what `body` does as a span of this engine; see `span`. */
  span<R>(name: string, body: SpanBody<R>): R
  span<R>(name: string, options: SpanOptions, body: SpanBody<R>): R
  span<R>(name: string, options: SpanOptions | SpanBody<R>, body?: SpanBody<R>): R {
    const [given, run] = typeof options === 'function' ? [undefined, options] : [options, body]
    return recordSpan(name, given, run as SpanBody<R>, this._recorder)
  }

  /** Starts a span of this engine, which is not current; see `span.start`. */
  start(name: string, options?: SpanOptions): Span {
    return startSpan(name, options, this._recorder)
  }

  /** Waits until every span that had ended is delivered or given up. */
  async flush(options: TimeoutOptions = {}): Promise<void> {
    const seconds = secondsOf(options)
    this._recorder.submit()
    await settled(this._recorder, seconds, (left) => this._recorder.engine.flush(left))
  }

  /** Flushes and stops the engine. A second call does nothing. */
  async shutdown(options: TimeoutOptions = {}): Promise<void> {
    const seconds = secondsOf(options)
    this._recorder.submit()
    forget(this._recorder)
    await settled(this._recorder, seconds, (left) => this._recorder.engine.shutdown(left))
  }

  /** Changes from which level on log records are kept. */
  setLogLevel(level: LogLevel): void {
    checked(() => native().setLogLevel(this._recorder.engine, String(level)))
  }

  /** What it has counted so far in this process. */
  stats(): Stats {
    return statsOf(this._recorder)
  }
}

/** What waits for an engine takes a thread of its own, and so goes one at a time for each engine. */
const turns = new WeakMap<Recorder, Promise<unknown>>()
/** Engines that are waited for at once. */
const AT_ONCE = 16
/** Milliseconds of the longest timer that there is. */
const LONGEST = 2 ** 31 - 1

/** Does `work` when it is its turn, and at the latest when no time is left, which the waiting counts for as well. */
async function settled(
  recorder: Recorder,
  seconds: number,
  work: (left: number) => Promise<void>,
): Promise<void> {
  const left = until(seconds)
  const before = turns.get(recorder)
  const mine = before === undefined ? work(seconds) : inTime(before, seconds).then(() => work(left()))
  const turn = Promise.allSettled([before, mine]).then(() => {
    if (turns.get(recorder) === turn) turns.delete(recorder)
  })
  turns.set(recorder, turn)
  try {
    await mine
  } catch (error) {
    throw fromNative(error)
  }
}

/** The seconds that are left of so many from now on. */
function until(seconds: number): () => number {
  const deadline = performance.now() + seconds * 1000
  return () => Math.max(0, deadline - performance.now()) / 1000
}

async function inTime(turn: Promise<unknown>, seconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((done) => {
    timer = setTimeout(done, Math.min(seconds * 1000, LONGEST))
  })
  await Promise.race([turn, late])
  clearTimeout(timer)
}

function secondsOf(options: TimeoutOptions): number {
  const { timeout = TIMEOUT } = options
  if (typeof timeout !== 'number' || !(timeout >= 0) || timeout > 31536000) {
    const found = JSON.stringify(String(timeout))
    throw new PolyspanError(
      'invalid_option',
      `timeout: ${found} is not usable; expected a number of seconds, 0 or more`,
    )
  }
  return timeout
}

function engineOf(found: NativeEngine): Engine {
  return new Engine(recorderFor(found))
}

/** Starts an engine. Throws `PolyspanError`: `invalid_option` naming the option, or `already_initialized` where an
 * engine of that name runs with other options and `replace` is not true. */
export function init(service: string, options?: InitOptions): Engine
export function init(options?: InitOptions): Engine
export function init(service?: string | InitOptions, options?: InitOptions): Engine {
  const unfit = service !== undefined && typeof service !== 'object' && typeof service !== 'string'
  if (unfit) {
    const found = JSON.stringify(String(service))
    throw new PolyspanError('invalid_option', `service: ${found} is not usable; expected a name, or options`)
  }
  const given = typeof service === 'string' ? { ...options, service } : { ...service }
  return launch(given, false)
}

/** Starts an engine as an OpenTelemetry provider does: to `localhost:4318` rather than the console. */
export function launch(given: InitOptions, provider: boolean): Engine {
  const { handleSignals = true, sampler, exporter, exporters, processors, spanFilter, ...rest } = given
  const { logsExporter, metricsExporter, ...data } = rest
  if (typeof handleSignals !== 'boolean') {
    const found = JSON.stringify(String(handleSignals))
    throw new PolyspanError('invalid_option', `handleSignals: ${found} is not usable; expected true or false`)
  }
  const options = new (native().NativeOptions)()
  const plain = described(data) as Record<string, unknown>
  const found = checked(() => {
    if (!isData(exporter) && addExporter(options, exporter, 'exporter')) plain.exporters ??= []
    else if (exporter !== undefined) plain.exporter = described(exporter)
    if (Array.isArray(exporters)) {
      const left = exporters.filter(
        (one, at) => isData(one) || !addExporter(options, one, `exporters[${at}]`),
      )
      plain.exporters = left.map(described)
    } else if (exporters !== undefined) {
      plain.exporters = exporters
    }
    addSignal(options, plain, 'logs', logsExporter)
    addSignal(options, plain, 'metrics', metricsExporter)
    if (processors !== undefined) addProcessors(options, processors)
    if (spanFilter !== undefined) addFilter(options, spanFilter)
    if (typeof sampler === 'function') options.sampler(samplerCallback(sampler))
    else if (sampler !== undefined) plain.sampler = described(sampler)
    options.data(wholeValue(plain))
    return native().init(options, provider)
  })
  arm(handleSignals)
  // Spans may have looked for one in vain a moment ago.
  findDefault()
  return engineOf(found)
}

/** Exporters of log records, or of metrics. */
function addSignal(
  options: NativeOptions,
  plain: Record<string, unknown>,
  signal: 'logs' | 'metrics',
  given: unknown,
): void {
  if (given === undefined) return
  const name = `${signal}Exporter`
  const listed = Array.isArray(given) ? given : [given]
  const left = listed.filter((one) => isData(one) || !addExporter(options, one, name, signal))
  if (left.length > 0) plain[`${signal}_exporter`] = described(Array.isArray(given) ? left : left[0])
}

/** Whether an exporter is none of the application's objects for sure. */
function isData(given: unknown): boolean {
  return given === undefined || given === null || typeof given === 'string'
}

/** The engine of that name, or the default one. Throws `PolyspanError` (`not_running`) where there is none. */
export function engine(name?: string): Engine {
  const found = native().engine(name)
  if (!found) throw notRunning(name === undefined ? 'engine' : `engine ${JSON.stringify(name)}`)
  return engineOf(found)
}

/** The default engine, where one runs. */
export function defaultEngine(): Engine | undefined {
  const found = native().engine()
  return found ? engineOf(found) : undefined
}

/** All running engines, in the order they were started. */
export function engines(): Engine[] {
  return native()
    .engines()
    .flatMap((name) => {
      const found = native().engine(name)
      return found ? [engineOf(found)] : []
    })
}

/** Makes the engine of that name the one for spans that name none. */
export function setDefault(name: string): void {
  checked(() => native().setDefault(name))
  findDefault()
}

/** Lets a function choose the engine of each trace that starts: it is given what a sampler function is, and returns
 * the name of an engine, or nothing for the default one. `undefined` instead of a function ends that. */
export function setSelector(selector: SelectorFunction | undefined): void {
  if (selector !== undefined && typeof selector !== 'function') {
    throw new PolyspanError('invalid_option', 'selector: expected a function, or undefined')
  }
  native().setSelector(selector && selectorCallback(selector))
  setSelecting(selector !== undefined)
}

/** Waits until every span that has ended is delivered or given up, of all engines. */
export async function flush(options: TimeoutOptions = {}): Promise<void> {
  await each(options, (engine, timeout) => engine.flush({ timeout }))
}

/** Flushes and stops every engine. */
export async function shutdown(options: TimeoutOptions = {}): Promise<void> {
  await each(options, (engine, timeout) => engine.shutdown({ timeout }))
}

async function each(
  options: TimeoutOptions,
  run: (engine: Engine, timeout: number) => Promise<void>,
): Promise<void> {
  const left = until(secondsOf(options))
  const waiting = engines()
  let failure: unknown
  const some = async (): Promise<void> => {
    for (let engine = waiting.shift(); engine !== undefined; engine = waiting.shift()) {
      try {
        await run(engine, left())
      } catch (error) {
        failure ??= error
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, some))
  if (failure !== undefined) throw failure
}

/** What the default engine has counted so far; all zeros where none runs. */
export function stats(): Stats {
  const recorder = recorderOf()
  return recorder === undefined ? noStats() : statsOf(recorder)
}
