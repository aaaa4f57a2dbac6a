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
import { say } from './core/log'
import { type Engine, type InitOptions, launch, type TimeoutOptions } from './engine'
import { registerManager } from './otel/context'
import { PolyspanPropagator } from './otel/propagator'
import { PolyspanTracer } from './otel/tracer'
import { recorderOf } from './registry'
import type { Stats } from './stats'

export { PolyspanContextManager } from './otel/context'
export { PolyspanPropagator } from './otel/propagator'

export interface ProviderOptions extends InitOptions {
  /** An engine that runs already, instead of one of these options. */
  engine?: Engine
}

/** Starts an engine as the OpenTelemetry specification has it: to `localhost:4318` unless options or `OTEL_*` say
 * otherwise. */
export class TracerProvider implements Api {
  readonly engine: Engine
  private readonly tracers = new Map<string, PolyspanTracer>()

  constructor({ engine, ...options }: ProviderOptions = {}) {
    this.engine = engine ?? launch(options, true)
  }

  getTracer(name: string, version = '', options: TracerOptions = {}): Tracer {
    const { schemaUrl = '' } = options
    const key = JSON.stringify([name, version, schemaUrl])
    let tracer = this.tracers.get(key)
    if (tracer === undefined) {
      const { _recorder } = this.engine
      // Where it has been shut down, spans go to the engine that is the default by then.
      const recorder = (): typeof _recorder | undefined => (_recorder.stopped ? recorderOf() : _recorder)
      tracer = new PolyspanTracer(recorder, name || 'unknown', version, schemaUrl)
      this.tracers.set(key, tracer)
    }
    return tracer
  }

  /** Makes it the provider, context manager and propagator of the API; false where another one is registered. */
  register(): boolean {
    registerManager()
    propagation.setGlobalPropagator(new PolyspanPropagator())
    return trace.setGlobalTracerProvider(this)
  }

  forceFlush(options: TimeoutOptions = {}): Promise<void> {
    return this.engine.flush(options)
  }

  shutdown(options: TimeoutOptions = {}): Promise<void> {
    return this.engine.shutdown(options)
  }

  stats(): Stats {
    return this.engine.stats()
  }
}

/** What `node --import polyspan/register` does: the provider of the API, configured by `OTEL_*` alone. A program must
 * start without its telemetry too. */
export function register(): void {
  try {
    new TracerProvider().register()
  } catch (error) {
    say(`polyspan: nothing is recorded: ${error instanceof Error ? error.message : String(error)}`)
  }
}
