// A program that knows nothing of telemetry: a server in the manner of modules, and a request to it.

import express from 'express'

const app = express()
app.get('/users/:id', (request, response) => response.json({ id: request.params.id }))
const server = app.listen(0, '127.0.0.1', async () => {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/users/7`)
  console.log('answered', (await answer.json()).id)
  server.closeAllConnections()
  server.close()
})
