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

/** Has the exchange know the pattern of the route once the router does. */
export function watchRoute(request: ExpressRequest, exchange: Exchange): void {
  let { route, params } = request
  const values = new Map<string, string>()
  Object.defineProperties(request, {
    params: {
      configurable: true,
      enumerable: true,
      get: () => params,
      set(given: unknown) {
        params = given
        // Those of a router stand in what it is mounted at.
        if (typeof given === 'object' && given !== null)
          for (const [name, value] of Object.entries(given))
            if (typeof value === 'string') values.set(value, name)
      },
    },
    route: {
      configurable: true,
      enumerable: true,
      get: () => route,
      set(given: { path?: unknown } | undefined) {
        route = given
        const mounted = patternOf(request.baseUrl ?? '', values)
        if (given?.path !== undefined) exchange.route(joined(mounted, String(given.path)))
      },
    },
  })
}

/** Where a router is mounted, with names for the values of this request. */
function patternOf(base: string, values: Map<string, string>): string {
  const named = (part: string): string => {
    const name = values.get(decoded(part))
    return name === undefined ? part : `:${name}`
  }
  return base.split('/').map(named).join('/')
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
