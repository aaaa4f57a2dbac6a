// Answers requests through `handler`: what the client sees is what it would see without it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { flush, init } from 'polyspan'
import { handler } from 'polyspan/http'

const folder = mkdtempSync(join(tmpdir(), 'polyspan-'))
const path = join(folder, 'answer.txt')
writeFileSync(path, 'hello world')
const { Bun, Deno } = globalThis

/** A server behind this one, whose answers `fetch` unpacks. */
const behind = createServer((_request, response) => {
  const packed = gzipSync('hello '.repeat(50))
  response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed)
})
behind.listen(0, '127.0.0.1')
await once(behind, 'listening')

const answers = {
  '/text': () => new Response('hello'),
  '/json': () => Response.json({ a: 1 }),
  '/file': () => new Response(Bun === undefined ? 'hello world' : Bun.file(path)),
  '/stream': () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          controller.enqueue(new TextEncoder().encode('piece'))
          controller.close()
        },
      }),
    ),
  // What Bun passes on it sends as packed, which it is not: nobody can read that with or without a span.
  ...(Bun === undefined ? { '/behind': () => fetch(`http://127.0.0.1:${behind.address().port}/`) } : {}),
}
const asked = Object.keys(answers)
const plain = (request) => answers[new URL(request.url).pathname]()

/** Serves with what the runtime has; Node.js has nothing of the kind, and is asked directly. */
async function served(serve, ask) {
  if (Bun !== undefined) {
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: serve })
    await ask((path) => fetch(`http://127.0.0.1:${server.port}${path}`))
    await server.stop()
  } else if (Deno !== undefined) {
    const server = Deno.serve({ port: 0, hostname: '127.0.0.1', onListen: () => undefined }, serve)
    await ask((path) => fetch(`http://127.0.0.1:${server.addr.port}${path}`))
    await server.shutdown()
  } else {
    await ask((path) => serve(new Request(`http://example.com${path}`)))
  }
}

async function seen(serve) {
  const found = []
  await served(serve, async (ask) => {
    for (const path of asked) {
      const response = await ask(path)
      const { headers } = response
      // Deno does not tell a text from a stream, and sends both in pieces.
      const length = Deno === undefined ? headers.get('content-length') : undefined
      found.push([path, headers.get('content-type'), length, await response.text()])
    }
  })
  return found
}

init()
assert.deepEqual(await seen(handler(plain)), await seen(plain))
await flush()
rmSync(folder, { recursive: true })
behind.closeAllConnections()
behind.close()
console.log('recorded', asked.length, true)
