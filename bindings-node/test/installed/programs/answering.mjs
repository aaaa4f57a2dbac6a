// Answers requests through `handler`: what the client sees is what it would see without it.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { flush, init } from 'polyspan'
import { handler } from 'polyspan/http'

const folder = mkdtempSync(join(tmpdir(), 'polyspan-'))
const path = join(folder, 'answer.txt')
writeFileSync(path, 'hello world')
const { Bun, Deno } = globalThis

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
}
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
    for (const path of Object.keys(answers)) {
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
console.log('recorded 4 true')
