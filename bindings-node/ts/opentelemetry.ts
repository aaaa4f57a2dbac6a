// The engine as a tracer provider of the OpenTelemetry API for JavaScript (`@opentelemetry/api` 1.9 and later).
//
// `new TracerProvider().register()`, or `node --import polyspan/register app.mjs` without any code.

import {
  type TracerProvider as Api,
  propagation,
  type Tracer,
  type TracerOptions,
  trace,
} from '@opentelemetry/api'
import { say, sayOnce } from './core/log'
import { defaultEngine, type Engine, type InitOptions, launch, type TimeoutOptions } from './engine'
import { Automatic, isLoader } from './otel/automatic'
import { registerManager } from './otel/context'
import { Processors, type SpanProcessor } from './otel/processors'
import { PolyspanPropagator } from './otel/propagator'
import { type IdGenerator, type SdkSampler, type SpanLimits, translated } from './otel/sdk_options'
import { PolyspanTracer } from './otel/tracer'
import { recorderOf } from './registry'
import type { Stats } from './stats'

export { PolyspanContextManager } from './otel/context'
export type { SpanProcessor } from './otel/processors'
export { PolyspanPropagator } from './otel/propagator'
export type { IdGenerator, SpanLimits } from './otel/sdk_options'

export interface ProviderOptions extends Omit<InitOptions, 'sampler' | 'resource'> {
  /** An engine that runs already, instead of one of these options. */
  engine?: Engine
  /** Span processors of the OpenTelemetry SDK, of generation 2 or 3, beside the engine's exporters. */
  spanProcessors?: SpanProcessor[]
  /** Gives span processors what was recorded instead of what may leave the process. Default: false. */
  rawProcessors?: boolean
  /** Limits as the SDK names them. */
  spanLimits?: SpanLimits
  /** A generator of the SDK, for the ids of traces; span ids are the engine's. */
  idGenerator?: IdGenerator
  /** One of ours or of the SDK's; a sampler that the engine does not have is asked for roots. */
  sampler?: InitOptions['sampler'] | SdkSampler
  /** Attributes, or a resource of the SDK. */
  resource?: object
}

/** Takes the default engine, where one runs and no options ask for another. Else it starts one as the OpenTelemetry
 * specification has it: to `localhost:4318` unless options or `OTEL_*` say otherwise. It is called `opentelemetry`, so
 * that `init` may follow. */
export class TracerProvider implements Api {
  readonly engine: Engine
  private readonly tracers = new Map<string, PolyspanTracer>()

  /** Instrumentations that nobody made by hand. */
  private automatic: Automatic | undefined
  private readonly raw: boolean
  private readonly traceIds: (() => string) | undefined

  constructor(given: ProviderOptions = {}) {
    const { engine, spanProcessors = [], rawProcessors = false, idGenerator, ...options } = given
    const asked = translated(options)
    this.engine = engine ?? running(asked) ?? launch({ ...asked, name: asked.name ?? 'opentelemetry' }, true)
    this.raw = rawProcessors
    this.traceIds = idGenerator && (() => idGenerator.generateTraceId())
    for (const processor of spanProcessors) this.addSpanProcessor(processor)
  }

  /** Has a span processor of the OpenTelemetry SDK told of every span that the engine records in this thread, with our
   * own interface too. */
  addSpanProcessor(processor: SpanProcessor): void {
    const { _recorder } = this.engine
    _recorder.observer ??= new Processors(_recorder, this.raw)
    ;(_recorder.observer as Processors).list.push(processor)
  }

  getTracer(name: string, version = '', options: TracerOptions = {}): Tracer {
    this.automatic?.yields(name)
    const { schemaUrl = '' } = options
    const key = JSON.stringify([name, version, schemaUrl])
    let tracer = this.tracers.get(key)
    if (tracer === undefined) {
      const { _recorder } = this.engine
      // Where it has been shut down, spans go to the engine that is the default by then.
      const recorder = (): typeof _recorder | undefined => (_recorder.stopped ? recorderOf() : _recorder)
      tracer = new PolyspanTracer(recorder, name || 'unknown', version, schemaUrl, this.traceIds)
      this.tracers.set(key, tracer)
    }
    return tracer
  }

  /** Makes it the provider, context manager and propagator of the API; false where another one is registered. */
  register(): boolean {
    registerManager()
    propagation.setGlobalPropagator(new PolyspanPropagator())
    if (trace.setGlobalTracerProvider(this)) return true
    const registered = trace.getTracerProvider() as Api & { getDelegate?(): Api }
    const other = registered.getDelegate?.() ?? registered
    if (!(other instanceof TracerProvider))
      sayOnce(
        'provider',
        `another tracer provider (${other.constructor?.name}) is registered already, and gets the spans of the OpenTelemetry API: start one of the two alone`,
      )
    return false
  }

  /** Starts the instrumentation packages that are installed; a program must start where they cannot, too.
   * @internal */
  instrument(): void {
    const automatic = new Automatic()
    try {
      automatic.start()
    } catch (error) {
      say(`polyspan: OpenTelemetry's instrumentations are not started: ${messageOf(error)}`)
    }
    this.automatic = automatic
  }

  async forceFlush(options: TimeoutOptions = {}): Promise<void> {
    await this.processors?.forceFlush()
    await this.engine.flush(options)
  }

  async shutdown(options: TimeoutOptions = {}): Promise<void> {
    try {
      await this.processors?.shutdown()
    } finally {
      await this.engine.shutdown(options)
    }
  }

  private get processors(): Processors | undefined {
    return this.engine._recorder.observer as Processors | undefined
  }

  stats(): Stats {
    return this.engine.stats()
  }
}

/** The engine that these options are content with. */
function running(asked: InitOptions): Engine | undefined {
  return Object.values(asked).some((option) => option !== undefined) ? undefined : defaultEngine()
}

/** What `node --import polyspan/register` does: the provider of the API, configured by `OTEL_*` alone, and the
 * instrumentation packages that are installed. A program must start without its telemetry too. */
export function register(): void {
  if (isLoader()) return
  try {
    const provider = new TracerProvider()
    if (provider.register()) provider.instrument()
  } catch (error) {
    say(`polyspan: nothing is recorded: ${messageOf(error)}`)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
