// Running the application's code of the host stage: functions at once, promises on the event loop.
//
// A piece of work is a generator that yields the promises it waits for, so that code without any runs to its end
// where it stands, also while the process exits.

/** Work that yields what it waits for, and is given what came of it. */
export type Steps<R = void> = Generator<PromiseLike<unknown>, R, unknown>

/** Calls a function of the application, and waits for the promise that it may return. */
export function* called(run: () => unknown): Steps<unknown> {
  const result = run()
  return isThenable(result) ? yield result : result
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

/** Work that is under way. */
export class Running {
  private readonly steps: Steps
  private readonly over: () => void
  private isOver = false

  /** Runs `steps` as far as they go without waiting; `over` is called at their end. */
  constructor(steps: Steps, over: () => void) {
    this.steps = steps
    this.over = over
    this.advance(() => steps.next())
  }

  get ended(): boolean {
    return this.isOver
  }

  /** Ends it where it is: what it waits for will not come. */
  abandon(): void {
    if (this.isOver) return
    this.isOver = true
    this.steps.return()
  }

  private advance(next: () => IteratorResult<PromiseLike<unknown>, void>): void {
    if (this.isOver) return
    const step = next()
    if (step.done) {
      this.isOver = true
      this.over()
      return
    }
    Promise.resolve(step.value).then(
      (value) => this.advance(() => this.steps.next(value)),
      (error) => this.advance(() => this.steps.throw(error)),
    )
  }
}
