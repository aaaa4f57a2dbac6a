// A server under load while the receiver of its spans is killed and comes back: every request is answered, and every
// span arrives.

import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { Agent, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { application, PROGRAMS, Receiver } from './program'

const REQUESTS = 600
const AT_ONCE = 8

/** An address that stays while the receiver behind it comes and goes; without one, connections are reset. */
class Address {
  private readonly sockets = new Set<Socket>()
  private port: number | undefined
  private readonly server = createServer((client) => {
    if (this.port === undefined) {
      client.on('error', () => undefined).resetAndDestroy()
      return
    }
    const there = connect(this.port, '127.0.0.1')
    for (const [socket, other] of [
      [client, there],
      [there, client],
    ] as const) {
      this.sockets.add(socket)
      socket
        .on('error', () => undefined)
        .on('close', () => {
          this.sockets.delete(socket)
          other.destroy()
        })
      socket.pipe(other)
    }
  })

  async open(receiver: Receiver): Promise<string> {
    this.lead(receiver)
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  lead(receiver: Receiver | undefined): void {
    this.port = receiver && Number(new URL(receiver.endpoint).port)
    if (receiver === undefined) for (const socket of this.sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.server.close()
    await once(this.server, 'close')
  }
}

/** Requests, a few at once; how long each took, in milliseconds. */
async function load(port: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const took: number[] = []
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const start = performance.now()
      get({ port, host: '127.0.0.1', path: '/orders', agent }, (response) => {
        assert.equal(response.statusCode, 200)
        response.resume().on('end', () => {
          took.push(performance.now() - start)
          resolve()
        })
      }).on('error', reject)
    })
  const client = async () => {
    for (let i = 0; i < REQUESTS / AT_ONCE; i++) await one()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, client))
  agent.destroy()
  return took.sort((a, b) => a - b)
}

async function said<T>(server: ChildProcess): Promise<T> {
  const ended = once(server, 'exit').then(([code]) => {
    throw new Error(`the server ended with ${code}`)
  })
  return (await Promise.race([once(server, 'message'), ended]))[0] as T
}

test('a receiver that is killed and comes back costs no request and no span', async (context) => {
  const app = application(false)
  cpSync(PROGRAMS, app, { recursive: true })
  const address = new Address()
  const first = await Receiver.start()
  const endpoint = await address.open(first)
  const clean = Object.entries(process.env).filter(([name]) => !/^(OTEL_|NODE_OPTIONS|NODE_TEST)/.test(name))
  const server = fork(join(app, 'server.mjs'), {
    cwd: app,
    env: { ...Object.fromEntries(clean), OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: 'server' },
  })
  let second: Receiver | undefined
  try {
    const { port } = await said<{ port: number }>(server)
    const tell = (when: string, took: number[]) => {
      const at = (share: number) => took[Math.floor((took.length - 1) * share)]?.toFixed(1)
      context.diagnostic(`${when}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`)
      assert.equal(took.length, REQUESTS)
    }
    tell('with a receiver', await load(port))
    address.lead(undefined)
    // What it has taken until now, whatever it could still answer.
    const before = await first.kill()
    tell('without one', await load(port))
    second = await Receiver.start()
    address.lead(second)
    tell('with one again', await load(port))
    server.send('stop')
    const counted = await said<{ ended: number; exported: number; dropped: object; addsUp: boolean }>(server)
    const ended = REQUESTS * 3 * 2
    assert.deepEqual(counted, { ended, exported: ended, dropped: {}, addsUp: true })
    await second.spans('server', ended - before.size)
    assert.equal(new Set([...before, ...(await second.kill())]).size, ended)
    second = undefined
  } finally {
    server.kill('SIGKILL')
    await second?.close()
    await address.close()
  }
})
