// The relay: a handler of the application's own server that takes the frames of its pages and edge functions, and gives
// them to its engine.
//
//     export default { fetch: relay() }                       // any server of `Request` and `Response`
//     export { POST, OPTIONS } from 'polyspan/next/relay'     // a route of Next.js
//
// Whoever can reach the server can post here. The body is read within a bound and checked by the engine, which applies
// every rule; what is refused is counted by reason in `stats().relay`. Answers have no body.

import { _door, type Engine } from './index'
import { Bodies } from './relay_body'
import { clientOf, short } from './relay_client'
import { Buckets, type Rate } from './relay_rate'

export type { Rate } from './relay_rate'

export interface RelayOptions {
  /** The engine that takes the spans; the default one otherwise. */
  engine?: Engine
  /** Origins of pages besides the server's own, such as `https://shop.example.com`. */
  origins?: readonly string[]
  /** What `init` of the page has to bring along. It stands in the page, so it keeps out strays, not attackers. */
  token?: string
  /** Bytes of a body at most; 256 KiB by default. */
  maxBytes?: number
  /** Requests of one client; 10 a second and 60 at once by default. */
  clientRate?: Rate
  /** Requests of all clients; 200 a second and 400 at once by default. */
  rate?: Rate
  /** Proxies in front of the server that append to `x-forwarded-for`; 1 by default. With 0 the header, which clients
   * can write then, says nothing. */
  proxies?: number
  /** Who sent a request, for `clientRate`, instead of what `x-forwarded-for` says. */
  client?: (request: Request) => string | undefined
  /** Seconds that a body may take to arrive; 10 by default. */
  timeout?: number
}

/** Answers a request. */
export type Relay = (request: Request) => Promise<Response>

const OPTIONS = [
  'engine',
  'origins',
  'token',
  'maxBytes',
  'clientRate',
  'rate',
  'proxies',
  'client',
  'timeout',
]
const FRAME = 'application/vnd.polyspan.frame'
/** What spans may say they come from; anything else is `unknown`. */
const SOURCES = ['browser', 'edge']

/** Makes a relay. Throws `TypeError` for options that cannot be used. */
export function relay(options: RelayOptions = {}): Relay {
  const { maxBytes = 256 * 1024, timeout = 10, proxies = 1 } = options
  for (const [name, value] of Object.entries({ maxBytes, timeout, proxies })) {
    if (typeof value !== 'number' || !(value >= 0))
      throw new TypeError(
        `polyspan: relay: ${name}: ${String(value)} is not usable; expected a number, 0 or more`,
      )
  }
  for (const name of Object.keys(options))
    if (!OPTIONS.includes(name))
      throw new TypeError(`polyspan: relay: ${name} is no option; there are ${OPTIONS.join(', ')}`)
  const { token, origins: given = [] } = options
  // One that is empty, of a variable that is not set, would let everybody in.
  if (token !== undefined && (typeof token !== 'string' || token === ''))
    throw new TypeError('polyspan: relay: token is not usable; expected a text that is not empty')
  if (!Array.isArray(given))
    throw new TypeError(
      `polyspan: relay: origins: ${JSON.stringify(given)} is not usable; expected a list such as ['https://example.com']`,
    )
  const origins = given.map((origin) => originOf(origin))
  const clients = new Buckets(options.clientRate ?? { perSecond: 10, burst: 60 })
  const all = new Buckets(options.rate ?? { perSecond: 200, burst: 400 })
  const bodies = new Bodies()

  return async (request) => {
    const engine = options.engine === undefined ? _door.engine() : _door.engineOf(options.engine)
    const refuse = (reason: string, status: number, headers: Record<string, string> = {}): Response => {
      engine?.relayRefused(reason)
      return answer(status, headers)
    }
    const { headers } = request
    const origin = headers.get('origin')
    const own = isOwn(request, origin)
    const cross: Record<string, string> =
      !own && origin !== null && origins.includes(origin)
        ? {
            'access-control-allow-origin': origin,
            // `sendBeacon` cannot do without cookies, and sends nothing where they are not allowed. Nothing reads them.
            'access-control-allow-credentials': 'true',
            vary: 'origin',
          }
        : {}
    if (!own && cross.vary === undefined) return refuse('origin', 403)
    if (request.method === 'OPTIONS') {
      const allowed = {
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type',
      }
      return answer(204, { ...cross, ...allowed, 'access-control-max-age': '86400' })
    }
    if (request.method !== 'POST') return refuse('method', 405, { ...cross, allow: 'POST, OPTIONS' })
    const client = options.client === undefined ? forwarded(headers, proxies) : told(options.client, request)
    // One that is too fast takes nothing from the others.
    const wait = clients.take(client) || all.take('')
    if (wait > 0) return refuse('rate', 429, { ...cross, 'retry-after': String(Math.ceil(wait)) })
    const type = contentType(headers.get('content-type'))
    if (type === undefined) return refuse('content_type', 415, cross)
    if (token !== undefined && !sameText(type.get('token') ?? '', token)) return refuse('token', 401, cross)
    if (engine === undefined) return answer(503, { ...cross, 'retry-after': '5' })
    if (Number(headers.get('content-length')) > maxBytes) return refuse('size', 413, cross)
    const body = await bodies.read(request, maxBytes, timeout * 1000)
    if (body === 'size') return refuse('size', 413, cross)
    if (body === 'body') return refuse('body', 400, cross)
    if (body === 'busy') return refuse('busy', 503, { ...cross, 'retry-after': '5' })
    const source = type.get('source') ?? ''
    const { spans, busy, torn } = engine.relay(body, SOURCES.includes(source) ? source : 'unknown')
    if (busy) return answer(503, { ...cross, 'retry-after': '5' })
    return answer(torn && spans === 0 ? 400 : 204, cross)
  }
}

function answer(status: number, headers: Record<string, string>): Response {
  return new Response(null, { status, headers: { ...headers, 'cache-control': 'no-store' } })
}

function originOf(given: string): string {
  try {
    const { origin } = new URL(given)
    if (origin !== 'null') return origin
  } catch {
    // Said below.
  }
  throw new TypeError(
    `polyspan: relay: origins: ${JSON.stringify(given)} is not usable; expected an origin such as https://example.com`,
  )
}

/** Whether a page of this very server asks. Every browser names its origin in a POST; what is the server's own name is
 * in the request, as the proxy in front of it had it. */
function isOwn({ headers, url }: Request, origin: string | null): boolean {
  if (origin === null) return false
  const host =
    headers.get('x-forwarded-host')?.split(',')[0]?.trim() || headers.get('host') || new URL(url).host
  try {
    // Some proxies write the port of the protocol along, which no browser does.
    const { protocol, host: asking } = new URL(origin)
    return asking === new URL(`${protocol}//${host}`).host
  } catch {
    return false
  }
}

/** The client as the outermost of our own proxies saw it; without one there is nobody who would say. */
function forwarded(headers: Headers, proxies: number): string {
  if (proxies < 1) return ''
  const hops = headers.get('x-forwarded-for')?.split(',') ?? []
  return clientOf(hops[Math.max(0, hops.length - Math.floor(proxies))] ?? '')
}

/** The client by the application's own word; those that it fails at are one. */
function told(client: (request: Request) => string | undefined, request: Request): string {
  try {
    return short(String(client(request) ?? ''))
  } catch (error) {
    _door.sayOnce(
      'relay client',
      `relay: client failed: ${error instanceof Error ? error.message : typeof error}`,
    )
    return ''
  }
}

/** The parameters of our content type; `undefined` for another one. */
function contentType(given: string | null): Map<string, string> | undefined {
  const [type, ...rest] = (given ?? '').split(';')
  if (type?.trim().toLowerCase() !== FRAME) return undefined
  return new Map(
    rest.map((pair) => {
      const [name = '', value = ''] = pair.split('=', 2)
      return [name.trim().toLowerCase(), decoded(value.trim())]
    }),
  )
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Compares in a time that does not tell how much was right. */
function sameText(left: string, right: string): boolean {
  let differs = left.length ^ right.length
  for (let i = 0; i < right.length; i++) differs |= (left.charCodeAt(i) || 0) ^ right.charCodeAt(i)
  return differs === 0
}
