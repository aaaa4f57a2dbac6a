// Reading what applications give: texts, lists of texts, attributes. Whatever cannot be used is counted, and nothing
// throws.

import type { Cuts } from './capture'
import { refuse } from './log'

/** Attributes or metadata: an object, a `Map`, or pairs. */
export type Attributes =
  | { readonly [key: string]: unknown }
  | ReadonlyMap<string, unknown>
  | Iterable<readonly [string, unknown]>

/** How much of a list or iterable is read at most: it may have no end. */
const ITEMS = 10_000

/** Whatever was given, as text. */
export function text(given: unknown): string {
  if (typeof given === 'string') return given
  try {
    return String(given)
  } catch {
    return ''
  }
}

/** What an attribute counts in a span. */
export function fieldSize(value: unknown): number {
  return typeof value === 'string' || value instanceof Uint8Array ? 16 + value.length : 16
}

/** Whether it is an object with attributes as its fields, as most are. */
export function hasFields(given: Attributes): given is { readonly [key: string]: unknown } {
  try {
    return (
      typeof given === 'object' &&
      given !== null &&
      (given as Partial<Iterable<unknown>>)[Symbol.iterator] === undefined
    )
  } catch {
    // `each` says so.
    return false
  }
}

/** Calls `take` with every pair; what is none is counted. */
export function each(
  given: unknown,
  place: string,
  cuts: Cuts,
  take: (key: string, value: unknown) => void,
): void {
  if (given === undefined || given === null) return
  try {
    if (typeof given !== 'object') throw new TypeError(place)
    if ((given as Partial<Iterable<unknown>>)[Symbol.iterator] !== undefined) {
      let left = ITEMS
      for (const pair of given as Iterable<unknown>) {
        left -= 1
        if (left < 0) throw new RangeError(place)
        if (Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string') take(pair[0], pair[1])
        else {
          cuts.altered += 1
          refuse(place)
        }
      }
      return
    }
    for (const key of Object.keys(given)) {
      let value: unknown
      try {
        value = (given as Record<string, unknown>)[key]
      } catch {
        cuts.altered += 1
        refuse(`${place}: a getter that throws`)
        continue
      }
      if (value !== undefined) take(key, value)
    }
  } catch {
    cuts.altered += 1
    refuse(place)
  }
}

/** The texts of a list; what is none is counted. */
export function texts(given: unknown, place: string, cuts: Cuts): string[] {
  const list: string[] = []
  if (given === undefined || given === null) return list
  try {
    let left = ITEMS
    for (const item of typeof given === 'string' ? [given] : (given as Iterable<unknown>)) {
      left -= 1
      if (left < 0) throw new RangeError(place)
      if (typeof item === 'string') list.push(item)
      else {
        cuts.altered += 1
        refuse(place)
      }
    }
  } catch {
    cuts.altered += 1
    refuse(place)
  }
  return list
}
