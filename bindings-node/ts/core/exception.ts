// Errors as text: their type, message and stack with the causes, never throwing while doing so.

export interface ErrorParts {
  type: string
  message: string
  stack: string
}

/** Causes behind causes that are followed. */
const CAUSES = 8

/** What an `exception` event holds (OpenTelemetry semantic conventions, "Exceptions on spans"). */
export function errorParts(error: unknown): ErrorParts {
  try {
    if (typeof error === 'object' && error !== null && 'message' in error) {
      const found = error as { name?: unknown; message?: unknown; constructor?: { name?: string } }
      const own = typeof found.name === 'string' && found.name !== '' ? found.name : undefined
      const type = own && own !== 'Error' ? own : (found.constructor?.name ?? own ?? 'Error')
      return { type, message: String(found.message), stack: stackOf(error) }
    }
    return {
      type: typeof error === 'object' && error ? error.constructor.name : 'error',
      message: String(error),
      stack: '',
    }
  } catch {
    return { type: 'error', message: '[unreadable]', stack: '' }
  }
}

function stackOf(error: object): string {
  let stack = ''
  let at: unknown = error
  for (let depth = 0; depth < CAUSES && typeof at === 'object' && at !== null; depth++) {
    const own = (at as { stack?: unknown }).stack
    const shown = typeof own === 'string' ? own : String(at)
    stack += stack === '' ? shown : `\nCaused by: ${shown}`
    at = (at as { cause?: unknown }).cause
  }
  return typeof at === 'string' ? `${stack}\nCaused by: ${at}` : stack
}
