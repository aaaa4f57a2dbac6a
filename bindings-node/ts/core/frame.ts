// Writing finished spans as frame events (docs/frame.md), one after the other into one buffer, with a string table
// of the keys and names that the frame has met.

import { nanosOf, putMoment } from './clock'
import type { KeptEvent, More } from './kept'
import type { KeptSpan } from './kept_span'
import type { Key } from './keys'
import type { Governed } from './terms'
import { textOf, utf8Cut, utf8Of } from './utf8'
import { Writer } from './writer'

/** Texts up to this length are written in a loop, which is quicker than a call. */
const SHORT = 24
const HEADER = 8
const FIELDS_AT = 72
/** Kinds of events. */
const UPDATED = 2
const ENDED = 3
const UNSAMPLED = 5
/** Bytes before the name of a span that was not sampled. */
const UNSAMPLED_HEAD = 22
/** Of the flags of such a span. */
const KIND_GIVEN = 256
/** Where the end of a span stands. */
const END_AT = 48
const STRING_ENTRY = 16
const MAX_ENTRIES = 1024
const MAX_TABLE_BYTES = 64 * 1024
const TRUNCATED = '…[truncated]'
/** A buffer that one huge span has made larger is given back. */
const KEPT = 512 * 1024
/** Frames are told apart by their number; no two have the same. */
let frames = 0

const NAME = 1
const STATUS_MESSAGE = 2
const TRACE_STATE = 3
const ATTRIBUTE = 4
const EVENT = 5
const INPUT = 7
const OUTPUT = 8
const METADATA = 9
const TAG = 10
const DROPPED = 11

/** Writes a text that has one byte for each character; whether it was one. Four at a time, as V8 looks at the buffer anew
 * for each write. */
function ascii(text: string, view: DataView, start: number): boolean {
  const length = text.length
  const whole = length - 3
  let all = 0
  let i = 0
  let at = start | 0
  for (; i < whole; i = (i + 4) | 0) {
    const first = text.charCodeAt(i)
    const second = text.charCodeAt(i + 1)
    const third = text.charCodeAt(i + 2)
    const fourth = text.charCodeAt(i + 3)
    all |= first | second | third | fourth
    view.setUint32(at, first | (second << 8) | (third << 16) | (fourth << 24), true)
    at = (at + 4) | 0
  }
  for (; i < length; i = (i + 1) | 0) {
    const code = text.charCodeAt(i)
    all |= code
    view.setUint8(at, code)
    at = (at + 1) | 0
  }
  return all <= 0x7f
}

export class FrameWriter extends Writer {
  /** Spans in the frame. */
  spans = 0
  private readonly recorder: Governed
  private readonly size: number
  private readonly tables: boolean
  private stamp: number
  private entries = 0
  private tableBytes = 0
  /** Keys that have come again since the last event. */
  private readonly again: Key[] = []

  /** `tables` says whether a frame has a table of texts that come again. */
  constructor(recorder: Governed, size: number, tables = true) {
    super(size)
    this.tables = tables
    this.recorder = recorder
    this.size = size
    this.stamp = ++frames
  }

  /** Begins the next frame. */
  reset(): void {
    this.at = 0
    this.spans = 0
    this.stamp = ++frames
    this.entries = 0
    this.tableBytes = 0
    if (this.buf.length > KEPT) {
      this.buf = new Uint8Array(this.size)
      this.view = new DataView(this.buf.buffer)
    }
  }

  /** Enters the keys into the table that came again in the event that has just been written. */
  private defineAgain(): void {
    for (const key of this.again) this.define(key)
    this.again.length = 0
  }

  private define(key: Key): void {
    if (key.frame === this.stamp) return
    key.bytes ??= utf8Of(key.text)
    const { bytes } = key
    if (this.entries >= MAX_ENTRIES || this.tableBytes + bytes.length > MAX_TABLE_BYTES) return
    this.reserve(HEADER + bytes.length)
    const { view, at } = this
    view.setUint32(at, bytes.length, true)
    view.setUint32(at + 4, STRING_ENTRY | (1 << 8) | (this.recorder.terms.slot << 16), true)
    this.buf.set(bytes, at + HEADER)
    this.at = at + HEADER + bytes.length
    key.frame = this.stamp
    key.entry = 0xc000 + this.entries
    this.entries += 1
    this.tableBytes += bytes.length
  }

  private put(key: Key): void {
    if (key.code !== 0) this.u16(key.code)
    else if (key.frame === this.stamp) this.u16(key.entry)
    else this.inline(key)
  }

  /** A key that is in no table yet. */
  private inline(key: Key): void {
    if (this.tables && key.met === this.stamp) this.again.push(key)
    key.met = this.stamp
    if (this.inlineKey(key.text)) this.recorder.altered += 1
  }

  /** A span that has ended. */
  span(span: KeptSpan): void {
    this.whole(span)
    this.spans += 1
  }

  /** What an open span is by now. */
  update(span: KeptSpan): void {
    const start = this.whole(span)
    this.view.setUint8(start + 4, UPDATED)
    this.view.setBigUint64(start + END_AT, 0n, true)
  }

  /** What metrics count of a span that was not sampled. */
  unsampled(span: KeptSpan): void {
    const start = this.at
    this.reserve(UNSAMPLED_HEAD)
    const { view } = this
    const nanos = nanosOf(span._end) - nanosOf(span._start)
    view.setUint32(start + 4, UNSAMPLED | (1 << 8) | (this.recorder.terms.slot << 16), true)
    view.setBigUint64(start + 8, nanos > 0n ? nanos : 0n, true)
    view.setUint16(start + 16, span._type, true)
    view.setUint16(start + 18, span._flags & KIND_GIVEN, true)
    view.setUint8(start + 20, span._kind)
    view.setUint8(start + 21, span._status)
    this.at = start + UNSAMPLED_HEAD
    this.put(span._name)
    this.view.setUint32(start, this.at - start - HEADER, true)
    if (this.again.length > 0) this.defineAgain()
  }

  /** An event of everything that a span has; returns where it begins. */
  private whole(span: KeptSpan): number {
    const start = this.at
    this.event(span, span._name)
    this.view.setUint32(start, this.at - start - HEADER, true)
    if (this.again.length > 0) this.defineAgain()
    return start
  }

  private event(span: KeptSpan, name: Key): void {
    const start = this.at
    this.head(span)
    const prefix = span._prefix
    if (prefix !== undefined) {
      this.raw(prefix)
      if (span._renamed) this.name(name)
    } else {
      this.name(name)
      this.inherited(span)
    }
    const limit = start + this.recorder.terms.spanBytes
    this.attributes(span, limit)
    if (span._more !== undefined) this.more(span, limit)
  }

  private head(span: KeptSpan): void {
    this.reserve(FIELDS_AT)
    const { view } = this
    const at = this.at
    const trace = span._trace
    view.setUint32(at + 4, ENDED | (1 << 8) | (this.recorder.terms.slot << 16), true)
    view.setInt32(at + 8, trace.a)
    view.setInt32(at + 12, trace.b)
    view.setInt32(at + 16, trace.c)
    view.setInt32(at + 20, trace.d)
    view.setInt32(at + 24, span._high)
    view.setInt32(at + 28, span._low)
    view.setInt32(at + 32, span._parentHigh)
    view.setInt32(at + 36, span._parentLow)
    putMoment(view, at + 40, span._start)
    putMoment(view, at + 48, span._end)
    view.setUint32(at + 56, (trace.flags & 3) | (span._kind << 8) | (span._status << 16), true)
    view.setUint32(at + 60, span._type | (span._flags << 16), true)
    view.setUint32(at + 64, span._scope, true)
    view.setUint32(at + 68, 0, true)
    this.at = at + FIELDS_AT
  }

  private name(name: Key): void {
    this.u8(NAME)
    this.put(name)
  }

  /** What the span has by where it stands. */
  private inherited(span: KeptSpan): void {
    const { state } = span._trace
    if (state !== '') {
      this.u8(TRACE_STATE)
      this.sized(state)
    }
    const inherited = this.recorder.inherited(span._ambient)
    if (inherited.fields.length > 0) this.raw(inherited.fields)
    if (inherited.tags.length > 0 && span._isLocalRoot) this.raw(inherited.tags)
  }

  private attributes(span: KeptSpan, limit: number): void {
    const fields = span._fields
    for (let i = 0; i < fields.length; i += 2) {
      const before = this.at
      this.pair(ATTRIBUTE, fields[i] as Key, fields[i + 1])
      if (this.at > limit) this.takeBack(before, span)
    }
  }

  /** A key and its value, behind a tag where that is not 0. What spans are full of goes at one go: short texts, numbers
   * and truth values under known keys. */
  private pair(tag: number, key: Key, value: unknown): void {
    this.reserve(8 + SHORT)
    const { view, buf } = this
    let at = this.at | 0
    if (tag !== 0) {
      buf[at] = tag
      at = (at + 1) | 0
    }
    const code = key.code !== 0 ? key.code : key.frame === this.stamp ? key.entry : 0
    if (code !== 0) {
      if (typeof value === 'string') {
        const length = value.length
        if (length <= SHORT && ascii(value, view, (at + 7) | 0)) {
          // The highest byte is one of the length, which comes right after.
          view.setUint32(at, code | 0x50000, true)
          view.setUint32(at + 3, length, true)
          this.at = at + 7 + length
          return
        }
      } else if (typeof value === 'number') {
        view.setUint16(at, code, true)
        this.at = at + 2
        this.number(value)
        return
      } else if (typeof value === 'boolean') {
        view.setUint16(at, code, true)
        buf[at + 2] = value ? 2 : 1
        this.at = at + 3
        return
      }
    }
    this.at = at
    this.put(key)
    this.scalar(value)
  }

  /** A value that was kept as it was given, or one that was captured. */
  private scalar(value: unknown): void {
    if (typeof value === 'string') this.cutText(value)
    else if (typeof value === 'number') this.number(value)
    else if (typeof value === 'boolean') this.bool(value)
    else this.raw(value as Uint8Array)
  }

  private cutText(text: string): void {
    const limit = this.recorder.terms.valueBytes
    if (text.length * 3 <= limit || (text.length <= limit && utf8Of(text).length <= limit)) {
      this.text(text)
      return
    }
    const bytes = utf8Of(text.slice(0, limit + 1))
    this.recorder.altered += 1
    this.text(textOf(bytes.subarray(0, utf8Cut(bytes, limit))) + TRUNCATED)
  }

  private takeBack(before: number, span: KeptSpan): void {
    this.at = before
    this.recorder.altered += 1
    span._extra().droppedAttributes += 1
  }

  /** What most spans have nothing of. */
  private more(span: KeptSpan, limit: number): void {
    const more = span._extra()
    if (more.statusMessage !== '') {
      this.u8(STATUS_MESSAGE)
      const before = this.at
      this.cutText(more.statusMessage)
      // A sized text has no kind before it.
      this.buf.copyWithin(before, before + 1, this.at)
      this.at -= 1
    }
    if (more.input !== undefined) this.slot(INPUT, more.input, limit)
    if (more.output !== undefined) this.slot(OUTPUT, more.output, limit)
    for (const [key, value] of more.metadata ?? []) {
      const before = this.at
      this.u8(METADATA)
      if (this.key(key)) this.recorder.altered += 1
      this.raw(value)
      if (this.at > limit) {
        this.at = before
        this.recorder.altered += 1
      }
    }
    for (const tag of more.tags ?? []) {
      this.u8(TAG)
      if (this.key(tag)) this.recorder.altered += 1
    }
    if (more.events !== undefined) for (const event of more.events) this.spanEvent(event, more, limit)
    for (const link of more.links ?? []) {
      if (this.at + link.length > limit) {
        more.droppedLinks += 1
        this.recorder.altered += 1
      } else {
        this.raw(link)
      }
    }
    if (more.droppedAttributes + more.droppedEvents + more.droppedLinks > 0) {
      this.u8(DROPPED)
      this.u32(more.droppedAttributes)
      this.u32(more.droppedEvents)
      this.u32(more.droppedLinks)
    }
  }

  /** The input or output. */
  private slot(tag: number, value: unknown, limit: number): void {
    const before = this.at
    this.u8(tag)
    this.scalar(value)
    if (this.at > limit) {
      this.at = before
      this.recorder.altered += 1
      this.u8(tag)
      this.text(TRUNCATED)
    }
  }

  private spanEvent(event: KeptEvent, more: More, limit: number): void {
    const before = this.at
    this.reserve(13)
    this.buf[before] = EVENT
    putMoment(this.view, before + 5, event.time)
    this.at = before + 13
    this.put(event.name)
    const { fields } = event
    this.reserve(6)
    this.view.setUint32(this.at, 0, true)
    this.view.setUint16(this.at + 4, fields.length >>> 1, true)
    this.at += 6
    for (let i = 0; i < fields.length; i += 2) this.pair(0, fields[i] as Key, fields[i + 1])
    this.view.setUint32(before + 1, this.at - before - 5, true)
    if (this.at > limit) {
      this.at = before
      more.droppedEvents += 1
      this.recorder.altered += 1
    }
  }
}
