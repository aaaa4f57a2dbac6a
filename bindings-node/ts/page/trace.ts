// Traces of a page: new ones by the threshold that came with it, those of others by their `traceparent`.

import { hexWord, randomWord, Trace } from '../core/ids'

const SAMPLED = 1
const RANDOM = 2

/** A new trace, decided about as every other sampler does: its 56 bits of randomness against the threshold. */
export function newTrace(threshold: string | null): Trace {
  const [a, b, c] = [randomWord(), randomWord(), randomWord()]
  const d = randomWord() || 1
  return decided(a, b, c, d, threshold)
}

/** A trace of that id under a threshold. */
export function decided(a: number, b: number, c: number, d: number, threshold: string | null): Trace {
  // Of equal length, so that the order of the texts is that of the numbers.
  const kept = threshold !== null && (hexWord(c) + hexWord(d)).slice(2) >= threshold
  // Zeros at the end say nothing; a threshold of 0 is said by one.
  const state = kept && threshold !== '' ? `ot=th:${threshold.replace(/0+$/, '') || 0}` : ''
  return new Trace(a, b, c, d, kept ? SAMPLED | RANDOM : RANDOM, state)
}

/** The identity of a span: its trace, and the id in two words. */
export interface Identity {
  trace: Trace
  high: number
  low: number
}

const FORM = /^[ \t]*([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*?)?[ \t]*$/

/** What a `traceparent` names (W3C Trace Context, "traceparent Header"); `undefined` if it is none. */
export function readTraceparent(text: string, state = ''): Identity | undefined {
  const [, version, traceId, spanId, flags, more] = FORM.exec(text) ?? []
  if (traceId === undefined || spanId === undefined || version === 'ff') return undefined
  if ((version === '00' && more !== undefined) || /^0+$/.test(traceId) || /^0+$/.test(spanId))
    return undefined
  const word = (hex: string, at: number): number => Number.parseInt(hex.slice(at, at + 8), 16) | 0
  const kept = Number.parseInt(flags as string, 16) & (SAMPLED | RANDOM)
  const trace = new Trace(
    word(traceId, 0),
    word(traceId, 8),
    word(traceId, 16),
    word(traceId, 24),
    kept,
    state,
  )
  return { trace, high: word(spanId, 0), low: word(spanId, 8) }
}

/** The `traceparent` of a span. */
export function traceparent({ trace, high, low }: Identity): string {
  return `00-${trace.id}-${hexWord(high)}${hexWord(low)}-0${trace.flags & (SAMPLED | RANDOM)}`
}
