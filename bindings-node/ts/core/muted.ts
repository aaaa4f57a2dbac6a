// Code whose spans are not to be recorded: what exports spans would otherwise export its own exports.
//
// The host stage (`../host/stage.ts`) runs the application's code so; `../start.ts` gives everything inside this one
// span.

import { inside } from './slot'
import { noSpan, type Span } from './span'

/** What is current inside. It has no valid id, so that nobody continues it. */
export const MUTED: Span = noSpan()

/** Runs code whose spans and log records are not recorded. */
export function insideMuted<R>(body: () => R): R {
  return inside(MUTED, body)
}
