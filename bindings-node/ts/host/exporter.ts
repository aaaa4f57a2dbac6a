// Exporters of the application: what they may have, and handing spans and events to them in whichever forms they take.

import {
  type DroppedSpan,
  type EventKind,
  eventOf,
  KINDS,
  type LogRecord,
  type TelemetryEvent,
  type Telling,
  type TraceInfo,
  tellings,
} from './events'
import type { FinishedSpan } from './finished'
import { type Formatter, Handler, type Job, nameOf } from './handler'
import { called, type Steps } from './steps'

/** An exporter of your own: an object with any of these methods, each of which may return a promise. What it has is
 * what it is told of. */
export interface SpanExporter {
  /** What it is called in `stats()`; without one it is the name of the class. */
  name?: string
  /** Functions that change its copy of each span before it gets it. */
  formatters?: Formatter | readonly Formatter[]
  /** A batch; `false` says that it was refused. */
  export?(spans: FinishedSpan[]): unknown
  /** Each event as one object. */
  exportEvent?(event: TelemetryEvent): unknown
  onSpanStarted?(span: FinishedSpan): unknown
  onSpanUpdated?(span: FinishedSpan): unknown
  onSpanEnded?(span: FinishedSpan): unknown
  onSpanDropped?(span: DroppedSpan): unknown
  onTraceStarted?(trace: TraceInfo): unknown
  onTraceEnded?(trace: TraceInfo): unknown
  onLog?(record: LogRecord): unknown
  /** At the end of a flush, after everything before it was exported. */
  flush?(): unknown
  /** Once, when nothing comes any more. */
  shutdown?(): unknown
}

type Method = (argument?: never) => unknown

/** The method that is called for a kind of event: `onSpanStarted`. */
export function methodFor(kind: EventKind): keyof SpanExporter {
  return `on_${kind}`.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) as keyof SpanExporter
}

/** Whether an object has a method that takes anything. */
export function takesAnything(given: object): boolean {
  const names = ['export', 'exportEvent', ...KINDS.map(methodFor)]
  return names.some((name) => typeof (given as Record<string, unknown>)[name] === 'function')
}

const OF_SPANS = new Set<EventKind>(['span_started', 'span_updated', 'span_ended'])

export class Exporter extends Handler {
  readonly formatters: readonly Formatter[]
  /** Batches may wait for more spans, events may not. */
  readonly atOnce: boolean
  /** The kinds of events that it is told of. */
  readonly events: readonly EventKind[]
  private readonly exporter: Record<string, Method | undefined>
  private readonly on = new Map<EventKind, string>()
  private readonly wantsEnded: boolean

  constructor(exporter: SpanExporter, formatters: readonly Formatter[]) {
    super(nameOf(exporter), [exporter])
    this.formatters = formatters
    this.exporter = exporter as Record<string, Method | undefined>
    for (const kind of KINDS) if (this.has(methodFor(kind))) this.on.set(kind, methodFor(kind))
    this.events = this.has('exportEvent') ? KINDS : [...this.on.keys()]
    this.atOnce = this.events.length > 0
    this.wantsEnded = this.has('export') || this.events.includes('span_ended')
  }

  private has(method: string): boolean {
    return typeof this.exporter[method] === 'function'
  }

  private call(method: string, ...given: unknown[]): unknown {
    return (this.exporter[method] as (...given: unknown[]) => unknown)(...given)
  }

  *run(job: Job): Steps {
    if (job.task === 'export') {
      yield* this.deliver(job)
      return
    }
    const { task } = job
    if (this.has(task)) yield* this.callAll(task, [() => this.call(task)])
    job.done()
  }

  private *deliver(job: Job): Steps {
    const told = this.wanted(job)
    let failures = yield* this.formatAll(told, job)
    const spans: FinishedSpan[] = []
    let failedSpans = 0
    let failedLogs = 0
    for (const telling of told) {
      const fine = yield* this.tell(telling)
      if (telling.kind === 'span_ended') {
        spans.push(telling.about as FinishedSpan)
        failedSpans += fine ? 0 : 1
      } else if (telling.kind === 'log') failedLogs += fine ? 0 : 1
      else failures += fine ? 0 : 1
    }
    let rejected = 0
    if (spans.length > 0 && this.has('export')) {
      try {
        if ((yield* called(() => this.call('export', spans))) === false) rejected = spans.length - failedSpans
      } catch (error) {
        failedSpans = spans.length
        this.warn('export', error)
      }
    }
    job.delivered(rejected, failedSpans + failedLogs, 0, failures)
  }

  private wanted(job: Job): Telling[] {
    const told = tellings(job.records())
    return this.wantsEnded ? told : told.filter(({ kind }) => kind !== 'span_ended')
  }

  /** Puts what formatters make of spans in their place. How many could not be formatted. */
  private *formatAll(told: Telling[], job: Job): Steps<number> {
    if (this.formatters.length === 0) return 0
    const unformatted: number[] = []
    for (const [at, { kind, about }] of told.entries()) {
      if (OF_SPANS.has(kind) && !(yield* this.formatted(this.formatters, about as FinishedSpan))) {
        unformatted.push(at)
      }
    }
    if (unformatted.length > 0) {
      // Whatever was changed until then.
      const originals = this.wanted(job)
      for (const at of unformatted) told[at] = originals[at] as Telling
    }
    return unformatted.length
  }

  /** Tells of one event. False if any function for it threw. */
  private *tell(telling: Telling): Steps<boolean> {
    let fine = true
    const on = this.on.get(telling.kind)
    if (on !== undefined) {
      try {
        yield* called(() => this.call(on, telling.about))
      } catch (error) {
        fine = false
        this.warn(on, error)
      }
    }
    if (this.has('exportEvent')) {
      try {
        yield* called(() => this.call('exportEvent', eventOf(telling)))
      } catch (error) {
        fine = false
        this.warn('exportEvent', error)
      }
    }
    return fine
  }
}
