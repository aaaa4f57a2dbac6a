'use client'
// A React component that begins to record in the browser, and a hook for spans of components.
//
//     <Polyspan terms={pageTerms()} />   in the root layout

import { useEffect, useRef } from 'react'
import {
  type InstrumentOptions,
  init,
  instrument,
  type PageTerms,
  type Span,
  type SpanOptions,
  span,
} from './browser'

export interface PolyspanProps {
  /** What the server's engine says of pages: `pageTerms()` of `polyspan/next`. */
  terms?: PageTerms
  /** What the page records by itself; `false` for nothing. */
  instrument?: InstrumentOptions | false
}

/** Begins to record, once for the page. Renders nothing. */
export function Polyspan(props: PolyspanProps): null {
  // While it renders: children's effects run before its own.
  if (typeof document !== 'undefined') {
    init(props.terms)
    if (props.instrument !== false) instrument(props.instrument)
  }
  return null
}

/** A span that lasts as long as the component is mounted; `undefined` until it is. */
export function useSpan(name: string, options?: SpanOptions): { readonly current: Span | undefined } {
  const kept = useRef<Span | undefined>(undefined)
  const given = useRef(options)
  useEffect(() => {
    const one = span.start(name, given.current)
    kept.current = one
    return () => one.end()
  }, [name])
  return kept
}
