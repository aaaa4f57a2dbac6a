// The other side of the row with a server, in a process of its own: the clients, and the way to the collector, which is
// cut and restored while they ask. `serving.cjs` starts it and says where the server listens; it answers with how long
// the answers took.
//
//     load.cjs SINK_URL REQUESTS

const { once } = require('node:events')
const { Agent, get } = require('node:http')
const { connect, createServer } = require('node:net')
const { setTimeout: sleep } = require('node:timers/promises')

/** Clients, and how long each waits between an answer and its next request, in milliseconds. */
const CLIENTS = 8
const THINKING = 8

/** An address that stays while the collector behind it comes and goes. Where there is none, connections are reset. */
class Gate {
  constructor(sink) {
    this.sink = new URL(sink)
    this.isOpen = true
    this.sockets = new Set()
    this.server = createServer((client) => {
      if (!this.isOpen) {
        client.on('error', () => undefined).resetAndDestroy()
        return
      }
      const there = connect(Number(this.sink.port), this.sink.hostname)
      for (const [socket, other] of [
        [client, there],
        [there, client],
      ]) {
        this.sockets.add(socket)
        socket.on('error', () => undefined).on('close', () => {
          this.sockets.delete(socket)
          other.destroy()
        })
        socket.pipe(other)
      }
    })
  }

  async listen() {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return `http://127.0.0.1:${this.server.address().port}`
  }

  turn(isOpen) {
    this.isOpen = isOpen
    if (!isOpen) for (const socket of this.sockets) socket.resetAndDestroy()
  }
}

/** So many requests; how long each took from its first byte to the end of its answer, in microseconds, sorted. */
async function ask(port, requests) {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  const took = []
  const one = () =>
    new Promise((resolve, reject) => {
      const started = performance.now()
      get({ port, host: '127.0.0.1', path: '/', agent }, (answer) => {
        answer.resume().on('end', () => {
          took.push((performance.now() - started) * 1000)
          resolve()
        })
      }).on('error', reject)
    })
  const client = async () => {
    for (let at = 0; at < requests / CLIENTS; at++) {
      await one()
      await sleep(THINKING)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  agent.destroy()
  return took.sort((a, b) => a - b)
}

const at = (took, share) => took[Math.floor((took.length - 1) * share)]

async function main() {
  const [sink, requests] = process.argv.slice(2)
  const gate = new Gate(sink)
  process.send({ address: await gate.listen() })
  const [{ port }] = await once(process, 'message')
  const answers = { requests: 0 }
  for (const [phase, isOpen] of [
    ['warm', true],
    ['alive', true],
    ['dead', false],
    ['again', true],
  ]) {
    gate.turn(isOpen)
    const took = await ask(port, Number(requests))
    answers.requests += took.length
    answers[`${phase}_p50_us`] = at(took, 0.5)
    answers[`${phase}_p99_us`] = at(took, 0.99)
  }
  process.send(answers)
  // The way to the collector stays until the server has flushed.
  await once(process, 'disconnect')
  process.exit(0)
}

main()
