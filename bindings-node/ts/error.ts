// The one error that Polyspan throws: by init, flush, shutdown and file operations, never on the span path.

import { camelNames } from './options'

/** What kind of failure it was; the codes are the same in every language. */
export type ErrorCode =
  | 'invalid_option'
  | 'already_initialized'
  | 'not_running'
  | 'deadline_exceeded'
  | 'io'
  | 'resource'
  | 'internal'

export class PolyspanError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.name = 'PolyspanError'
    this.code = code
  }
}

/** What the addon threw, with its code; the option as TypeScript spells it. */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof PolyspanError) return error
  const split = /^([a-z_]+): (.*)$/s.exec(error.message)
  if (!split) return error
  const [, code, message] = split
  const told = code === 'invalid_option' ? camelNames(message as string) : (message as string)
  return new PolyspanError(code as ErrorCode, told)
}

/** Runs what may throw an error of the engine. */
export function checked<R>(run: () => R): R {
  try {
    return run()
  } catch (error) {
    throw fromNative(error)
  }
}

export function notRunning(what: string): PolyspanError {
  return new PolyspanError('not_running', `${what}: no engine runs; call init first`)
}
