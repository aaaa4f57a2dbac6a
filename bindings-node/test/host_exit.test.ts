// The end of a program whose exporters are its own: what had ended is delivered, and nothing hangs.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  out: string[]
  err: string
}

/** Runs a program in a process of its own, which is killed if it does not end by itself. */
function run(
  program: string,
  more: (child: ReturnType<typeof spawn>) => void = () => undefined,
): Promise<Ended> {
  const head =
    "const ps = require('polyspan'); const say = (...w) => require('fs').writeSync(1, w.join(' ') + '\\n');"
  const child = spawn(process.execPath, ['-e', `${head}\n${program}`], {
    cwd: join(__dirname, '..'),
    stdio: ['pipe', 'pipe', 'pipe'],
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
  more(child)
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, out: out.split('\n').filter(Boolean), err }))
  })
}

const PLAIN = `
  const plain = {
    name: 'plain',
    export: (spans) => say('exported', spans.map((span) => span.name)),
    flush: () => say('flushed'),
    shutdown: () => say('stopped'),
  }
`
const WAITING = `
  const waiting = {
    name: 'waiting',
    async export(spans) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      say('awaited', spans.map((span) => span.name))
    },
  }
`

test('a program that runs to its end delivers to exporters of either kind', async () => {
  const ended = await run(`${PLAIN} ${WAITING}
    ps.init('x', { exporters: [plain, waiting] })
    ps.span('last', () => 1)
  `)
  assert.deepEqual([ended.code, ended.err], [0, ''])
  assert.ok(ended.out.includes('exported last'))
  assert.ok(ended.out.includes('awaited last'))
  assert.equal(ended.out.at(-1), 'stopped')
})

test('the stage keeps no program alive', async () => {
  const ended = await run(`${PLAIN} ps.init('x', { exporters: [plain] })`)
  assert.deepEqual([ended.code, ended.err], [0, ''])
})

test('process.exit delivers to functions, and does not wait for promises', async () => {
  const ended = await run(`${PLAIN}
    const never = { name: 'never', export: () => new Promise(() => undefined) }
    ps.init('x', { exporters: [plain, never], exitTimeout: 20 })
    ps.span('last', () => 1)
    process.exit(3)
  `)
  assert.deepEqual([ended.code, ended.out], [3, ['exported last', 'flushed', 'stopped']])
})

test('an exception that nobody catches loses nothing that had ended', async () => {
  const ended = await run(`${PLAIN}
    ps.init('x', { exporters: [plain] })
    ps.span('last', () => 1)
    throw new Error('unexpected')
  `)
  assert.deepEqual([ended.code, ended.out[0]], [1, 'exported last'])
  assert.match(ended.err, /unexpected/)
})

test('a signal waits for promises within the bound, and stays the signal', async () => {
  const ended = await run(
    `${PLAIN} ${WAITING}
    ps.init('x', { exporters: [plain, waiting] })
    setInterval(() => undefined, 1000)
    ps.span('last', () => 1)
    say('ready')
  `,
    (child) => {
      child.stdout?.once('data', () => child.kill('SIGTERM'))
    },
  )
  assert.equal(ended.signal, 'SIGTERM')
  assert.ok(ended.out.includes('awaited last'))
  assert.equal(ended.out.at(-1), 'stopped')
})

test('leaving does not wait for one that hangs beyond the bound', async () => {
  const ended = await run(`${PLAIN}
    const hanging = { name: 'hanging', onSpanEnded: () => new Promise(() => setInterval(() => undefined, 1000).unref()) }
    ps.init('x', { exporters: [plain, hanging], exitTimeout: 0.2 })
    ps.span('last', () => 1)
  `)
  assert.deepEqual([ended.code, ended.out[0]], [0, 'exported last'])
})

test('a worker delivers what its own exporters have to get', async () => {
  const ended = await run(`
    const { Worker, isMainThread } = require('worker_threads')
    const body = ${JSON.stringify(`
      const ps = require('polyspan')
      const say = (...w) => require('fs').writeSync(1, w.join(' ') + '\\n')
      ps.init('x', { exporters: [
        { name: 'mine', export: (spans) => say('exported', spans.map((span) => span.name)) },
        { name: 'slow', async export(spans) { await null; say('awaited', spans.map((span) => span.name)) } },
      ] })
      ps.span('of the worker', () => 1)
    `)}
    const worker = new Worker(body, { eval: true })
    worker.on('exit', (code) => {
      say('worker', code)
      // Nobody is there to take it.
      ps.span('of the process', () => 1)
      ps.shutdown({ timeout: 20 }).then(() => say('shut down'), (error) => say(error.code))
    })
  `)
  assert.equal(ended.code, 0, ended.err)
  assert.deepEqual(ended.out.slice(0, 2).sort(), ['awaited of the worker', 'exported of the worker'])
  assert.deepEqual(ended.out.slice(2), ['worker 0', 'shut down'])
})
