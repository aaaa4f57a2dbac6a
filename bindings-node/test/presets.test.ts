// `tests/vectors/presets.json`: what a product's own variables make of the requests that are sent.

import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { init, log, type PolyspanError, setDefault, setLogger } from 'polyspan'
import { type Json, vectors } from './vectors'

setLogger(() => undefined)
/** A receiver that stands where the product would. */
let server: Server
let received: { path: string | undefined; headers: IncomingHttpHeaders }[] = []
before(async () => {
  server = createServer((request, response) => {
    const { url: path, headers } = request
    request.resume()
    received.push({ path, headers })
    response.setHeader('content-type', 'application/x-protobuf').end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
})
after(async () => {
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
})

/** Runs `body` with these variables of the environment. */
async function under(env: Record<string, string>, body: () => Promise<void>): Promise<void> {
  Object.assign(process.env, env)
  try {
    await body()
  } finally {
    for (const name of Object.keys(env)) delete process.env[name]
  }
}

async function sends(given: Json, { headers, logs }: Json): Promise<void> {
  const { port } = server.address() as AddressInfo
  const described = typeof given === 'string' ? { type: 'otlp', preset: given } : given
  const exporter = { ...described, endpoint: `http://127.0.0.1:${port}` }
  const engine = init('tests', { name: 'presets', exporter, replace: true })
  setDefault('presets')
  received = []
  engine.span('sent', () => 1)
  assert.equal(log('info', 'sent too'), logs !== undefined)
  await engine.shutdown()
  const paths = received.map(({ path }) => path).sort()
  assert.deepEqual(paths, logs === undefined ? ['/v1/traces'] : ['/v1/logs', '/v1/traces'])
  for (const { headers: found } of received) {
    for (const [name, value] of Object.entries(headers)) assert.equal(found[name.toLowerCase()], value, name)
    assert.equal(found['x-secret'], undefined)
  }
}

for (const { name, env, exporter, says, ...expected } of vectors('presets.json').cases) {
  test(`presets: ${name}`, () =>
    under(env, async () => {
      if (says === undefined) return sends(exporter, expected)
      assert.throws(
        () => init('tests', { name: 'presets', exporter, replace: true }),
        ({ code, message }: PolyspanError) =>
          code === 'invalid_option' && says.every((part: string) => message.includes(part)),
      )
    }))
}
