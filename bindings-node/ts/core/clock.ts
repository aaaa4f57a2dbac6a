// Time: a monotonic clock laid against the wall clock, and the forms in which applications give times.
//
// A moment is a number of milliseconds since `BASE`, exact to some nanoseconds for months, or a bigint of
// nanoseconds since the Unix epoch where it was given as one. No BigInt is made on the span path.

const WORD = 4294967296
/** The global is a getter. */
const monotonic = performance

/** Milliseconds since the Unix epoch at which the clock's numbers begin. */
const BASE = Math.floor(performance.timeOrigin)
const BASE_NANOS = BigInt(BASE) * 1000000n
const BASE_LOW = Number(BASE_NANOS & 0xffffffffn)
const BASE_HIGH = Number(BASE_NANOS >> 32n)
const LAST = 0xffffffffffffffffn
/** In milliseconds. */
const LAST_MS = Number(LAST / 1000000n)

/** Differences between the two clocks below this are left alone. */
const TOLERANCE = 10
let correction = Date.now() - performance.now() - BASE

/** A point in time; see above. */
export type Moment = number | bigint

/** Now. */
export function now(): number {
  return monotonic.now() + correction
}

/** Follows the wall clock when it was set or has drifted. Called now and then. */
export function reAnchor(): void {
  const measured = Date.now() - performance.now() - BASE
  if (Math.abs(measured - correction) > TOLERANCE) correction = measured
}

/** Writes a moment as u64 nanoseconds since the Unix epoch. */
export function putMoment(view: DataView, at: number, moment: Moment): void {
  if (typeof moment === 'bigint') {
    view.setBigUint64(at, moment, true)
    return
  }
  const nanos = Math.round(moment * 1e6)
  const high = Math.floor(nanos / WORD)
  const low = nanos - high * WORD + BASE_LOW
  const carry = low >= WORD ? 1 : 0
  view.setUint32(at, low - carry * WORD, true)
  view.setUint32(at + 4, BASE_HIGH + high + carry, true)
}

/** Whether `left` is before `right`. */
export function isBefore(left: Moment, right: Moment): boolean {
  if (typeof left === 'number' && typeof right === 'number') return left < right
  return nanosOf(left) < nanosOf(right)
}

/** As nanoseconds since the Unix epoch. */
export function nanosOf(moment: Moment): bigint {
  return typeof moment === 'bigint' ? moment : BASE_NANOS + BigInt(Math.round(moment * 1e6))
}

/** A time as applications give it: see `TimeInput`. */
export type TimeInput = Date | number | bigint | readonly [seconds: number, nanos: number]

/** The moment that was given; `undefined` if it is none. */
export function momentOf(time: unknown): Moment | undefined {
  if (typeof time === 'bigint') return time >= 0n && time <= LAST ? time : undefined
  if (typeof time === 'number') {
    // Smaller than any date is what `performance.now()` gives.
    const since = time < BASE / 2 ? time + performance.timeOrigin : time
    return time >= 0 && since < LAST_MS ? since - BASE : undefined
  }
  try {
    if (time instanceof Date)
      return momentOf(time.getTime() >= 0 ? BigInt(time.getTime()) * 1000000n : undefined)
    if (Array.isArray(time) && Number.isInteger(time[0]) && Number.isInteger(time[1]))
      return momentOf(BigInt(time[0]) * 1000000000n + BigInt(time[1]))
  } catch {
    // An object that cannot be read is no time.
  }
  return undefined
}
