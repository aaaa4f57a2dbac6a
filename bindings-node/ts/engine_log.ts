// What the engine has to say, shown where the package's own lines are.

import { say } from './core/log'
import { native } from './native'

/** Says what the engine has left to say. */
export function sayWaiting(): void {
  for (const line of native().takeLog()) say(`polyspan: ${line}`)
}
