// What a page does by itself, as spans: requests by `fetch` and XMLHttpRequest, and what users do.
//
// The trace goes along to the page's own origin, and to others only where they are named: elsewhere a header would
// make the browser ask first, and tell strangers.

import { refuse } from '../core/log'
import { headersOf, withHeaders } from '../outgoing_fetch'
import { inject, recording, start } from './api'
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
  const { fetch: fetches = true, xhr = true, interactions = ['click', 'submit'], propagateTo = [] } = options
  const page = globalThis as unknown as { [REPLACED]?: boolean }
  if (page[REPLACED] || typeof document === 'undefined') return
  page[REPLACED] = true
  const told = new Set([location.origin, ...propagateTo.map(originOf)])
  const tells = (url: URL): boolean => told.has(url.origin)
  if (fetches && typeof fetch === 'function') instrumentFetch(tells)
  if (xhr && typeof XMLHttpRequest === 'function') instrumentXhr(tells)
  for (const type of interactions || []) instrumentEvent(type)
}

/** An origin, also of somebody who has written `https://api.example.com/`. */
function originOf(given: string): string {
  try {
    return new URL(given).origin
  } catch {
    refuse('propagateTo', given)
    return ''
  }
}

/** A URL as the page means it. */
function located(url: string | URL): URL | undefined {
  try {
    return new URL(url, document.baseURI)
  } catch {
    return undefined
  }
}

/** Whether a request gets a span. Those to the relay get none: each would have another one posted, for ever. */
function isRecorded(url: URL | undefined): url is URL {
  if (url === undefined) return false
  const relay = located(recording().terms.relay)
  return (
    /^https?:$/.test(url.protocol) && url.origin + url.pathname !== (relay && relay.origin + relay.pathname)
  )
}

/** A span for a request; its URL without what often holds secrets. A caller that has written a `traceparent` himself is
 * its parent. */
function request(method: string, url: URL, parent: string | undefined): Span {
  return start(method, {
    kind: 'client',
    parent,
    attributes: {
      'http.request.method': method,
      'url.full': url.origin + url.pathname,
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    },
  })
}

function answered(one: Span, status: number): void {
  // None is told of what another origin keeps to itself.
  if (status > 0) one.set('http.response.status_code', status)
  if (status >= 400) one.set('error.type', String(status)).status('error')
}

function instrumentFetch(tells: (url: URL) => boolean): void {
  const plain = globalThis.fetch
  globalThis.fetch = async (...given) => {
    let one: Span | undefined
    let asked = given
    try {
      const [input, init] = given
      const isRequest = input instanceof Request
      const url = located(isRequest ? input.url : String(input))
      if (isRecorded(url)) {
        const headers = headersOf(...given)
        const said = headers.get('traceparent') ?? undefined
        one = request(String(init?.method ?? (isRequest ? input.method : 'GET')).toUpperCase(), url, said)
        if (said === undefined && tells(url)) asked = withHeaders(given, inject(headers, one))
      }
    } catch {
      // The platform says what is wrong with it.
    }
    try {
      const answer = await plain(...asked)
      if (one !== undefined) answered(one, answer.status)
      return answer
    } catch (error) {
      one?.error(error)
      throw error
    } finally {
      one?.end()
    }
  }
}

/** What an XMLHttpRequest was opened for. */
interface Opened {
  readonly method: string
  readonly url: URL | undefined
  /** What the application has written itself. */
  parent?: string
}

function instrumentXhr(tells: (url: URL) => boolean): void {
  const { open, send, setRequestHeader } = XMLHttpRequest.prototype
  const opened = new WeakMap<XMLHttpRequest, Opened>()
  /** Ends the span of what an object was last used for. */
  const endings = new WeakMap<XMLHttpRequest, () => void>()
  XMLHttpRequest.prototype.open = function (
    this: XMLHttpRequest,
    method: string,
    url: string | URL,
    ...more: unknown[]
  ) {
    ;(open as (...given: unknown[]) => void).call(this, method, url, ...more)
    // What was under way is over now, and no event says so.
    endings.get(this)?.()
    opened.set(this, { method: String(method).toUpperCase(), url: located(url) })
  } as typeof open
  XMLHttpRequest.prototype.setRequestHeader = function (name, value) {
    setRequestHeader.call(this, name, value)
    const known = opened.get(this)
    if (known !== undefined && /^traceparent$/i.test(name)) known.parent = String(value)
  }
  XMLHttpRequest.prototype.send = function (body) {
    const known = opened.get(this)
    // Another one of the same object is refused.
    opened.delete(this)
    if (known === undefined || !isRecorded(known.url)) return send.call(this, body)
    const { method, parent } = known
    const one = request(method, known.url, parent)
    const set = (name: string, value: string): void => setRequestHeader.call(this, name, value)
    try {
      if (parent === undefined && tells(known.url)) inject({ get: () => undefined, set }, one)
    } catch {
      // Nor can it be sent then, which `send` says.
    }
    const failed = (event: Event): void => {
      one.set('error.type', event.type).status('error')
    }
    const over = (): void => {
      for (const type of ['error', 'abort', 'timeout']) this.removeEventListener(type, failed)
      this.removeEventListener('loadend', ended)
      endings.delete(this)
      one.end()
    }
    const ended = (): void => {
      answered(one, this.status)
      over()
    }
    for (const type of ['error', 'abort', 'timeout']) this.addEventListener(type, failed)
    this.addEventListener('loadend', ended)
    endings.set(this, over)
    try {
      return send.call(this, body)
    } catch (error) {
      // One that the caller waits for says it in this way alone.
      one.error(error, { end: false })
      over()
      throw error
    }
  }
}

/** What users act on. */
const ACTIVE = 'a,button,input,select,textarea,summary,label,form,[role=button],[role=link],[onclick]'

/** A span around all handlers of an event on something that users act on. What they begin at once is below it, a submit
 * by a click among that; what they do after an `await` passes a parent by hand. */
function instrumentEvent(type: string): void {
  const began = (event: Event): void => {
    const target = event.target instanceof Element ? event.target.closest(ACTIVE) : null
    if (target === null) return
    const attributes = {
      'polyspan.interaction.type': type,
      'polyspan.interaction.target': place(target),
      'url.path': location.pathname,
    }
    const one = start(`${type} ${place(target)}`, { attributes })
    enter(one)
    // After everything that handles this event, and before whatever that puts off. Nothing is current then: not what was
    // before either, where one event has brought about another.
    setTimeout(() => {
      enter(undefined)
      one.end()
    })
  }
  addEventListener(type, began, { capture: true })
}

/** An element by its tag and id. A form has its fields as properties, one that is called `id` among them. */
function place(element: Element): string {
  const id = Element.prototype.getAttribute.call(element, 'id')
  const { localName } = element
  return (typeof localName === 'string' ? localName : 'form') + (id ? `#${id}` : '')
}
