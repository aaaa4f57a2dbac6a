// OpenTelemetry's stock instrumentation packages: the spans that they record through our provider are those that they
// record through the stock SDK, for the same program.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { printed, settled } from './stock'
import type { Json } from './vectors'

const folder = process.env.POLYSPAN_SDK3
const skip = folder === undefined ? 'they are not installed: run `cargo xtask test node`' : false
const program = join(__dirname, '..', 'test', 'sdk3', 'program.cjs')
const run = (way: string, flags: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<string> =>
  printed([...flags, program, way], env)

let stock: Json[] | undefined

test('they record through our provider what they record through the stock SDK', { skip }, async () => {
  stock = settled(await run('stock'))
  const ours = settled(await run('polyspan'))
  assert.deepEqual(ours, stock)
  const packages = new Set(stock.map((span) => span.scope[0]))
  for (const name of ['http', 'undici', 'express', 'pg']) {
    assert.ok(packages.has(`@opentelemetry/instrumentation-${name}`), name)
  }
  assert.ok(packages.has('@fastify/otel') && packages.has('@hono/otel'))
  assert.ok(stock.length > 40)
})

/** The contents of the fields of that number in a message of protobuf. */
function fields(message: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = []
  let at = 0
  const varint = (): number => {
    let [value, scale] = [0, 1]
    for (;;) {
      const byte = message[at++] as number
      value += (byte & 127) * scale
      scale *= 128
      if (byte < 128) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const kind = tag & 7
    if (kind === 0) varint()
    else if (kind === 2) {
      const length = varint()
      if (tag >>> 3 === wanted) found.push(message.subarray(at, at + length))
      at += length
    } else at += kind === 1 ? 8 : 4
  }
  return found
}

test('without any code, by --import polyspan/register', { skip }, async () => {
  const names: string[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      for (const resource of fields(Buffer.concat(parts), 1)) {
        for (const scope of fields(resource, 2)) {
          for (const span of fields(scope, 2)) names.push(...fields(span, 5).map(String))
        }
      }
      response.setHeader('content-type', 'application/x-protobuf').end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as { port: number }
    await run('register', ['--import', 'polyspan/register'], {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
    })
    stock ??= settled(await run('stock'))
    assert.deepEqual(names.sort(), stock.map((span) => span.name).sort())
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
