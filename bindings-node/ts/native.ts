// The native addon: finding it, and what it offers. Everything that crosses is here.
//
// It is found with the real `require` of Node, by a name that is put together when the program runs: bundlers turn
// a plain `require('./x.node')` into something that fails (docs/node.md, "Bundlers").

import type { createRequire } from 'node:module'
import type { Ambient } from './core/slot'
import type { Beginning } from './core/terms'

export interface StartedSpan {
  slot?: number
  context: Buffer
  body?: Buffer
  ambient?: Ambient
}

export interface Brought {
  context?: Buffer
  baggage: string[]
  ids: string[]
  refused: number[]
}

export interface NativeMemory {
  spans(take: boolean): Buffer
}

export interface NativeEngine {
  readonly name: string
  terms(): Buffer
  drawRoots(n: number): Buffer
  inherited(around?: Ambient): Beginning
  submit(frame: Uint8Array, length: number, spans: number, counts: Float64Array): number
  scope(name: string, version: string, schemaUrl: string): number
  shown(body: Uint8Array): Buffer | null
  resource(): Buffer
  stats(): Buffer
  flush(seconds: number): Promise<void>
  flushNow(seconds: number): void
  shutdown(seconds: number): Promise<void>
}

export interface Native {
  NativeMemory: new (capacity: number) => NativeMemory
  init(
    options: Uint8Array,
    memories: NativeMemory[],
    decide: ((about: Buffer) => number) | undefined,
    provider: boolean,
  ): NativeEngine
  engine(name?: string): NativeEngine | null
  engines(): string[]
  setDefault(name: string): void
  setSelector(select?: (about: Buffer) => string): void
  exit(): void
  version(): string
  takeLog(): string[]
  surround(outer: Ambient | undefined, added: Uint8Array): { ambient: Ambient; refused: number }
  carrierFields(engine?: NativeEngine): string[]
  extract(engine: NativeEngine | undefined, names: string[], values: (string | Buffer)[]): Brought
  inject(
    engine: NativeEngine | undefined,
    context: Uint8Array | undefined,
    around: Ambient | undefined,
  ): { headers: string[]; refused: number }
  start(
    engine: NativeEngine | undefined,
    described: Uint8Array,
    parent: Uint8Array | undefined,
    around: Ambient | undefined,
    request: Uint8Array | undefined,
    traceId: string | undefined,
  ): StartedSpan
  spanType(name: string): number | null
}

/** What `submit` answers: bits. */
export const LOST = 1
export const PRESSED = 2
export const STOPPED = 4
export const SAYS = 8

let loaded: Native | undefined

/** The addon, loaded on first use. */
export function native(): Native {
  loaded ??= load()
  return loaded
}

function load(): Native {
  const require = realRequire()
  const tried: string[] = []
  // Asking for the C library is slow, and only needed where the package's own file is not there.
  for (const place of [own, ofPlatform]) {
    const name = place()
    try {
      return require(name) as Native
    } catch (error) {
      tried.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new Error(
    `polyspan: the native addon for ${process.platform} ${process.arch} cannot be loaded:\n  ${tried.join('\n  ')}`,
  )
}

function realRequire(): NodeJS.Require {
  type Built = { createRequire: typeof createRequire }
  const builtin = (process as { getBuiltinModule?: (name: string) => unknown }).getBuiltinModule
  const found = (builtin ? builtin('module') : require('node:module')) as Built
  return found.createRequire(__filename)
}

/** The package's own file, by a name that no bundler follows. */
function own(): string {
  return `../${['polyspan', 'node'].join('.')}`
}

function ofPlatform(): string {
  return `@polyspan/${[process.platform, process.arch, libc()].filter(Boolean).join('-')}`
}

function libc(): string {
  if (process.platform !== 'linux') return ''
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
  return report?.header?.glibcVersionRuntime ? 'gnu' : 'musl'
}
