// The options that hold for everything inside a span or context.

/** What everything inside a context or span inherits. */
export interface Inherited {
  sessionId?: string
  userId?: string
  organizationId?: string
  threadId?: string
  runId?: string
  requestId?: string
  resourceId?: string
  environment?: string
  entityType?: string
  entityId?: string
  entityName?: string
  /** Inputs of everything inside do not leave the process. */
  hideInput?: boolean
  /** Outputs of everything inside do not leave the process. */
  hideOutput?: boolean
  /** Families of span types that are internal to a framework inside: `workflow`, `agent`, `tool`, `model`, `all`. */
  internalSpans?: string | Iterable<string>
  /** What the application knows about the request: samplers see it, and roots take metadata out of it. */
  requestContext?: object
  /** Names or dotted paths of the request context that roots take as metadata. */
  requestContextKeys?: Iterable<string>
}

/** Texts that are attributes of everything inside. */
export const IDS = [
  'sessionId',
  'userId',
  'organizationId',
  'threadId',
  'runId',
  'requestId',
  'resourceId',
  'environment',
  'entityType',
  'entityId',
  'entityName',
] as const

/** The options that hold for everything inside, but for metadata and the request context. */
export const INHERITED = [...IDS, 'hideInput', 'hideOutput', 'internalSpans', 'requestContextKeys'] as const

/** Whether anything inherited is among some options. */
export function inherits(options: Inherited): boolean {
  for (const id of IDS) if (options[id] !== undefined) return true
  return (
    options.hideInput === true ||
    options.hideOutput === true ||
    options.internalSpans !== undefined ||
    options.requestContextKeys !== undefined
  )
}
