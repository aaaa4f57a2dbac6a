// What the span path gets from a browser or an edge runtime (`../core/host.ts`). Current spans are the page's own affair
// (`page.ts`).

import { type Host, setHost } from '../core/host'

const encoder = new TextEncoder()

const webHost: Host = {
  random: (words) => {
    crypto.getRandomValues(words as Int32Array<ArrayBuffer>)
  },
  utf8: (text, into, at) => encoder.encodeInto(text, into.subarray(at)).written,
  spanType: () => null,
  traceparent: () => undefined,
  errorMonitor: undefined,
  warn: (line) => console.warn(line),
}

/** Sets it, before the first span starts. */
export function onTheWeb(): void {
  setHost(webHost)
}
