// Events and links of a span, written when they are added.

import { type Bounds, Capture, type Cuts } from './capture'
import { type Moment, putMoment } from './clock'
import { type Attributes, each } from './span'
import type { SpanContext } from './span_context'
import { Writer } from './writer'

const EVENT = 5
const LINK = 6
const MOST = 65535

/** The field of an event. */
export function eventField(
  name: string,
  time: Moment,
  attributes: Attributes | undefined,
  bounds: Bounds,
  cuts: Cuts,
): Uint8Array {
  const out = new Writer(256)
  out.u8(EVENT)
  out.u32(0)
  out.reserve(8)
  putMoment(out.view, out.at, time)
  out.at += 8
  if (out.key(name)) cuts.altered += 1
  return finished(out, attributes, 'event attributes', bounds, cuts)
}

/** The field of a link. */
export function linkField(
  to: SpanContext,
  attributes: Attributes | undefined,
  bounds: Bounds,
  cuts: Cuts,
): Uint8Array {
  const out = new Writer(256)
  out.u8(LINK)
  out.u32(0)
  const context = to._bytes()
  out.raw(context.subarray(0, 24))
  out.u8(to.traceFlags)
  out.u8(to.isRemote ? 1 : 0)
  out.sized(to.traceState)
  return finished(out, attributes, 'link attributes', bounds, cuts)
}

function finished(
  out: Writer,
  attributes: Attributes | undefined,
  place: string,
  bounds: Bounds,
  cuts: Cuts,
): Uint8Array {
  out.u32(0)
  const countAt = out.at
  out.u16(0)
  let count = 0
  each(attributes, place, cuts, (key, value) => {
    if (key === '' || count === MOST) {
      cuts.altered += 1
      return
    }
    const before = out.at
    try {
      if (out.key(key)) cuts.altered += 1
      new Capture(out, bounds, cuts).value(value, 0)
      count += 1
    } catch (error) {
      out.at = before
      throw error
    }
  })
  out.view.setUint16(countAt, count, true)
  out.view.setUint32(1, out.at - 5, true)
  return out.buf.subarray(0, out.at)
}
