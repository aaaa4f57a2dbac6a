// Writes `ts/spans.ts` from the table of span types, which is the core's (tests/vectors/semantics.json, as for the
// other languages). A test compares the two.
//
//     node tools/spans.mjs

import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const TABLE = join(here, '..', 'tests', 'vectors', 'semantics.json')
export const MODULE = join(here, 'ts', 'spans.ts')

/** What the values of attributes are in TypeScript. */
const FORMS = {
  Text: 'string',
  Integer: 'number',
  Number: 'number',
  Truth: 'boolean',
  Texts: 'string | readonly string[]',
  Time: 'Date | number | string',
  Any: 'unknown',
  Provider: 'string',
  Usage: 'Usage | Readonly<Record<string, unknown>>',
  UsageBelow: 'Usage | Readonly<Record<string, unknown>>',
  Parameters: 'Readonly<Record<string, unknown>>',
  Tools: 'readonly unknown[] | Readonly<Record<string, unknown>>',
  Instructions: 'string | readonly unknown[]',
  FirstOutput: 'Date | number | string',
}

const HEAD = `// Spans by their type: for each a function that records one, with its attributes as typed options.
//
// \`tool('search', { toolCallId: 'c1', input: query }, body)\` is \`span('search', { type: 'tool', ... }, body)\` with
// options that an editor completes and the compiler knows. What the attributes are called on the wire stands in
// \`docs/ai-spans.md\`.
//
// Written by \`tools/spans.mjs\` from the table of span types.

import { typed } from './typed'

/** What the tokens of the input or output are. */
export interface TokenDetails {
  text?: number
  image?: number
  audio?: number
  cacheRead?: number
  cacheWrite?: number
  cacheWrite5m?: number
  cacheWrite1h?: number
  reasoning?: number
}

/** Token counts of a call. The names that providers and libraries use are understood as well. */
export interface Usage {
  /** tokens of the input, cached ones included */
  inputTokens?: number
  /** tokens of the output, reasoning included */
  outputTokens?: number
  totalTokens?: number
  inputDetails?: TokenDetails
  outputDetails?: TokenDetails
}
`

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase())
const title = (name) => camel(`_${name}`)

/** What the file is to hold. */
export function rendered() {
  const { types } = JSON.parse(readFileSync(TABLE, 'utf8'))
  const parts = types.map(({ type, about, attributes }) => {
    const members = attributes.map(
      ({ name, form, about }) => `  /** ${about} */\n  ${camel(name)}?: ${FORMS[form]}\n`,
    )
    const body = members.length > 0 ? `{\n${members.join('')}}` : '{}'
    return `
/** Attributes of spans of type \`${type}\`. */
export interface ${title(type)}Attributes ${body}

/** ${about}. */
export const ${camel(type)} = typed<${title(type)}Attributes>('${type}')
`
  })
  return HEAD + parts.join('')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(MODULE, rendered())
