// What the native addon offers. Everything that crosses is here.

import { absent } from './absent'
import { loadAddon } from './addon'
import type { Ambient } from './core/slot'
import type { Beginning } from './core/terms'
import type { Job } from './host/handler'

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
  logs(take: boolean): Buffer
  metrics(take: boolean): Buffer
}

/** An object that runs jobs: its number, and those of the application's objects in it. */
export interface NativeHandler {
  target: number
  identity: number[]
}

/** Options while they are put together. */
export interface NativeOptions {
  data(options: Uint8Array): void
  memory(memory: NativeMemory, signal: string): void
  exporter(
    given: { handler: NativeHandler; name: string; atOnce: boolean; events: string[] },
    signal: string,
  ): void
  formatted(formatters: NativeHandler, described: Uint8Array, at: string): void
  processors(chain: NativeHandler): void
  filter(filter: NativeHandler): void
  sampler(decide: (about: Buffer) => number): void
}

export interface NativeEngine {
  readonly name: string
  terms(): Buffer
  drawRoots(n: number): Buffer
  inherited(around?: Ambient): Beginning
  submit(frame: Uint8Array, length: number, spans: number, counts: Float64Array): number
  scope(name: string, version: string, schemaUrl: string): number
  record(body: Uint8Array, raw: boolean): Buffer | null
  resource(): Buffer
  stats(): Buffer
  /** How many spans and log records have ended. */
  ended(): number
  relay(frame: Uint8Array, source: string): { spans: number; busy: boolean; torn: boolean }
  relayRefused(reason: string): void
  pageTerms(): Buffer
  flush(seconds: number): Promise<void>
  flushNow(seconds: number): void
  shutdown(seconds: number): Promise<void>
}

export interface Native {
  NativeMemory: new (capacity: number) => NativeMemory
  NativeOptions: new () => NativeOptions
  init(options: NativeOptions, provider: boolean): NativeEngine
  engine(name?: string): NativeEngine | null
  engines(): string[]
  setDefault(name: string): void
  setSelector(select?: (about: Buffer) => string): void
  exit(): void
  gather(): void
  onAsked(submit: () => void): void
  recordingThreads(): number
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
  seed(): Buffer
  severity(name: string): number | null
  setLogLevel(engine: NativeEngine | undefined, level: string): void
  logEnabled(engine: NativeEngine | undefined, severity: number): boolean
  log(
    engine: NativeEngine | undefined,
    severity: number,
    said: Uint8Array,
    span: Uint8Array | undefined,
    around: Ambient | undefined,
  ): boolean
  hostOpen(look: () => void): void
  hostNumber(): number
  hostNext(seconds: number): Job | null
  hostHasLeft(): boolean
  hostForgotten(): number[]
  hostExit(whole: boolean): void
}

/** What `submit` answers: bits. */
export const LOST = 1
export const PRESSED = 2
export const STOPPED = 4
export const SAYS = 8

let loaded: Native | undefined

/** The addon, loaded on first use; where there is none, what stands for it. */
export function native(): Native {
  loaded ??= load()
  return loaded
}

function load(): Native {
  try {
    return loadAddon() as Native
  } catch (error) {
    return absent(error)
  }
}
