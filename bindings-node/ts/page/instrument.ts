// What a page does by itself, as spans: requests by `fetch` and XMLHttpRequest, and what users do.
//
// The trace goes along to the page's own origin, and to others only where they are named: elsewhere a header would
// make the browser ask first, and tell strangers.

import { inject, start } from './api'
import { enter } from './current'
import type { Span } from './span'

export interface FetchOptions {
  /** Origins besides the page's own that are told the trace, such as `https://api.example.com`. */
  propagateTo?: readonly string[]
}

export interface InstrumentOptions extends FetchOptions {
  fetch?: boolean
  xhr?: boolean
  /** Events of users that are spans where something handles them; `click` and `submit` by default, `false` for none. */
  interactions?: readonly string[] | false
}

const REPLACED = Symbol.for('polyspan.instrumented')

/** Records all of these unless told otherwise. A second call does nothing. */
export function instrument(options: InstrumentOptions = {}): void {
  const { fetch: fetches = true, xhr = true, interactions = ['click', 'submit'] } = options
  const page = globalThis as unknown as { [REPLACED]?: boolean }
  if (page[REPLACED] || typeof document === 'undefined') return
  page[REPLACED] = true
  const tells = (url: URL): boolean =>
    url.origin === location.origin || (options.propagateTo ?? []).includes(url.origin)
  if (fetches) instrumentFetch(tells)
  if (xhr) instrumentXhr(tells)
  for (const type of interactions || []) instrumentEvent(type)
}

/** A span for a request; its URL without what often holds secrets. */
function request(method: string, url: URL): Span {
  return start(method, {
    kind: 'client',
    attributes: {
      'http.request.method': method,
      'url.full': url.origin + url.pathname,
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    },
  })
}

function answered(one: Span, status: number): void {
  one.set('http.response.status_code', status)
  if (status >= 400) one.set('error.type', String(status)).status('error')
}

function instrumentFetch(tells: (url: URL) => boolean): void {
  const plain = globalThis.fetch
  globalThis.fetch = (input, init) => {
    let asked: Request
    let one: Span
    try {
      asked = new Request(input, init)
      const url = new URL(asked.url)
      if (!/^https?:$/.test(url.protocol)) return plain(input, init)
      one = request(asked.method, url)
      if (tells(url)) inject(asked.headers, one)
    } catch {
      // The platform says what is wrong with it.
      return plain(input, init)
    }
    return plain(asked).then(
      (answer) => {
        answered(one, answer.status)
        one.end()
        return answer
      },
      (error) => {
        one.error(error)
        throw error
      },
    )
  }
}

function instrumentXhr(tells: (url: URL) => boolean): void {
  const { open, send } = XMLHttpRequest.prototype
  const asked = new WeakMap<XMLHttpRequest, { method: string; url: URL }>()
  XMLHttpRequest.prototype.open = function (
    this: XMLHttpRequest,
    method: string,
    url: string | URL,
    ...more: unknown[]
  ) {
    try {
      asked.set(this, { method: String(method).toUpperCase(), url: new URL(url, document.baseURI) })
    } catch {
      asked.delete(this)
    }
    return (open as (...given: unknown[]) => void).call(this, method, url, ...more)
  } as typeof open
  XMLHttpRequest.prototype.send = function (body) {
    const known = asked.get(this)
    if (known !== undefined && /^https?:$/.test(known.url.protocol)) {
      const one = request(known.method, known.url)
      if (tells(known.url))
        inject(
          { get: () => undefined, set: (name: string, value: string) => this.setRequestHeader(name, value) },
          one,
        )
      const failed = (event: Event): void => {
        one.set('error.type', event.type).status('error')
      }
      for (const type of ['error', 'abort', 'timeout']) this.addEventListener(type, failed, { once: true })
      this.addEventListener(
        'loadend',
        () => {
          if (this.status > 0) answered(one, this.status)
          one.end()
        },
        { once: true },
      )
    }
    return send.call(this, body)
  }
}

/** What users act on. */
const ACTIVE = 'a,button,input,select,textarea,summary,label,form,[role=button],[role=link],[onclick]'

/** A span around all handlers of an event on something that users act on. What they begin at once is below it; what
 * they do after an `await` passes a parent by hand. */
function instrumentEvent(type: string): void {
  const began = (event: Event): void => {
    const target = event.target instanceof Element ? event.target.closest(ACTIVE) : null
    if (target === null) return
    const attributes = {
      'polyspan.interaction.type': type,
      'polyspan.interaction.target': place(target),
      'url.path': location.pathname,
    }
    const one = start(`${type} ${place(target)}`, { root: true, attributes })
    const before = enter(one)
    // After everything that handles this event, and before whatever that puts off.
    setTimeout(() => {
      enter(before)
      one.end()
    })
  }
  addEventListener(type, began, { capture: true })
}

/** An element by its tag and id. */
function place(element: Element): string {
  return element.tagName.toLowerCase() + (element.id === '' ? '' : `#${element.id}`)
}
