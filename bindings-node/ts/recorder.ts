// What this thread needs to record for one engine: what the engine has decided ahead, and the way of frames and counts
// into the addon.

import { reAnchor } from './core/clock'
import { Trace } from './core/ids'
import { DELAY, FrameRecorder, type Root } from './core/recorder'
import type { Ambient } from './core/slot'
import type { Beginning, Terms } from './core/terms'
import { sayWaiting } from './engine_log'
import { type Native, type NativeEngine, native, PRESSED, SAYS, STOPPED } from './native'
import { readValue } from './values'

/** Roots drawn at once. */
const BLOCK = 128

export class Recorder extends FrameRecorder {
  readonly engine: NativeEngine
  stopped = false
  pressed = false
  private roots: Buffer = Buffer.alloc(0)
  private rootView: DataView = new DataView(new ArrayBuffer(0))
  private rootAt = 0
  private readonly none: Beginning
  private inside = new WeakMap<Ambient, Beginning>()
  readonly addon: Native

  constructor(engine: NativeEngine) {
    super(termsOf(engine))
    this.addon = native()
    this.engine = engine
    this.none = engine.inherited()
  }

  /** The trace of a new root as the engine decided ahead; `undefined` where it has to be asked. */
  nextRoot(): Root | undefined {
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
  inherited(around: Ambient | undefined): Beginning {
    if (around === undefined) return this.none
    let found = this.inside.get(around)
    if (found === undefined) {
      found = this.engine.inherited(around)
      this.inside.set(around, found)
    }
    return found
  }

  protected arm(): void {
    this.armed = true
    setTimeout(() => {
      this.armed = false
      reAnchor()
      this.submit()
    }, DELAY).unref()
  }

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

const RULES: Terms['localParent'][] = ['inherit', 'sample', 'drop']

function termsOf(engine: NativeEngine): Terms {
  const terms = readValue(engine.terms()) as unknown as Terms
  // The literal: two of them are compared by their address.
  const localParent = RULES.find((rule) => rule === terms.localParent) ?? 'ask'
  return { ...terms, localParent }
}
