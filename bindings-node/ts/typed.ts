// A function for spans of one type, whose attributes stand among the other options; `spans.ts` has one for each.

import type { Attributes } from './core/given'
import type { SpanBody } from './core/run'
import type { Span } from './core/span'
import type { SpanOptions } from './core/span_options'
import { recordSpan, startSpan } from './start'

/** The options of a span, its attributes among them; `attributes` holds further ones. */
export type TypedOptions<A> = A & Omit<SpanOptions, 'type' | keyof A>

/** Records what `body` does as a span of that type; `start` starts one that is not current. */
export interface TypedSpan<A> {
  <R>(name: string, body: SpanBody<R>): R
  <R>(name: string, options: TypedOptions<A>, body: SpanBody<R>): R
  start(name: string, options?: TypedOptions<A>): Span
}

/** Every option that is no attribute. */
const OPTIONS: Record<keyof SpanOptions, true> = {
  type: true,
  kind: true,
  attributes: true,
  input: true,
  metadata: true,
  tags: true,
  parent: true,
  links: true,
  startTime: true,
  root: true,
  traceId: true,
  internal: true,
  sessionId: true,
  userId: true,
  organizationId: true,
  threadId: true,
  runId: true,
  requestId: true,
  resourceId: true,
  environment: true,
  entityType: true,
  entityId: true,
  entityName: true,
  hideInput: true,
  hideOutput: true,
  internalSpans: true,
  requestContext: true,
  requestContextKeys: true,
}

export function typed<A extends object>(type: string): TypedSpan<A> {
  function record<R>(name: string, options: TypedOptions<A> | SpanBody<R>, body?: SpanBody<R>): R {
    return typeof options === 'function'
      ? recordSpan(name, { type }, options)
      : recordSpan(name, split(type, options ?? {}), body as SpanBody<R>)
  }
  function start(name: string, options?: TypedOptions<A>): Span {
    return startSpan(name, split(type, options ?? {}))
  }
  return Object.assign(record, { start }) as TypedSpan<A>
}

function split(type: string, given: object): SpanOptions {
  const options: Record<string, unknown> = { type }
  const attributes: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (name in OPTIONS) options[name] = value
    else if (value !== undefined) attributes[name] = value
  }
  options.attributes = joined(attributes, options.attributes as Attributes | undefined)
  return options
}

/** What stands among the options, and then what `attributes` holds. */
function joined(own: Record<string, unknown>, more: Attributes | undefined): Attributes {
  if (more === undefined) return own
  const pairs =
    Symbol.iterator in more ? (more as Iterable<readonly [string, unknown]>) : Object.entries(more)
  return [...Object.entries(own), ...pairs] as [string, unknown][]
}
