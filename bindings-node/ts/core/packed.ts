// Links of a span, written when they are added.

import { type Bounds, Capture, type Cuts } from './capture'
import { type Attributes, each } from './given'
import { contextBytes } from './ids'
import type { SpanContext } from './span_context'
import { copied, Writer } from './writer'

let scratch: Writer | undefined = new Writer(4096)
/** A larger scratch is given back. */
const KEPT = 64 * 1024

/** The scratch, unless a getter records a span while it is in use. */
function begin(): Writer {
  const out = scratch ?? new Writer(256)
  scratch = undefined
  out.at = 0
  return out
}

/** What was written, and the scratch for the next one. */
function end(out: Writer): Uint8Array {
  const bytes = copied(out)
  scratch = out.buf.length > KEPT ? new Writer(4096) : out
  return bytes
}

const LINK = 6
const MOST = 65535

/** The field of a link. */
export function linkField(
  to: SpanContext,
  attributes: Attributes | undefined,
  bounds: Bounds,
  cuts: Cuts,
): Uint8Array {
  const out = begin()
  out.u8(LINK)
  out.u32(0)
  const context = contextBytes(to._trace, to._high, to._low, to.isRemote)
  out.raw(context.subarray(0, 24))
  out.u8(to.traceFlags)
  out.u8(to.isRemote ? 1 : 0)
  out.sized(to.traceState)
  return finished(out, attributes, bounds, cuts)
}

function finished(out: Writer, attributes: Attributes | undefined, bounds: Bounds, cuts: Cuts): Uint8Array {
  out.u32(0)
  const countAt = out.at
  out.u16(0)
  let count = 0
  each(attributes, 'link attributes', cuts, (key, value) => {
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
  return end(out)
}
