// Spans where no engine runs: what the entries `polyspan/browser` and `polyspan/edge` have in common.

import { hexWord } from '../core/ids'
import { refuse, sayOnce } from '../core/log'
import { Page, type PageStats, type Platform } from './page'
import { identityOf, Span, type SpanContext, type SpanOptions } from './span'
import type { PageTerms } from './terms'
import { newTrace, readTraceparent } from './trace'

/** What a span is around; it is given the span. */
export type SpanBody<R> = (span: Span) => R

/** Headers of any kind: an object, or anything with `get` and `set`. */
export type Carrier =
  | { [name: string]: unknown }
  | { get(name: string): unknown; set?(name: string, value: string): unknown }

const NO_OPTIONS: SpanOptions = {}
let platform: Platform
let page: Page
let runs = false

/** Sets what the entry runs on; nothing records yet. */
export function on(given: Platform): void {
  platform = given
  page = new Page({ threshold: null }, platform)
}

/** Begins to record under the terms that came with the page. A second call changes nothing. */
export function begin(terms: PageTerms): boolean {
  if (runs) return false
  runs = true
  page = new Page(terms, platform)
  return true
}

/** What records. */
export function recording(): Page {
  return page
}

/** Starts a span that is not current: it ends by `end()`, or with its block by `using`. */
export function start(name: string, options: SpanOptions = NO_OPTIONS): Span {
  if (!runs) sayOnce('init', 'nothing is recorded before init')
  const given = options.parent ?? (options.root === true ? undefined : page.current())
  const parent = given === undefined ? undefined : identityOf(given)
  if (given !== undefined && parent === undefined) refuse('parent')
  const trace = parent?.trace ?? newTrace(page.terms.threshold)
  return new Span(page, name, trace, parent, given instanceof Span, options)
}

/** Records what `body` does as a span, which is current until it returns, and ends with it: when it returns or throws,
 * or when its promise settles. */
export function span<R>(name: string, body: SpanBody<R>): R
export function span<R>(name: string, options: SpanOptions, body: SpanBody<R>): R
export function span<R>(name: string, options: SpanOptions | SpanBody<R>, body?: SpanBody<R>): R {
  const [given, run] = typeof options === 'function' ? [NO_OPTIONS, options] : [options, body as SpanBody<R>]
  const one = start(name, given)
  const failed = (error: unknown): never => {
    one.error(error)
    throw error
  }
  try {
    const result = one.run(() => run(one))
    if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
      const settled = (value: unknown): unknown => {
        one.end()
        return value
      }
      return (result as PromiseLike<unknown>).then(settled, failed) as R
    }
    one.end()
    return result
  } catch (error) {
    return failed(error)
  }
}
span.start = start

/** The current span; `undefined` where there is none, as after an `await` in a browser. */
export function currentSpan(): Span | undefined {
  return page.current()
}

/** Writes the current span, or `from`, to a carrier, and returns it. */
export function inject<C extends Carrier>(carrier: C, from: Span | undefined = currentSpan()): C {
  if (from !== undefined) {
    put(carrier, 'traceparent', from.traceparent)
    const { state } = from._identity.trace
    if (state !== '') put(carrier, 'tracestate', state)
  }
  return carrier
}

function put(carrier: Carrier, name: string, value: string): void {
  if (typeof carrier.set === 'function') carrier.set(name, value)
  else (carrier as { [name: string]: unknown })[name] = value
}

/** Reads the calling span from a carrier, to be used as a parent; `undefined` where there is none. */
export function extract(carrier: Carrier): SpanContext | undefined {
  const read = (name: string): string => {
    const found =
      typeof carrier.get === 'function' ? carrier.get(name) : (carrier as { [name: string]: unknown })[name]
    return typeof found === 'string' ? found : ''
  }
  const found = readTraceparent(read('traceparent'), read('tracestate'))
  return (
    found && {
      traceId: found.trace.id,
      spanId: hexWord(found.high) + hexWord(found.low),
      traceFlags: found.trace.flags,
      traceState: found.trace.state,
    }
  )
}

/** Posts what has ended; resolves when it is delivered or given up. */
export function flush(): Promise<void> {
  return page.deliver()
}

/** What has been counted so far. */
export function stats(): PageStats {
  return page.stats()
}
