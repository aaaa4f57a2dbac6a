// A web server that records each request and something inside it, until it is told to stop; then it says what it counted.

import { createServer } from 'node:http'
import { init, shutdown, span } from 'polyspan'

const engine = init()
const server = createServer((request, response) => {
  span('request', { kind: 'server', attributes: { 'url.path': request.url } }, async () => {
    await span('work', () => new Promise((resolve) => setImmediate(resolve)))
    response.end('ok')
  })
})
// A machine that stands still for five seconds must not cut the connection of a client that has just written to it.
server.keepAliveTimeout = 0
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.once('message', async () => {
  server.close()
  server.closeAllConnections()
  await shutdown({ timeout: 60 })
  const { ended, exported, dropped, addsUp } = engine.stats()
  process.send({ ended, exported, dropped, addsUp }, () => process.disconnect())
})
