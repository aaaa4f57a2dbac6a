// Programs under OpenTelemetry's instrumentation packages, run with our provider and with the stock SDK: starting them,
// and their spans in a form that can be compared.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Json } from './vectors'

/** Runs Node.js with these arguments, in a process of its own, and gives what it prints. */
export async function printed(args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = spawn(process.execPath, args, {
    cwd: join(__dirname, '..'),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (part) => {
    out += part
  })
  child.stderr.on('data', (part) => {
    err += part
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(code, 0, err)
  return out
}

/** The spans without what differs from run to run: ids, times, ports, and the frames of whoever records. */
export function settled(text: string): Json[] {
  const spans: Json[] = JSON.parse(text)
  const byId = new Map(spans.map((span) => [span.id, span]))
  const path = (span: Json): string => {
    const above = byId.get(span.parent)
    return above === undefined ? (span.parent === undefined ? '' : 'missing') : `${path(above)}/${above.name}`
  }
  const plain = (key: string, value: Json): Json => {
    if (key.endsWith('.port')) return typeof value
    if (key === 'exception.stacktrace') return value.length > 0
    return typeof value === 'string' ? value.replace(/:\d{4,5}\b/g, ':PORT') : value
  }
  const found = spans.map((span) => {
    const { id: _, parent: __, attributes, links, ...rest } = span
    const sorted = Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)))
    const linked = links.map((id: string) => path({ parent: id }))
    return JSON.parse(
      JSON.stringify({ path: path(span), ...rest, attributes: sorted, links: linked }),
      (key, value) => (key === '' ? value : plain(key, value)),
    )
  })
  const order = new Map(found.map((span) => [span, JSON.stringify(span)]))
  return found.sort((a, b) => ((order.get(a) as string) < (order.get(b) as string) ? -1 : 1))
}
