// Worker threads: some end by themselves, some are asked by a flush, some are killed.

import assert from 'node:assert/strict'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { flush, init, shutdown, span, stats } from 'polyspan'

if (isMainThread) {
  const engine = init()
  const workers = []
  for (const how of ['ends', 'parks', 'ends', 'parks']) {
    const worker = new Worker(new URL(import.meta.url), { workerData: how })
    const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    workers.push({ worker, how, ended })
  }
  span('main', () => undefined)
  for (const { how, ended } of workers) if (how === 'ends') await ended
  await flush({ timeout: 30 })
  assert.equal(stats().exported, 5)
  for (const { worker, how } of workers) if (how === 'parks') await worker.terminate()
  assert.ok(engine.stats().addsUp)
  await shutdown({ timeout: 30 })
  console.log('recorded 5 true')
} else {
  span(workerData, () => undefined)
  parentPort.postMessage('recorded')
  if (workerData === 'parks') setInterval(() => undefined, 1000)
}
