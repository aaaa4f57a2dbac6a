// What the entry `polyspan/opentelemetry` takes from the main one, so that both share one copy: it is a file of its own
// (`tools/build.mjs`), since the OpenTelemetry API may not be there, and since code that may be loaded later cannot be
// joined with the rest as tightly as the span path wants.

export { extractIn, inject } from './carrier'
export { wholeValue } from './context'
export { momentOf, nanosOf } from './core/clock'
export { Context, spanOf } from './core/context'
export { errorParts } from './core/exception'
export { FrameWriter } from './core/frame'
export { OPEN } from './core/kept_span'
export { say, sayOnce } from './core/log'
export { MUTED } from './core/muted'
export { current, currentAt, inside, insideWith, placeOfCurrent } from './core/slot'
export { noSpan } from './core/span'
export { SpanContext } from './core/span_context'
export { defaultEngine, launch } from './engine'
export { PolyspanError } from './error'
export { flushedAtExit, flushedBefore } from './exit'
export { native } from './native'
export { recorderOf } from './registry'
export { startSpanAt } from './start'
export { readValue } from './values'
