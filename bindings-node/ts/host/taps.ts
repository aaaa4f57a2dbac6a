// Code of the application inside the pipeline: processors, the span filter, and formatters before one of the engine's
// own exporters.

import { spansOf } from './events'
import type { FinishedSpan } from './finished'
import { type Formatter, Handler, type Job, nameOf } from './handler'
import { called, type Steps } from './steps'

/** A function of a span: it returns the span, changed or not, or nothing to leave it out. */
export type ProcessorFunction = (
  span: FinishedSpan,
) => FinishedSpan | null | undefined | PromiseLike<FinishedSpan | null | undefined>

/** A processor with state. */
export interface Processor {
  process: ProcessorFunction
  /** At the end of a flush. */
  flush?(): unknown
  /** When nothing comes any more. */
  shutdown?(): unknown
}

/** Keeps a span, or leaves it out. */
export type SpanFilter = (span: FinishedSpan) => unknown

/** A chain that changes spans, or leaves them out. */
export class Processors extends Handler {
  private readonly chain: { name: string; process: ProcessorFunction }[]
  private readonly finals: { flush: (() => unknown)[]; shutdown: (() => unknown)[] }

  constructor(processors: readonly (Processor | ProcessorFunction)[]) {
    super('processors', processors)
    this.chain = processors.map((given) => ({
      name: nameOf(given),
      process: typeof given === 'function' ? given : (span) => given.process(span),
    }))
    const finals = (name: 'flush' | 'shutdown') =>
      processors.flatMap((given) =>
        typeof given === 'object' && typeof given[name] === 'function' ? [() => given[name]?.()] : [],
      )
    this.finals = { flush: finals('flush'), shutdown: finals('shutdown') }
  }

  *run(job: Job): Steps {
    if (job.task !== 'process') {
      yield* this.callAll(job.task, job.task === 'shutdown' ? this.finals.shutdown : this.finals.flush)
      job.done()
      return
    }
    const results: (FinishedSpan | undefined)[] = []
    let failures = 0
    for (const span of spansOf(job.records())) {
      let now: FinishedSpan | undefined = span
      for (const { name, process } of this.chain) {
        try {
          now = same(yield* called(() => process(span)), span)
        } catch (error) {
          failures += 1
          this.warn(name, error)
        }
        if (now === undefined) break
      }
      results.push(now)
    }
    this.judge(job, results, failures)
  }
}

/** What a processor returned: the span it was given, or nothing. */
function same(result: unknown, span: FinishedSpan): FinishedSpan | undefined {
  if (result === undefined || result === null) return undefined
  if (result === span) return span
  throw new TypeError('the span it was given or nothing is expected')
}

/** Formatters before one of the engine's own exporters. */
export class Formatters extends Handler {
  private readonly chain: readonly Formatter[]

  constructor(formatters: readonly Formatter[]) {
    super('formatters', formatters)
    this.chain = formatters
  }

  *run(job: Job): Steps {
    if (job.task !== 'format') {
      job.done()
      return
    }
    const records = job.records()
    const spans = spansOf(records)
    let failures = 0
    for (const [at, span] of spans.entries()) {
      if (yield* this.formatted(this.chain, span)) continue
      failures += 1
      // Whatever was changed until then.
      spans[at] = spansOf(records)[at] as FinishedSpan
    }
    this.judge(job, spans, failures)
  }
}

/** Decides which spans are kept. */
export class Filter extends Handler {
  private readonly decide: SpanFilter

  constructor(decide: SpanFilter) {
    super('spanFilter', [decide])
    this.decide = decide
  }

  *run(job: Job): Steps {
    if (job.task !== 'filter') {
      job.done()
      return
    }
    const spans = spansOf(job.records())
    const kept = new Uint8Array(spans.length).fill(1)
    let failures = 0
    for (const [at, span] of spans.entries()) {
      try {
        if (!(yield* called(() => this.decide(span)))) kept[at] = 0
      } catch (error) {
        failures += 1
        this.warn(nameOf(this.decide), error)
      }
    }
    job.judge(kept, [], failures)
  }
}
