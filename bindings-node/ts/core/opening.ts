// What happens to every span that records when it starts, whoever decided about it.

import { type KeptSpan, openAbove } from './kept_span'
import { refuse } from './log'
import type { Span } from './span'
import { kindNumber, linksOf, type SpanKind, type SpanOptions } from './span_options'

/** Puts a span among the open ones of its trace. */
export function join(span: KeptSpan, parent: KeptSpan): void {
  span._above = openAbove(parent)
  parent._local ??= { last: undefined }
  const local = parent._local
  span._local = local
  span._previous = local.last
  if (local.last !== undefined) local.last._next = span
  local.last = span
}

/** What is given at the start and can be set later as well. */
export function fill(span: Span, given: SpanOptions, hasAttributes = false, hasLinks = false): void {
  const attributes = given.attributes
  if (attributes !== undefined && !hasAttributes) span.set(attributes)
  if (given.input !== undefined) span._input(given.input)
  if (given.tags !== undefined) span._tags(given.tags)
  if (given.links !== undefined && !hasLinks) {
    for (const [target, more] of linksOf(given.links)) span.link(target, more)
  }
}

export function kindOf(span: Span, kind: SpanKind): void {
  const number = kindNumber(kind)
  if (number === undefined) refuse('span kind', kind)
  span._setKind(number ?? 1)
}
