// A server whose every answer records one trace, while its collector is there, is cut off, and is there again: what
// clients notice of that. `subject.cjs` calls it.

const { fork } = require('node:child_process')
const { once } = require('node:events')
const { createServer } = require('node:http')
const { join } = require('node:path')

/** Runs the phases of `load.cjs` against a server that records with what `subjectOf` makes for an address. */
async function serving(setup, subjectOf) {
  const { SPANS_PER_TRACE, turns } = require('./workload.cjs')
  const load = fork(join(__dirname, 'load.cjs'), [setup.sink, String(setup.traces)])
  const [{ address }] = await once(load, 'message')
  const subject = subjectOf({ ...setup, sink: address, export: 'otlp' })
  const data = turns()
  let next = 0
  const server = createServer((_, response) => {
    subject.trace(data[next++ % data.length])
    response.end('ok')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  load.send({ port: server.address().port })
  const [answers] = await once(load, 'message')
  await subject.flush()
  const account = await subject.stop()
  load.disconnect()
  server.close()
  const spans = answers.requests * SPANS_PER_TRACE
  return { spans, spans_with_warm_up: spans, warm_up_traces: 1, account, ...answers }
}

module.exports = { serving }
