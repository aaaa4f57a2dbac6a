// Calls of `fetch` that are told the trace: in a page (`page/instrument.ts`) and in Next.js (`next.ts`). The request
// stays the one that the caller meant, whatever it was given as.

type Fetch = typeof fetch

/** The headers of a call of `fetch`. Throws for what the platform refuses as well. */
export function headersOf(...[input, init]: Parameters<Fetch>): Headers {
  return new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
}

/** The same call with these headers. */
export function withHeaders([input, init]: Parameters<Fetch>, headers: Headers): Parameters<Fetch> {
  // A `Request` that is given anything beside it forgets who refers to it.
  const isAlone = input instanceof Request && (init === undefined || init === null)
  if (!isAlone && isPlain(init)) return [input, { ...init, headers }]
  const asked = new Request(input, init)
  headers.forEach((value, name) => {
    asked.headers.set(name, value)
  })
  return [asked]
}

/** Whether a copy has all that is in it. Of other objects, a `Request` as in `fetch(url, request)` among them, it would
 * have neither method nor body. */
function isPlain(init: object | null | undefined): boolean {
  if (init === undefined || init === null) return true
  const of = Object.getPrototypeOf(init)
  return of === null || Object.getPrototypeOf(of) === null
}
