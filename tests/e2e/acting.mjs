// Acts on a page in a real browser that records by itself and hands in to a server of another origin, and says what the
// servers saw and what arrived at the relay.
//
//     node acting.mjs FOLDER
//
// FOLDER has `polyspan` and `playwright-core` among its packages. `test_nextjs.py` runs it. Prints a line of JSON: the spans
// by name with those they are below, the requests that the other server got, and what the page counted.

import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const WITHIN = 120_000
const folder = process.argv[2]
const load = createRequire(join(folder, 'package.json'))
const { chromium } = load('playwright-core')
const { init, MemoryExporter } = load('polyspan')
const { relay } = load('polyspan/relay')
const entry = join(folder, 'node_modules', 'polyspan', 'dist', 'browser.mjs')

const exporter = new MemoryExporter()
const engine = init('page', { exporter })

async function listening(answer) {
  const server = createServer(async (request, response) => {
    const pieces = []
    for await (const piece of request) pieces.push(piece)
    await answer(request, response, Buffer.concat(pieces))
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return { server, origin: `http://127.0.0.1:${server.address().port}` }
}

/** What the page's own server got of a form with a file. */
let form = ''
const own = await listening((request, response, body) => {
  const { url } = request
  if (url === '/browser.mjs') {
    response.setHeader('content-type', 'text/javascript').end(readFileSync(entry))
  } else if (url === '/form') {
    form = body.toString()
    response.end()
  } else if (url === '/torn') {
    request.socket.destroy()
  } else {
    response.setHeader('content-type', 'text/html').end(url === '/' ? page() : '')
  }
})
/** Requests of strangers, as the other server has them. */
const strangers = []
const other = await listening(async ({ method, url, headers: given }, response, body) => {
  if (url !== '/relay') {
    strangers.push([method, url, given.traceparent ?? ''])
    response.setHeader('access-control-allow-origin', '*').end()
    return
  }
  const headers = new Headers(Object.entries(given))
  const asked = new Request(other.origin + url, { method, headers, ...(method === 'POST' ? { body } : {}) })
  const answer = await handler(asked)
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end()
})
const handler = relay({ engine, origins: [own.origin] })
// Recording begins after it was asked to look at what the page does, as it happens in applications of several files.
const page = () => `<form id="order"><input name="id" type="hidden"><button id="go">Go</button></form>
<script type="module">
  import * as polyspan from '/browser.mjs'
  polyspan.instrument()
  polyspan.init({ relay: '${other.origin}/relay' })
  document.querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault()
    polyspan.span('ordered', () => undefined)
  })
  window.polyspan = polyspan
</script>`

const known = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = known.find((path) => path !== undefined && path !== '' && existsSync(path))
const switches = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-dev-shm-usage']
const browser = await chromium.launch({ executablePath, args: switches, timeout: WITHIN })
try {
  const page = await browser.newPage()
  page.setDefaultTimeout(WITHIN)
  page.on('pageerror', (error) => console.error(`page: ${error.stack ?? error}`))
  await page.goto(own.origin)
  await page.waitForFunction(() => 'polyspan' in window)
  await page.click('#go')
  const counted = await page.evaluate(async (elsewhere) => {
    await new Promise((done) => setTimeout(done, 10))
    polyspan.span('later', () => undefined)
    const body = new FormData()
    body.set('file', new Blob(['all of the file']), 'a.txt')
    await fetch('/form', { method: 'POST', body })
    await fetch(`${elsewhere}/plain`)
    await fetch(`${elsewhere}/silent`, { mode: 'no-cors', method: 'POST', body: 'x' })
    const waited = new XMLHttpRequest()
    waited.open('GET', '/torn', false)
    try {
      waited.send()
    } catch {
      // Its span has ended.
    }
    await polyspan.flush()
    return polyspan.stats()
  }, other.origin)
  await page.evaluate(() => {
    polyspan.span('leaving', () => undefined)
    location.href = '/elsewhere'
  })
  await page.waitForURL('**/elsewhere')
  const arrived = (name) => exporter.spans.some((span) => span.name === name)
  for (const bound = Date.now() + WITHIN; !arrived('leaving') && Date.now() < bound; ) {
    await new Promise((done) => setTimeout(done, 20))
    await engine.flush()
  }
  const named = new Map(exporter.spans.map(({ spanId, name }) => [spanId, name]))
  const spans = exporter.spans.map(({ name, parentSpanId, attributes }) => {
    const url = attributes['url.full']
    return [url === undefined ? name : `${name} ${new URL(url).pathname}`, named.get(parentSpanId) ?? '']
  })
  console.log(JSON.stringify({ spans, strangers, counted, whole: form.includes('all of the file') }))
} finally {
  await browser.close()
  for (const { server } of [own, other]) {
    server.closeAllConnections()
    server.close()
  }
  await engine.shutdown()
}
