// What an engine has said once about all spans of a recorder, and what the recorder counts.

import type { Cuts } from './capture'
import type { Ambient } from './slot'

/** What holds for all spans of an engine. */
export interface Terms {
  slot: number
  valueBytes: number
  spanBytes: number
  depth: number
  arrayItems: number
  objectKeys: number
  io: boolean
  drawsRoots: boolean
  localParent: 'inherit' | 'sample' | 'drop' | 'ask'
  readsContent: boolean
  hidesNothing: boolean
  openSpans: number
  exitTimeout: number
  /** Whether an exporter follows spans while they are open: from their start, and at every change. */
  showsStarts?: boolean
  showsUpdates?: boolean
  /** Whether metrics count spans that are not sampled. */
  countsUnsampled?: boolean
}

/** What spans inside a context begin with. */
export interface Beginning {
  /** Fields of the frame. */
  fields: Uint8Array
  /** Tag fields, for the first span of a trace. */
  tags: Uint8Array
  /** Flag bits of the head. */
  flags: number
  /** Whether the engine wants to be asked about such spans. */
  asks: boolean
}

/** What encoding a span needs of its recorder. */
export interface Governed extends Cuts {
  readonly terms: Terms
  inherited(around: Ambient | undefined): Beginning
}

/** Places of the counts. */
export const NOT_RECORDING = 0
export const UNSAMPLED = 1
export const OPEN_LIMIT = 2
export const ENDED_TWICE = 3
export const ALTERED = 4
export const LIMITED = 5
/** How many there are. */
export const COUNTS = 6
