// What the tracer providers of the OpenTelemetry SDK are given, in the words of an engine: samplers, resources, limits,
// and generators of ids.

import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api'
import type { InitOptions } from '../engine'
import { PolyspanError } from '../error'
import type { SamplerFunction } from '../sampler'

/** A sampler of the SDK. */
export interface SdkSampler {
  shouldSample(...about: never[]): { decision: number }
  toString(): string
}

/** Limits as the SDK names them. */
export interface SpanLimits {
  attributeValueLengthLimit?: number
  attributeCountLimit?: number
  eventCountLimit?: number
  linkCountLimit?: number
  attributePerEventCountLimit?: number
  attributePerLinkCountLimit?: number
}

/** A generator of the SDK; of ours it makes the ids of traces alone. */
export interface IdGenerator {
  generateTraceId(): string
  generateSpanId(): string
}

const LIMITS: [keyof SpanLimits, string][] = [
  ['attributeValueLengthLimit', 'attributeValueLengthLimit'],
  ['attributeCountLimit', 'attributeCountLimit'],
  ['eventCountLimit', 'eventCountLimit'],
  ['linkCountLimit', 'linkCountLimit'],
  ['attributePerEventCountLimit', 'eventAttributeCountLimit'],
  ['attributePerLinkCountLimit', 'linkAttributeCountLimit'],
]

/** The options of an engine for those of a provider of the SDK; what is ours stays. */
export function translated(given: Record<string, unknown>): InitOptions {
  const { spanLimits, ...options } = given
  if (isSdkSampler(options.sampler)) options.sampler = samplerOf(options.sampler)
  if (isSdkResource(options.resource)) options.resource = { ...options.resource.attributes }
  if (spanLimits !== undefined) {
    if (typeof spanLimits !== 'object' || spanLimits === null) {
      throw new PolyspanError(
        'invalid_option',
        `spanLimits: ${String(spanLimits)} is not usable; expected limits`,
      )
    }
    for (const [theirs, ours] of LIMITS) {
      const limit = (spanLimits as SpanLimits)[theirs]
      // No limit at all is what the option says by being absent.
      if (limit !== undefined && limit !== Number.POSITIVE_INFINITY) options[ours] ??= limit
    }
  }
  return options as InitOptions
}

function isSdkSampler(given: unknown): given is SdkSampler {
  return (
    typeof given === 'object' && given !== null && typeof (given as SdkSampler).shouldSample === 'function'
  )
}

function isSdkResource(given: unknown): given is { attributes: Record<string, unknown> } {
  return (
    typeof given === 'object' && given !== null && typeof (given as { merge?: unknown }).merge === 'function'
  )
}

/** The SDK's own samplers as the engine's, by what they say of themselves; others as functions. */
function samplerOf(sampler: SdkSampler): InitOptions['sampler'] {
  const said = String(sampler)
  const root =
    /^ParentBased\{root=(.*?), remoteParentSampled=AlwaysOnSampler, remoteParentNotSampled=AlwaysOffSampler, localParentSampled=AlwaysOnSampler, localParentNotSampled=AlwaysOffSampler\}$/.exec(
      said,
    )
  const own = named(root?.[1] ?? said)
  if (own !== undefined) return root ? { type: 'parent_based', root: own } : own
  return asked(sampler)
}

function named(said: string): { type: string; [option: string]: unknown } | undefined {
  if (said === 'AlwaysOnSampler') return { type: 'always_on' }
  if (said === 'AlwaysOffSampler') return { type: 'always_off' }
  const ratio = /^TraceIdRatioBased\{([0-9.e-]+)\}$/.exec(said)
  return ratio ? { type: 'ratio', ratio: Number(ratio[1]) } : undefined
}

const ANSWERS = ['drop', 'record', 'sample'] as const

/** It is asked for roots, and for spans whose parent is of another process. */
function asked(sampler: SdkSampler): SamplerFunction {
  const decide = sampler.shouldSample.bind(sampler) as unknown as (...about: unknown[]) => {
    decision: number
  }
  return ({ name, kind, traceId, attributes, parent }) => {
    const span = parent && {
      traceId: parent.traceId,
      spanId: parent.spanId,
      traceFlags: parent.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      isRemote: parent.isRemote,
    }
    const context = span ? trace.setSpanContext(ROOT_CONTEXT, span) : ROOT_CONTEXT
    const number = SpanKind[kind.toUpperCase() as keyof typeof SpanKind] ?? SpanKind.INTERNAL
    return ANSWERS[decide(context, traceId ?? '', name, number, attributes, []).decision]
  }
}
