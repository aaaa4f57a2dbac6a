// OpenTelemetry's instrumentation packages under `node --import polyspan/register`, so that a program needs no code for
// them: its `import`s go through their loader hook, and the packages that come with
// `@opentelemetry/auto-instrumentations-node` are started where that is installed.

import { createRequire, register } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMainThread, parentPort } from 'node:worker_threads'

const ALL = '@opentelemetry/auto-instrumentations-node'
const BASE = '@opentelemetry/instrumentation'
/** What the hook is made of, in the parts that work without a thread of their own. */
const SYNCHRONOUS = ['supports-sync-hooks.mjs', 'register-hooks.mjs'].map(
  (part) => `import-in-the-middle/${part}`,
) as [string, string]

interface Instrumentation {
  readonly instrumentationName: string
  disable(): void
}

/** The instrumentations that were started for a program, by their names. */
export class Automatic {
  private readonly started = new Map<string, Instrumentation>()

  /** Starts what is installed where the program runs. */
  start(): void {
    const program = createRequire(join(process.cwd(), 'package.json'))
    const all = found(program, ALL)
    // The packages come with a base of their own, or share the program's.
    const base = (all === undefined ? undefined : found(createRequire(all), BASE)) ?? found(program, BASE)
    if (base !== undefined) followImports(createRequire(base))
    if (all === undefined) return
    const instrumentations: Instrumentation[] = program(all).getNodeAutoInstrumentations()
    for (const each of instrumentations) this.started.set(each.instrumentationName, each)
  }

  /** A tracer of that name is asked for, as an instrumentation does that the program makes itself: it stands for ours,
   * since two would record everything twice. */
  yields(name: string): void {
    const ours = this.started.get(name)
    this.started.delete(name)
    ours?.disable()
  }
}

function found(from: NodeJS.Require, name: string): string | undefined {
  try {
    return from.resolve(name)
  } catch {
    return undefined
  }
}

/** Whether this is the thread that Node.js runs hooks of its loader in. What is preloaded runs there as well. */
export function isLoader(): boolean {
  return !isMainThread && parentPort === null
}

/** Has the packages see what is imported; what is required they see without. */
function followImports(base: NodeJS.Require): void {
  // The hook is made for Node.js: Bun has none, and under that of Deno programs do not start.
  if ('Bun' in globalThis || 'Deno' in globalThis) return
  const [supports, hooks] = SYNCHRONOUS
  let isSynchronous = false
  try {
    isSynchronous = base(supports).supportsSyncHooks()
  } catch {
    // An older hook, or a Node.js that requires no modules.
  }
  if (isSynchronous) base(hooks).register()
  else register(pathToFileURL(base.resolve(`${BASE}/hook.mjs`)))
}
