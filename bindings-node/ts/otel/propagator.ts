// The engine's formats as a propagator of the OpenTelemetry API.

import {
  type Context as ApiContext,
  propagation,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api'
import { extractIn, inject } from '../carrier'
import { native } from '../native'
import { recorderOf } from '../registry'
import { contextOf, SUPPRESSED, slotOf } from './context'

export class PolyspanPropagator implements TextMapPropagator {
  inject(context: ApiContext, carrier: unknown, setter: TextMapSetter): void {
    // An exporter's own request is no part of the trace.
    if (context.getValue(SUPPRESSED) === true) return
    inject(carrier, {
      context: slotOf(context),
      setter: (into, name, value) => setter.set(into, name, value),
    })
  }

  extract(context: ApiContext, carrier: unknown, getter: TextMapGetter): ApiContext {
    const outer = slotOf(context)
    const found = extractIn(outer, carrier, (from, name) => getter.get(from, name))
    if (found._span === undefined && found._ambient === outer._ambient) return context
    // What it brings replaces the baggage; what else the context holds stays.
    found._otel = propagation.deleteBaggage(context)
    found._span ??= outer._span
    return contextOf(found)
  }

  fields(): string[] {
    return native().carrierFields(recorderOf()?.engine)
  }
}
