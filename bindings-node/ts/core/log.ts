// The few lines that Polyspan says about itself, at most one per kind: its own and the engine's.

import { host } from './host'

let write: (line: string) => void = (line) => host.warn(line)
const said = new Set<string>()
let altered = 0

/** Sends the lines somewhere else than where warnings go. */
export function setLogger(logger: (line: string) => void): void {
  write = logger
}

/** Says a line, whatever the application's logger does. */
export function say(line: string): void {
  try {
    write(line)
  } catch {
    // A logger that fails is no reason to fail with it.
  }
}

/** Counts that something given was not usable there, and says so once; with what it was, where that may be shown. */
export function refuse(place: string, found?: unknown): void {
  altered += 1
  if (said.has(place)) return
  said.add(place)
  const shown = typeof found === 'string' ? ` ${JSON.stringify(found)}` : ''
  say(
    `polyspan: ${place}${shown}: something that cannot be recorded was left out or changed; it is counted and not said again`,
  )
}

/** Says something once. */
export function sayOnce(kind: string, line: string): void {
  if (said.has(kind)) return
  said.add(kind)
  say(`polyspan: ${line}`)
}

/** How often something was left out outside of any recording span. */
export function refusals(): number {
  return altered
}
