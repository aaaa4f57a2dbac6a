// OpenTelemetry's stock instrumentation packages with real servers: what they record through our provider is what they
// record through the stock SDK, for the same run.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { printed, settled } from '../stock'
import { kafka, postgresql, rabbitmq, redis, type Server } from './servers'

const program = join(__dirname, '..', '..', 'test', 'servers', 'program.cjs')

const LIBRARIES: [string, () => Promise<Server>, string[]][] = [
  ['ioredis', redis, ['connect', 'set', 'get', 'incr', 'multi', 'hset', 'lpush']],
  ['pg', postgresql, ['pg.connect', 'pg.query:INSERT postgres', 'pg-pool.connect']],
  ['amqplib', rabbitmq, ['publish <default>', 'orders process']],
  ['kafkajs', kafka, ['send orders', 'process orders']],
]

for (const [library, start, names] of LIBRARIES) {
  test(`${library} records through our provider what it records through the stock SDK`, async () => {
    const server = await start()
    try {
      const run = async (way: string) => settled(await printed([program, way, library, `${server.port}`]))
      const stock = await run('stock')
      assert.deepEqual(await run('polyspan'), stock)
      const recorded = stock.filter((span) => span.scope[0] === `@opentelemetry/instrumentation-${library}`)
      for (const name of names)
        assert.ok(
          recorded.some((span) => span.name === name),
          name,
        )
    } finally {
      await server.close()
    }
  })
}
