// What is current in a browser: there is one thread, and nothing that outlives a call.

import type { Span } from './span'

let span: Span | undefined

export function current(): Span | undefined {
  return span
}

/** Makes a span current until somebody says otherwise; returns what was. */
export function enter(next: Span | undefined): Span | undefined {
  const before = span
  span = next
  return before
}

/** Runs `body` with a span current. */
export function inside<R>(next: Span | undefined, body: () => R): R {
  const before = enter(next)
  try {
    return body()
  } finally {
    enter(before)
  }
}
