// `tests/vectors/presets.json`: what a product's own variables make of the requests that are sent.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { init, log, type PolyspanError, setDefault, setLogger } from 'polyspan'
import { Receiver } from './receiving'
import { type Json, under, vectors } from './vectors'

setLogger(() => undefined)
/** A receiver that stands where the product would. */
const receiver = new Receiver()
before(() => receiver.open())
after(() => receiver.close())

async function sends(given: Json, { headers, logs }: Json): Promise<void> {
  const described = typeof given === 'string' ? { type: 'otlp', preset: given } : given
  const exporter = { ...described, endpoint: receiver.endpoint }
  const engine = init('tests', { name: 'presets', exporter, replace: true })
  setDefault('presets')
  receiver.take()
  engine.span('sent', () => 1)
  assert.equal(log('info', 'sent too'), logs !== undefined)
  await engine.shutdown()
  const received = receiver.take()
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
