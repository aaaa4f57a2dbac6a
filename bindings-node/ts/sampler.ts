// Functions of the application that decide about roots: samplers, and the choice of an engine.

import { refuse, sayOnce } from './core/log'
import { readContext, type SpanContext } from './core/span_context'
import { readValue, type Value } from './values'

/** What is told of a span that is about to start. */
export interface SpanAbout {
  name: string
  type: string
  kind: string
  traceId: string | undefined
  attributes: Record<string, Value>
  metadata: Record<string, Value>
  requestContext: Value
  parent: SpanContext | undefined
}

/** `true` or `'sample'`, `'record'` (recorded, and not exported), or anything else to drop. */
export type SamplerFunction = (about: SpanAbout) => boolean | 'sample' | 'record' | 'drop' | null | undefined
/** The name of an engine, or nothing for the default one. */
export type SelectorFunction = (about: SpanAbout) => string | null | undefined

const FAILED = 3

function aboutOf(bytes: Buffer): SpanAbout {
  const given = readValue(bytes) as Record<string, Value>
  const parent = given.parent instanceof Uint8Array ? readContext(Buffer.from(given.parent)) : undefined
  return { ...given, traceId: given.traceId ?? undefined, parent } as unknown as SpanAbout
}

/** The function for the addon: it must not throw. */
export function samplerCallback(decide: SamplerFunction): (about: Buffer) => number {
  return (bytes) => {
    try {
      const answer: unknown = decide(aboutOf(bytes))
      if (typeof answer !== 'string') return answer ? 2 : 0
      const place = ['drop', 'record', 'sample'].indexOf(answer)
      if (place >= 0) return place
      sayOnce(
        'sampler answer',
        `the sampler answered ${JSON.stringify(answer)}, none of drop, record and sample`,
      )
      return FAILED
    } catch (error) {
      sayOnce(
        'sampler',
        `the sampler threw ${error instanceof Error ? error.name : typeof error}; the span is sampled`,
      )
      return FAILED
    }
  }
}

export function selectorCallback(select: SelectorFunction): (about: Buffer) => string {
  return (bytes) => {
    try {
      return select(aboutOf(bytes)) ?? ''
    } catch {
      refuse('the engine selector threw; the default engine is used')
      return ''
    }
  }
}
