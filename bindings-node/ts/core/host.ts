// The seam between the span path and what it runs on.
//
// Everything in this folder is plain JavaScript: spans, values, the frame encoder, ids and limits, without Node.js,
// without the addon and without an engine (`tsconfig.core.json` holds it to that). What differs between a server, an
// edge function and a browser comes in at three places:
//
// - A `Host`, set once by `setHost` before the first span starts, gives random words, writes UTF-8 and knows the numbers
//   of span types. For Node.js it is `../node.ts`; `index.ts` loads it before all else.
// - A `Keeper`, set by `setKeeper`, keeps what is current for `slot.ts`; it is there as well. Pages keep it themselves.
// - A `FrameRecorder` (`recorder.ts`) takes the finished frames and decides about new traces. For Node.js it is
//   `../recorder.ts`, which hands frames to the addon; elsewhere one that posts them.
//
// `begin` (`begin.ts`) then starts a span, `runSpan` (`run.ts`) runs a function inside one.

/** What is current, carried through whatever calls functions later. `AsyncLocalStorage` is one. */
export interface Storage {
  getStore(): unknown
  run<A extends unknown[], R>(current: unknown, body: (...args: A) => R, ...args: A): R
  /** Runs `body` with nothing current. */
  exit<R>(body: () => R): R
}

/** Where what is current is kept; what it is, the keeper knows. */
export type Place = object | undefined

/** Who keeps what is current. */
export interface Keeper {
  readonly storage: Storage
  /** Where the storage keeps what is current, until the function that asks returns; finding it is most of what a look
   * costs. `undefined` where the storage alone knows. */
  place(): Place
  /** What is current, at the place found. */
  at(place: Place): unknown
  /** `storage.run` for a body with one argument, at the place found, where `before` is what has been current until now. */
  within<A, R>(current: unknown, body: (given: A) => R, given: A, before: unknown, place: Place): R
}

export interface Host {
  /** Fills the words with random bits. */
  random(words: Int32Array): void
  /** Writes a text as UTF-8 from `at` on, where there is room for three bytes a character; returns how many bytes. Lone
   * surrogates are written as U+FFFD. */
  utf8(text: string, into: Uint8Array, at: number): number
  /** The number of a span type by any of its names; `null` if it is none. */
  spanType(name: string): number | null
  /** The identity that a `traceparent` names, as `contextBytes` lays it out; `undefined` if it names none. */
  traceparent(text: string): Uint8Array | undefined
  /** What an event emitter tells its errors to without their counting as handled; `undefined` where there is none. */
  readonly errorMonitor: symbol | undefined
  /** Whether the body of a response was given as a whole, where the runtime knows and looking at it would change what is
   * sent. */
  readonly isWhole?: (response: Response) => boolean
  /** Status and headers for what stands for a response, where they are not those of the response itself. */
  readonly headOf?: (response: Response) => ResponseInit
  /** Shows a line to whoever runs the program. */
  warn(line: string): void
}

export let host: Host
export let keeper: Keeper

/** Sets what the span path runs on. */
export function setHost(given: Host): void {
  host = given
}

/** Sets who keeps what is current. */
export function setKeeper(given: Keeper): void {
  keeper = given
}
