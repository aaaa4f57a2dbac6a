// Where spans go when they end: one frame after the other, and counts beside them. A frame is handed in when it is
// full, when it holds enough spans, a moment after its first span, and whenever somebody flushes; how, is the
// subclass's affair, and so is who decides about new traces (`host.ts` names those that there are).

import { FrameWriter } from './frame'
import type { Trace } from './ids'
import type { KeptSpan, Observer, Recording, Token } from './kept_span'
import type { Ambient } from './slot'
import {
  ALTERED,
  type Beginning,
  COUNTS,
  type Governed,
  LIMITED,
  NOT_RECORDING,
  type Terms,
  UNSAMPLED,
} from './terms'

/** Spans of one frame at most. */
const FRAME_SPANS = 512
/** Bytes of one frame, after which it is handed in: with the last span and the engine's own header it should still fit
 * into a segment of 64 KiB, which are pooled. */
const FRAME_BYTES = 56 * 1024
/** Starts after which spans that were never ended are looked for. */
const EPOCH = 256
/** How long the first span of a frame should wait for others, in milliseconds. */
export const DELAY = 50

/** A new trace, and whether its spans record. */
export interface Root {
  trace: Trace
  records: boolean
}

export abstract class FrameRecorder implements Recording, Governed {
  readonly terms: Terms
  observer: Observer | undefined = undefined
  readonly frame: FrameWriter
  readonly counts = new Float64Array(COUNTS)
  /** Spans of this thread that record and have not ended. */
  open = 0
  /** Whether something is to hand in the frame after `DELAY`. */
  protected armed = false
  private token: Token
  private startedInEpoch = 0
  private readonly abandoned: FinalizationRegistry<Token['epoch']>

  constructor(terms: Terms) {
    this.terms = terms
    this.frame = new FrameWriter(this, FRAME_BYTES + 16 * 1024)
    this.token = { epoch: { open: 0 } }
    this.abandoned = new FinalizationRegistry((epoch) => {
      this.open -= epoch.open
    })
    this.abandoned.register(this.token, this.token.epoch)
  }

  /** The trace of a new root as it was decided ahead; `undefined` where somebody has to be asked. */
  abstract nextRoot(): Root | undefined

  /** What spans inside begin with. */
  abstract inherited(around: Ambient | undefined): Beginning

  /** Hands in what there is: the frame with its `at` bytes, and the counts. Resets both. */
  abstract submit(): void

  /** Sees to it that `submit` is called within about `DELAY`; sets `armed`. */
  protected abstract arm(): void

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
    if (!this.armed) this.arm()
  }

  /** Counts a span that is not sampled and has nothing of its own. */
  countUnsampled(): void {
    const { counts } = this
    counts[NOT_RECORDING] = (counts[NOT_RECORDING] as number) + 1
    counts[UNSAMPLED] = (counts[UNSAMPLED] as number) + 1
    if (!this.armed) this.arm()
  }

  /** A token that a span keeps while it is open; `undefined` where too many are. */
  opened(): Token | undefined {
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

  /** Takes back the token of a span that is over, or was never begun. */
  closed(token: Token): void {
    token.epoch.open -= 1
    this.open -= 1
  }

  /** Takes in what metrics count of a span that did not record. */
  leftOut(span: KeptSpan): void {
    this.frame.unsampled(span)
    if (this.frame.at >= FRAME_BYTES) this.submit()
    else if (!this.armed) this.arm()
  }

  /** Takes in what an open span is by now. */
  updated(span: KeptSpan): void {
    this.frame.update(span)
    if (this.frame.at >= FRAME_BYTES) this.submit()
    else if (!this.armed) this.arm()
  }

  /** Takes in a span that has ended. */
  ended(span: KeptSpan): void {
    if (span._token !== undefined) this.closed(span._token)
    this.frame.span(span)
    if (this.frame.at >= FRAME_BYTES || this.frame.spans >= FRAME_SPANS) this.submit()
    else if (!this.armed) this.arm()
  }
}
