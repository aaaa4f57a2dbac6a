// What the browser's and the edge runtime's entry have in common for their users. Each adds its own `init`.

export { currentSpan, extract, flush, inject, span, stats } from './api'
export type { PageStats } from './page'
export type { Attributes, ParentInput, Span, SpanContext, SpanKind, SpanOptions, SpanUpdate } from './span'
