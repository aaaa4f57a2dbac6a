// The beginning of `../core/static_keys.ts`, which is what pages use of it.

export const STATIC_KEYS: readonly string[] = [
  '',
  'service.name',
  'error.type',
  'exception',
  'exception.type',
  'exception.message',
  'exception.stacktrace',
]
