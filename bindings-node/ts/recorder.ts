// What this thread needs to record for one engine: what the engine has decided ahead, the frame that is being
// written, and counts. A frame goes to the engine when it is full, when it holds enough spans, a moment after its
// first span, and whenever somebody flushes.

import type { Cuts } from './capture'
import { reAnchor } from './clock'
import { FrameWriter } from './frame'
import { Trace } from './ids'
import { sayWaiting } from './log'
import {
  type Ambient,
  type Inherited,
  type Native,
  type NativeEngine,
  native,
  PRESSED,
  SAYS,
  STOPPED,
} from './native'
import type { Span } from './span'
import { readValue } from './values'

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
}

/** Roots drawn at once. */
const BLOCK = 128
/** Spans of one frame at most. */
const FRAME_SPANS = 512
/** Bytes of one frame, after which it is handed in: with the last span and the engine's own header it should still fit
 * into a segment of 64 KiB, which are pooled. */
const FRAME_BYTES = 56 * 1024
/** How long the first span of a frame waits for others, in milliseconds. */
const DELAY = 50
/** Starts after which spans that were never ended are looked for. */
const EPOCH = 256

/** Places of the counts that `submit` takes. */
export const NOT_RECORDING = 0
export const UNSAMPLED = 1
export const OPEN_LIMIT = 2
export const ENDED_TWICE = 3
export const ALTERED = 4
export const LIMITED = 5

/** Spans that started together: who is left in memory tells how many of them can still end. */
export interface Epoch {
  open: number
}

export class Recorder implements Cuts {
  readonly engine: NativeEngine
  readonly terms: Terms
  readonly frame: FrameWriter
  readonly counts = new Float64Array(6)
  /** Spans of this thread that record and have not ended. */
  open = 0
  stopped = false
  pressed = false
  private roots: Buffer = Buffer.alloc(0)
  private rootView: DataView = new DataView(new ArrayBuffer(0))
  private rootAt = 0
  private timer: NodeJS.Timeout | undefined
  private readonly none: Inherited
  private inside = new WeakMap<Ambient, Inherited>()
  private token: { epoch: Epoch }
  private startedInEpoch = 0
  private readonly abandoned: FinalizationRegistry<Epoch>
  readonly addon: Native

  constructor(engine: NativeEngine) {
    this.addon = native()
    this.engine = engine
    this.terms = readValue(engine.terms()) as unknown as Terms
    this.frame = new FrameWriter(this, FRAME_BYTES + 16 * 1024)
    this.none = engine.inherited()
    this.token = { epoch: { open: 0 } }
    this.abandoned = new FinalizationRegistry((epoch) => {
      this.open -= epoch.open
    })
    this.abandoned.register(this.token, this.token.epoch)
  }

  get altered(): number {
    return this.counts[ALTERED] as number
  }

  set altered(count: number) {
    this.counts[ALTERED] = count
  }

  get limited(): number {
    return this.counts[LIMITED] as number
  }

  set limited(count: number) {
    this.counts[LIMITED] = count
  }

  count(place: number): void {
    this.counts[place] = (this.counts[place] as number) + 1
    if (this.timer === undefined) this.arm()
  }

  /** A token that a span keeps while it is open; `undefined` where too many are. */
  opened(): { epoch: Epoch } | undefined {
    if (this.open >= this.terms.openSpans) return undefined
    if (this.startedInEpoch === EPOCH) {
      this.startedInEpoch = 0
      this.token = { epoch: { open: 0 } }
      this.abandoned.register(this.token, this.token.epoch)
    }
    this.startedInEpoch += 1
    this.token.epoch.open += 1
    this.open += 1
    return this.token
  }

  /** The trace of a new root as the engine decided ahead; `undefined` where it has to be asked. */
  nextRoot(): { trace: Trace; records: boolean } | undefined {
    if (!this.terms.drawsRoots || this.pressed) return undefined
    if (this.rootAt >= this.roots.length) {
      this.roots = this.engine.drawRoots(BLOCK)
      this.rootView = new DataView(this.roots.buffer, this.roots.byteOffset, this.roots.length)
      this.rootAt = 0
      if (this.roots.length === 0) return undefined
    }
    const { roots, rootAt } = this
    const decision = roots[rootAt + 16] as number
    const length = roots[rootAt + 17] as number
    const state = length === 0 ? '' : roots.latin1Slice(rootAt + 18, rootAt + 18 + length)
    this.rootAt = rootAt + 18 + length
    // Sampled, and random as our ids are.
    const flags = decision === 2 ? 3 : 2
    const { rootView: view } = this
    const trace = new Trace(
      view.getInt32(rootAt),
      view.getInt32(rootAt + 4),
      view.getInt32(rootAt + 8),
      view.getInt32(rootAt + 12),
      flags,
      state,
    )
    return { trace, records: decision !== 0 }
  }

  /** What spans inside begin with. */
  inherited(around: Ambient | undefined): Inherited {
    if (around === undefined) return this.none
    let found = this.inside.get(around)
    if (found === undefined) {
      found = this.engine.inherited(around)
      this.inside.set(around, found)
    }
    return found
  }

  /** Takes in a span that has ended. */
  ended(span: Span): void {
    const token = span._token
    if (token !== undefined) {
      token.epoch.open -= 1
      this.open -= 1
    }
    this.frame.span(span)
    if (this.frame.at >= FRAME_BYTES || this.frame.spans >= FRAME_SPANS) this.submit()
    else if (this.timer === undefined) this.arm()
  }

  private arm(): void {
    this.timer = setTimeout(() => {
      this.timer = undefined
      reAnchor()
      this.submit()
    }, DELAY)
    this.timer.unref()
  }

  /** Hands in what there is. */
  submit(): void {
    const { frame } = this
    const answer = this.engine.submit(frame.buf, frame.at, frame.spans, this.counts)
    frame.reset()
    this.counts.fill(0)
    this.pressed = (answer & PRESSED) !== 0
    this.stopped = (answer & STOPPED) !== 0
    if ((answer & SAYS) !== 0) sayWaiting()
  }
}
