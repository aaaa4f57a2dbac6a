// Running a body inside a span, which ends when the body has: at once, with its promise, or with its stream.

import type { Place } from './host'
import { OPEN } from './kept_span'
import { inside, insideWith, type Slot } from './slot'
import type { Span } from './span'
import { keepsGoing, observe } from './streams'

/** What a span is around; it is given the span. */
export type SpanBody<R> = (span: Span) => R

const NO_BODY =
  'polyspan: a span is given the function that it is around; span.start(name) starts one without, which is to be ended'

/** Runs `body` with the span current, where `before` was at `place` until now, and ends it after. `done` is told the
 * result before the span ends. */
export function runSpan<R>(
  span: Span,
  body: SpanBody<R>,
  before: Slot | undefined,
  place: Place,
  done?: (value: unknown) => void,
): R {
  let result: R
  try {
    if (typeof body !== 'function') throw new TypeError(NO_BODY)
    result = insideWith(span, body, span, before, place)
  } catch (error) {
    span.error(error)
    throw error
  }
  return settle(span, result, done) as R
}

/** Has the span end with what its body returned. */
export function settle(span: Span, result: unknown, done?: (value: unknown) => void): unknown {
  if (isThenable(result)) {
    if (isPlainPromise(result)) return awaited(span, result, done)
    return ['then', 'catch', 'finally'].some((name) => isFixed(result, name))
      ? awaited(span, Promise.resolve(result), done)
      : lazily(span, result, done)
  }
  if (keepsGoing(result)) return observe(span, result, done)
  if (span._state === OPEN) done?.(result)
  span.end()
  return result
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false
  try {
    return typeof (value as { then?: unknown }).then === 'function'
  } catch {
    return false
  }
}

/** Whether it has nothing of its own that would be missed. */
function isPlainPromise(value: PromiseLike<unknown>): value is Promise<unknown> {
  try {
    return Object.getPrototypeOf(value) === Promise.prototype
  } catch {
    return false
  }
}

/** Whether it is a promise with the language's own `then`, of a subclass or another realm: it runs whether it is asked or
 * not. One that overrides `then`, as those of API clients do, may begin to read its answer there. */
function runsAlready(promise: PromiseLike<unknown>): boolean {
  try {
    const isPromise = Object.prototype.toString.call(promise) === '[object Promise]'
    return isPromise && /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(promise.then))
  } catch {
    return false
  }
}

/** Whether a proxy would have to show it as it is. */
function isFixed(target: object, name: string | symbol): boolean {
  try {
    return Object.getOwnPropertyDescriptor(target, name)?.configurable === false
  } catch {
    return true
  }
}

function awaited(
  span: Span,
  promise: Promise<unknown>,
  done: ((value: unknown) => void) | undefined,
): Promise<unknown> {
  return promise.then(
    (value) => settleOnce(span, value, done),
    (error) => {
      span.error(error)
      throw error
    },
  )
}

/** What a promise brought; a stream goes on. */
function settleOnce(span: Span, value: unknown, done: ((value: unknown) => void) | undefined): unknown {
  if (keepsGoing(value)) return observe(span, value, done)
  if (span._state === OPEN) done?.(value)
  span.end()
  return value
}

/** A promise with methods of its own, or one that does its work when it is asked: it stays what it is, and is asked
 * no sooner and no more often than the application does. */
function lazily(
  span: Span,
  promise: PromiseLike<unknown>,
  done: ((value: unknown) => void) | undefined,
): unknown {
  let seen: Promise<unknown> | undefined
  const settled = (): Promise<unknown> => {
    seen ??= awaited(span, new Promise((ok, failed) => inside(span, () => promise.then(ok, failed))), done)
    return seen
  }
  if (runsAlready(promise)) settled()
  return new Proxy(promise, {
    get(target, name) {
      if (name === 'then') return (ok: never, failed: never) => settled().then(ok, failed)
      if (name === 'catch') return (failed: never) => settled().catch(failed)
      if (name === 'finally') return (last: never) => settled().finally(last)
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' && !isFixed(target, name) ? value.bind(target) : value
    },
  })
}
