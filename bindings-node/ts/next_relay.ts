// The relay as a route of Next.js: `app/api/polyspan/route.ts` with `export { POST, OPTIONS } from 'polyspan/next/relay'`.
// For options of your own: `const handler = relay({ ... }); export { handler as POST, handler as OPTIONS }`.

import { type Relay, relay } from './relay'

export { type RelayOptions, relay } from './relay'

const handler: Relay = relay()

/** Takes a frame. */
export const POST: Relay = (request) => handler(request)
/** Answers the question that a browser asks before it posts from another origin. */
export const OPTIONS: Relay = (request) => handler(request)
