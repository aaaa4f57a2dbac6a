// Polyspan in the browser: spans by callback, posted as frames to a relay of the application's own server, where the
// engine applies every rule. No engine, no key and no collector's address are in the page.
//
//     import { init, span, instrument } from 'polyspan/browser'
//
// A span is current while its function runs; after an `await` it is passed by hand: `{ parent: span }`.

import { begin, on, recording } from './page/api'
import { current, inside } from './page/current'
import type { Platform } from './page/page'
import type { PageTerms } from './page/terms'
import { onTheWeb } from './page/web'

export { type FetchOptions, type InstrumentOptions, instrument } from './page/instrument'
export * from './page/public'
export type { PageTerms } from './page/terms'

/** `fetch` as it was before anything recorded it, so that posts are no spans. */
let plain: typeof fetch = (...given) => fetch(...given)

/** Bytes of a post that may outlive the page while that is open: of all that may, browsers let 64 KiB be under way, and
 * `sendBeacon` needs some of them. */
const OUTLIVING = 16 * 1024

const browser: Platform = {
  source: 'browser',
  post: async (url, contentType, body) => {
    const headers = { 'content-type': contentType }
    // A worker has no document.
    const keepalive = globalThis.document?.visibilityState === 'hidden' || body.length <= OUTLIVING
    const answer = await plain(url, { method: 'POST', headers, body, keepalive })
    return answer.status
  },
  current,
  inside,
}

onTheWeb()
on(browser)

/** Begins to record under the terms that the server rendered into the page (`pageTerms` of `polyspan/next`). A second
 * call changes nothing. */
export function init(terms: PageTerms = {}): void {
  if (!begin(terms) || typeof document === 'undefined') return
  plain = globalThis.fetch.bind(globalThis)
  const leave = (): void =>
    recording().leave((url, contentType, frame) => {
      try {
        return navigator.sendBeacon(url, new Blob([frame], { type: contentType }))
      } catch {
        // Extensions take it away.
        return false
      }
    })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') leave()
  })
  addEventListener('pagehide', leave)
}
