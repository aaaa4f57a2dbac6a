// Log records: recording one as part of the current span, and from which level on they are kept.

import { capture } from './core/capture'
import { momentOf, nanosOf, type TimeInput } from './core/clock'
import { spanOf } from './core/context'
import { errorParts } from './core/exception'
import { type Attributes, each, text } from './core/given'
import { refuse } from './core/log'
import { MUTED } from './core/muted'
import { current } from './core/slot'
import { type ParentInput, spanContextOf } from './core/span_context'
import { checked } from './error'
import { native } from './native'
import { recorderOf } from './registry'

/** From which severity on log records are kept. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'none'

export interface LogOptions {
  attributes?: Attributes
  /** Adds an exception with its type, message and stack. */
  error?: unknown
  /** The instrumentation scope. */
  logger?: string
  /** Makes it an event of that class. */
  eventName?: string
  /** When it happened; now by default. */
  time?: TimeInput
  /** What it belongs to instead of the current span. */
  span?: ParentInput
}

/**
 * Records something in the log, as part of the current span and with what that inherits. False where it is not kept:
 * below the level, without an exporter of log records, or before `init`. It never throws: what cannot be recorded is
 * left out and counted.
 */
export function log(level: Exclude<LogLevel, 'none'>, body: unknown, options: LogOptions = {}): boolean {
  const slot = current()
  const recorder = recorderOf()
  // What an exporter of the application says while it works would be its own next work.
  if (recorder === undefined || spanOf(slot) === MUTED) return false
  const addon = native()
  let severity = addon.severity(text(level))
  if (severity === null) {
    refuse('log level')
    severity = 9
  }
  if (!addon.logEnabled(recorder.engine, severity)) return false
  const said = new Map<string, unknown>()
  const { eventName, logger, time, error } = options
  if (eventName !== undefined) said.set('event_name', text(eventName))
  if (logger !== undefined) said.set('logger', text(logger))
  const moment = time === undefined ? undefined : momentOf(time)
  if (moment !== undefined) said.set('time', nanosOf(moment))
  else if (time !== undefined) refuse('time of a log record')
  const attributes = new Map<string, unknown>()
  each(options.attributes, 'attributes of a log record', recorder, (key, value) => attributes.set(key, value))
  if (error !== undefined && error !== null) {
    const { type, message, stack } = errorParts(error)
    for (const [key, part] of [
      ['exception.type', type],
      ['exception.message', message],
      ['exception.stacktrace', stack],
    ] as const) {
      if (part !== '') attributes.set(key, part)
    }
  }
  said.set('attributes', attributes)
  said.set('body', body)
  let of = spanContextOf(slot)
  if (options.span !== undefined && options.span !== null) {
    const given = spanContextOf(options.span)
    if (given === undefined) refuse('span of a log record')
    of = given ?? of
  }
  // What is said stands in a map, and its attributes in one inside.
  const bytes = capture(said, { ...recorder.terms, depth: recorder.terms.depth + 2 }, recorder)
  return addon.log(recorder.engine, severity, bytes, of?._bytes(), slot?._ambient)
}

/** Changes from which level on log records are kept, in every engine and from now on. Throws `PolyspanError`
 * (`invalid_option`) for anything that is no level. */
export function setLogLevel(level: LogLevel): void {
  checked(() => native().setLogLevel(undefined, String(level)))
}
