// What all handlers of jobs share: who calls the application's code, and says once what it threw.

import { sayOnce } from '../core/log'
import type { FinishedSpan } from './finished'
import { called, type Steps } from './steps'

/** A job of the addon; answered once. */
export interface Job {
  readonly task: 'process' | 'filter' | 'format' | 'export' | 'flush' | 'shutdown' | ''
  readonly target: number
  readonly spans: number
  records(): Buffer
  done(): void
  judge(verdicts: Uint8Array, changes: Uint8Array[], failures: number): string | null
  delivered(rejected: number, failed: number, unknown: number, failures: number): void
}

/** A function that changes a span for one exporter, and returns it. */
export type Formatter = (span: FinishedSpan) => FinishedSpan | PromiseLike<FinishedSpan>

/** What becomes of a span that the application's code has seen. */
export const DROP = 0
export const KEEP = 1
export const CHANGE = 2

export abstract class Handler {
  /** What it is called in messages. */
  readonly name: string
  /** What the option was given: the same objects are the same option. */
  readonly objects: readonly object[]

  constructor(name: string, objects: readonly object[]) {
    this.name = name
    this.objects = objects
  }

  /** Does a job, and answers it. Throws nothing. */
  abstract run(job: Job): Steps

  /** What is answered of a job that will not come to its end. */
  giveUp(job: Job): void {
    if (job.task === 'export') job.delivered(0, 0, job.spans, 0)
    else job.done()
  }

  /** Calls functions without a result, one after the other. */
  protected *callAll(task: string, functions: readonly (() => unknown)[]): Steps {
    for (const run of functions) {
      try {
        yield* called(run)
      } catch (error) {
        this.warn(task, error)
      }
    }
  }

  /** Has formatters change a span. False if one threw. */
  protected *formatted(formatters: readonly Formatter[], span: FinishedSpan): Steps<boolean> {
    for (const formatter of formatters) {
      try {
        const result = yield* called(() => formatter(span))
        if (result !== span) throw new TypeError('the span it was given is expected')
      } catch (error) {
        this.warn(nameOf(formatter), error)
        return false
      }
    }
    return true
  }

  /** Says once that a function of the application failed. */
  protected warn(what: string, error: unknown): void {
    const kind = error instanceof Error ? error.name : typeof error
    sayOnce(`host ${this.name} ${what} ${kind}`, `${this.name}: ${what} threw ${describedError(error)}`)
  }

  /** Answers a job about spans that may have been changed, or left out. */
  protected judge(job: Job, spans: readonly (FinishedSpan | undefined)[], failures: number): void {
    const verdicts = new Uint8Array(spans.length)
    const changes: Uint8Array[] = []
    let failed = failures
    spans.forEach((span, at) => {
      if (span === undefined) return
      verdicts[at] = KEEP
      try {
        const change = span._changes()
        if (change === undefined) return
        changes.push(change)
        verdicts[at] = CHANGE
      } catch (error) {
        failed += 1
        this.refused(error instanceof Error ? error.message : String(error))
      }
    })
    const refused = job.judge(verdicts, changes, failed)
    if (refused !== null) this.refused(refused)
  }

  private refused(what: string): void {
    sayOnce(`host ${this.name} result`, `${this.name}: a span goes on as it was: ${what}`)
  }
}

/** What an object or function of the application is called. */
export function nameOf(given: unknown): string {
  const name = (given as { name?: unknown }).name
  if (typeof name === 'string' && name !== '') return name
  if (typeof given === 'function') return 'function'
  return (given as object).constructor?.name ?? 'object'
}

function describedError(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return 'something'
  }
}
