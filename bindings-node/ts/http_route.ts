// The pattern of a route of Express, under Express itself and NestJS.
//
// Express tells nobody, so the request is watched: `req.route` is set when a route was found, when `req.baseUrl` is
// what the routers around it are mounted at.

import type { Exchange } from './http_exchange'
import type { NodeRequest } from './http_node'

/** What is used of the requests of Express. */
export interface ExpressRequest extends NodeRequest {
  baseUrl?: string
  route?: { path?: unknown }
  params?: unknown
}

/** What a router is mounted at in this request, and the pattern of that. */
interface Mount {
  readonly base: string
  readonly pattern: string
}

/** Has the exchange know the pattern of the route once the router does. */
export function watchRoute(request: ExpressRequest, exchange: Exchange): void {
  let { route, params, baseUrl } = request
  const mounts: Mount[] = [{ base: baseUrl ?? '', pattern: baseUrl ?? '' }]
  const mounted = (): Mount => mounts.at(-1) as Mount
  Object.defineProperties(request, {
    params: {
      configurable: true,
      enumerable: true,
      get: () => params,
      set(given: unknown) {
        params = given
      },
    },
    baseUrl: {
      configurable: true,
      enumerable: true,
      get: () => baseUrl,
      set(set: string | undefined) {
        baseUrl = set
        const given = set ?? ''
        while (mounts.length > 1 && !`${given}/`.startsWith(`${mounted().base}/`)) mounts.pop()
        const { base, pattern } = mounted()
        // What a router is mounted at comes after the params that were found in it.
        if (given !== base && given.startsWith(base))
          mounts.push({ base: given, pattern: pattern + patternOf(given.slice(base.length), params) })
      },
    },
    route: {
      configurable: true,
      enumerable: true,
      get: () => route,
      set(given: { path?: unknown } | undefined) {
        route = given
        if (given?.path !== undefined) exchange.route(joined(mounted().pattern, String(given.path)))
      },
    },
  })
}

/** Where a router is mounted, with names for the values of this request. Each stands for one part, the last that has
 * its value: a request may say `/users/users`. */
function patternOf(base: string, params: unknown): string {
  const parts = base.split('/')
  const found = parts.map(decoded)
  for (const [name, value] of Object.entries((params ?? {}) as object).reverse()) {
    const at = found.lastIndexOf(value as string)
    if (at < 1) continue
    parts[at] = `:${name}`
    found[at] = ''
  }
  return parts.join('/')
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function joined(base: string, path: string): string {
  if (base === '') return path
  return path === '/' ? base : base + path
}
