// What a span is inside: its fields, and how it keeps what it is given until the frame writer writes it.
//
// Texts, numbers and truth values are kept as they are; everything else is captured when it is set, so that a span
// shows what was there then and holds on to nothing of the application. Nothing here throws.

import { type Cuts, capture } from './capture'
import { isBefore, type Moment, momentOf, now, type TimeInput } from './clock'
import { type Attributes, each, fieldSize, hasFields, texts } from './given'
import type { Trace } from './ids'
import { type Kept, type KeptEvent, type More, newMore } from './kept'
import { type Key, keyAfter, NO_KEY } from './keys'
import { refuse, sayOnce } from './log'
import type { Ambient, Slot } from './slot'
import { type Terms, UNSAMPLED } from './terms'

/** What a span needs of its recorder. */
export interface Recording extends Cuts {
  readonly terms: Terms
  /** Who is told of each span that records, where anybody is. */
  observer?: Observer
  /** Counts one at a place of `terms.ts`. */
  count(place: number): void
  /** Takes in a span that has ended. */
  ended(span: KeptSpan): void
  /** Takes in what metrics count of a span that did not record. */
  leftOut(span: KeptSpan): void
  /** Takes in what an open span is by now, for exporters that follow it. */
  updated(span: KeptSpan): void
}

/** Code of the application that is told of spans while they are at hand. */
export interface Observer {
  started(span: KeptSpan, slot: Slot | undefined): void
  ending(span: KeptSpan): void
  ended(span: KeptSpan): void
}

/** Spans that started together: who is left in memory tells how many of them can still end. */
export interface Epoch {
  open: number
}

/** What every open span of an epoch holds. */
export interface Token {
  epoch: Epoch
}

/** Open spans of one trace in this process, for `endTree`. */
export interface Local {
  last: KeptSpan | undefined
}

export const NOTHING: unknown[] = []
/** Attributes of one span that are kept before those that were replaced are taken out. */
const MANY = 1024
/** Attributes of an event at most. */
const MOST = 65535
export const OK = 1
export const ERROR = 2
export const LOCAL_ROOT = 2
const KIND_GIVEN = 256

/** How a span is open, has ended, or does not record. */
export const OPEN = 0
export const ENDED = 1
export const QUIET = 2
/** Ends without being counted: of another process, without an engine, or standing for several. */
export const STANDS = 3

/** The nearest that is open of a span and those above it. What has ended is passed by, so that a chain of spans, each
 * started by the one before, does not grow for as long as the program runs. */
export function openAbove(span: KeptSpan | undefined): KeptSpan | undefined {
  let above = span
  while (above !== undefined && above._state === ENDED) above = above._above
  return above
}

export class KeptSpan implements Slot {
  /** @internal */ _state: number
  /** @internal */ readonly _recorder: Recording | undefined
  /** @internal */ readonly _trace: Trace
  /** @internal */ _high: number
  /** @internal */ _low: number
  /** @internal The id that others see: that of an ancestor where this span is hidden. */ _seenHigh: number
  /** @internal */ _seenLow: number
  /** @internal */ _parentHigh = 0
  /** @internal */ _parentLow = 0
  /** @internal */ _start: Moment = 0
  /** @internal */ _end: Moment = 0
  /** @internal */ _kind = 1
  /** @internal */ _status = 0
  /** @internal */ _type = 0
  /** @internal */ _flags = 0
  /** @internal */ _scope = 0
  /** @internal */ _name: Key = NO_KEY
  /** @internal */ _renamed = false
  /** @internal Keys and values in turn. */ _fields: unknown[] = NOTHING
  /** @internal Bytes that it keeps. */ _size = 0
  /** @internal */ _more: More | undefined = undefined
  /** @internal Fields that were written when it started. */ _prefix: Uint8Array | undefined = undefined
  /** @internal */ readonly _ambient: Ambient | undefined
  /** @internal */ readonly _remote: boolean
  /** @internal */ _above: KeptSpan | undefined = undefined
  /** @internal */ _local: Local | undefined = undefined
  /** @internal */ _previous: KeptSpan | undefined = undefined
  /** @internal */ _next: KeptSpan | undefined = undefined
  /** @internal */ _token: Token | undefined = undefined
  /** @internal What stands for its children where it is not sampled: itself, or a span like it. */
  _follower: KeptSpan | undefined = undefined
  /** @internal What it is for the OpenTelemetry API as a span, once that has asked. */
  _api: unknown = undefined
  /** @internal */ _face: Slot['_face'] = undefined
  /** @internal */ _otel: Slot['_otel'] = undefined

  /** @internal */
  constructor(
    state: number,
    recorder: Recording | undefined,
    trace: Trace,
    high: number,
    low: number,
    ambient: Ambient | undefined,
    remote: boolean,
  ) {
    this._state = state
    this._recorder = recorder
    this._trace = trace
    this._high = high
    this._low = low
    this._seenHigh = high
    this._seenLow = low
    this._ambient = ambient
    this._remote = remote
  }

  /** @internal */
  get _isLocalRoot(): boolean {
    return (this._flags & LOCAL_ROOT) !== 0
  }

  /** @internal */
  _extra(): More {
    this._more ??= newMore()
    return this._more
  }

  /** @internal */
  _cuts(): Cuts {
    return this._recorder as Recording
  }

  /** @internal Keeps all attributes of an object, map or list of pairs. */
  _attributes(given: Attributes): void {
    if (hasFields(given)) {
      try {
        this._ownFields(given)
        return
      } catch {
        // A getter: one by one, then. The last value of a key counts.
      }
    }
    each(given, 'attributes', this._cuts(), (name, value) => this._attribute(name, value))
  }

  /** @internal What `_attribute` does with each field of an object, which costs half of that many calls. */
  _ownFields(given: { readonly [key: string]: unknown }): void {
    const { spanBytes, valueBytes } = (this._recorder as Recording).terms
    if (this._fields === NOTHING) this._fields = []
    let fields = this._fields
    let before = fields.length === 0 ? this._name : (fields[fields.length - 2] as Key)
    for (const name in given) {
      // biome-ignore lint/suspicious/noPrototypeBuiltins: in such a loop V8 need not look it up; `hasOwn` it does.
      if (!Object.prototype.hasOwnProperty.call(given, name)) continue
      const value = given[name]
      const isText = typeof value === 'string' && value.length <= valueBytes
      if ((isText || typeof value === 'number' || typeof value === 'boolean') && name !== '') {
        before = keyAfter(before, name)
        fields.push(before, value)
        this._size += name.length + (isText ? 16 + value.length : 16)
        if (this._size > spanBytes || (fields.length & 1023) === 0) this._bound()
      } else if (value !== undefined) {
        this._attribute(name, value)
      }
      // Others may have been taken out, here or by a getter.
      fields = this._fields
    }
  }

  /** @internal */
  _attribute(name: string, value: unknown): void {
    const recorder = this._recorder as Recording
    if (name === '') {
      recorder.altered += 1
      sayOnce('empty key', 'an attribute or metadata whose key is empty is left out')
      return
    }
    if (this._fields === NOTHING) this._fields = []
    const fields = this._fields
    const key = keyAfter(fields.length === 0 ? this._name : (fields[fields.length - 2] as Key), name)
    if (typeof value === 'string' && value.length <= recorder.terms.valueBytes) {
      this._size += 16 + name.length + value.length
      fields.push(key, value)
    } else if (typeof value === 'number' || typeof value === 'boolean') {
      this._size += 16 + name.length
      fields.push(key, value)
    } else {
      const bytes = capture(value, recorder.terms, recorder)
      this._size += 16 + name.length + bytes.length
      fields.push(key, bytes)
    }
    this._bound()
  }

  /** @internal Takes out what is too much. */
  _bound(): void {
    const { length } = this._fields
    if ((length & 1023) === 0 && length >= MANY * 2 && length >= (this._more?.compactAt ?? 0)) {
      this._compact()
      // Where nothing was replaced, looking again soon would cost the square of their number.
      this._extra().compactAt = this._fields.length * 2
    }
    if (this._size > (this._recorder as Recording).terms.spanBytes) this._tooLarge()
  }

  /** @internal Takes out attributes that a later one replaces. */
  _compact(): void {
    const last = new Map<Key, unknown>()
    for (let i = 0; i < this._fields.length; i += 2) {
      const key = this._fields[i] as Key
      last.delete(key)
      last.set(key, this._fields[i + 1])
    }
    this._fields = [...last].flat()
    if (this._more !== undefined) this._more.places = undefined
  }

  /** @internal */
  _tooLarge(): void {
    const more = this._extra()
    if (more.places === undefined) {
      this._size -= this._fieldsSize()
      this._compact()
      this._size += this._fieldsSize()
      if (this._size <= (this._recorder as Recording).terms.spanBytes) return
      more.places = new Map()
      more.placed = 0
    }
    // Small ones may have found room since.
    for (; more.placed < this._fields.length - 2; more.placed += 2)
      more.places.set((this._fields[more.placed] as Key).text, more.placed + 1)
    this._replaceLast(more.places, more)
  }

  /** @internal */
  _fieldsSize(): number {
    let size = 0
    for (let i = 0; i < this._fields.length; i += 2)
      size += (this._fields[i] as Key).text.length + fieldSize(this._fields[i + 1])
    return size
  }

  /** @internal Puts the last attribute where the one of its key is, if that is there and there is room. */
  _replaceLast(places: Map<string, number>, more: More): void {
    const fields = this._fields
    const key = (fields[fields.length - 2] as Key).text
    const at = places.get(key)
    const value = fields[fields.length - 1]
    fields.length -= 2
    this._size -= key.length + fieldSize(value)
    const grows = at === undefined ? 0 : fieldSize(value) - fieldSize(fields[at])
    if (at !== undefined && this._size + grows <= (this._recorder as Recording).terms.spanBytes) {
      fields[at] = value
      this._size += grows
      return
    }
    more.droppedAttributes += 1
    this._cuts().altered += 1
  }

  /** @internal */
  _input(value: unknown): void {
    const { terms } = this._recorder as Recording
    if (terms.io) this._extra().input = this._kept(value)
  }

  /** @internal */
  _output(value: unknown): void {
    const { terms } = this._recorder as Recording
    if (terms.io) this._extra().output = this._kept(value)
  }

  /** @internal */
  _kept(value: unknown): Kept {
    const recorder = this._recorder as Recording
    // A long text is cut now: nobody waits for what is not kept of it, and nothing holds it.
    if (typeof value === 'string' && value.length <= recorder.terms.valueBytes) return value
    if (typeof value === 'number' || typeof value === 'boolean') return value
    return capture(value, recorder.terms, recorder)
  }

  /** @internal */
  _metadata(metadata: Attributes): void {
    const more = this._extra()
    more.metadata ??= []
    const list = more.metadata
    const { terms } = this._recorder as Recording
    each(metadata, 'metadata', this._cuts(), (name, value) => {
      if (name === '') this._cuts().altered += 1
      else if (this._fits(name.length)) list.push([name, capture(value, terms, this._cuts())])
    })
  }

  /** @internal */
  _tags(tags: Iterable<string>): void {
    const list = texts(tags, 'tags', this._cuts())
    if (!this._isLocalRoot) {
      this._cuts().altered += list.length
      if (list.length > 0)
        sayOnce('tags', 'tags are of a trace: give them to its root, or to the context around it')
      return
    }
    const more = this._extra()
    more.tags = more.tags === undefined ? list : more.tags.concat(list)
  }

  /** @internal Whether the span may grow by so much. */
  _fits(bytes: number): boolean {
    this._size += bytes
    if (this._size <= (this._recorder as Recording).terms.spanBytes) return true
    this._size -= bytes
    this._cuts().altered += 1
    return false
  }

  /** @internal Keeps the attributes of an event; returns how many bytes they are about. */
  _eventFields(kept: KeptEvent, given: Attributes): number {
    let size = 0
    if (hasFields(given)) {
      try {
        kept.fields = []
        for (const name in given) {
          // biome-ignore lint/suspicious/noPrototypeBuiltins: in such a loop V8 need not look it up; `hasOwn` it does.
          if (!Object.prototype.hasOwnProperty.call(given, name)) continue
          const value = given[name]
          if (value !== undefined) size += this._eventField(kept, name, value)
        }
        return size
      } catch {
        size = 0
      }
    }
    kept.fields = []
    each(given, 'event attributes', this._cuts(), (name, value) => {
      size += this._eventField(kept, name, value)
    })
    return size
  }

  /** @internal */
  _eventField({ name: event, fields }: KeptEvent, name: string, value: unknown): number {
    if (name === '' || fields.length === 2 * MOST) {
      this._cuts().altered += 1
      return 0
    }
    const own = this._kept(value)
    fields.push(keyAfter(fields.length === 0 ? event : (fields[fields.length - 2] as Key), name), own)
    return name.length + fieldSize(own)
  }

  /** @internal */
  _endAt(end: Moment): void {
    const recorder = this._recorder as Recording
    if (recorder.observer !== undefined) recorder.observer.ending(this)
    this._state = ENDED
    if (isBefore(end, this._start)) {
      this._end = this._start
      recorder.altered += 1
    } else {
      this._end = end
    }
    this._unlink()
    this._above = openAbove(this._above)
    if (recorder.observer !== undefined) recorder.observer.ended(this)
    recorder.ended(this)
    // What was kept is in the frame.
    this._fields = NOTHING
    this._more = undefined
    this._prefix = undefined
  }

  /** @internal Whether it can still end. */
  get _canEnd(): boolean {
    return this._state === OPEN || this._state === QUIET
  }

  /** @internal The end of a span that does not record. */
  _endQuietly(end: TimeInput | undefined): void {
    const recorder = this._recorder
    this._state = ENDED
    if (recorder === undefined) return
    if (recorder.terms.countsUnsampled !== true) {
      recorder.count(UNSAMPLED)
      return
    }
    this._end = (end === undefined ? undefined : momentOf(end)) ?? now()
    recorder.leftOut(this)
  }

  /** @internal Shows what it is by now to who follows open spans. */
  _show(): void {
    const recorder = this._recorder as Recording
    if (this._state === OPEN && recorder.terms.showsUpdates === true) recorder.updated(this)
  }

  /** @internal */
  _unlink(): void {
    const local = this._local
    if (local === undefined) return
    if (this._previous !== undefined) this._previous._next = this._next
    if (this._next !== undefined) this._next._previous = this._previous
    else local.last = this._previous
    this._previous = undefined
    this._next = undefined
  }

  /** @internal */
  _isBelow(other: KeptSpan): boolean {
    for (let above = this._above; above !== undefined; above = above._above) if (above === other) return true
    return false
  }

  /** @internal */
  _setKind(kind: number): void {
    this._kind = kind
    this._flags |= KIND_GIVEN
  }

  /** @internal */
  _refused(place: string): void {
    if (this._recorder !== undefined) this._cuts().altered += 1
    refuse(place)
  }

  /** @internal */
  _moment(time: TimeInput | undefined): Moment | undefined {
    if (time === undefined || time === null) return undefined
    const moment = momentOf(time)
    if (moment === undefined) this._refused('time')
    return moment
  }
}
