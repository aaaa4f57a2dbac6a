// Leaves a page in a real browser while it has something to hand in, and says what arrived at the relay.
//
//     node leaving.mjs FOLDER
//
// FOLDER has `polyspan` and `playwright-core` among its packages. `test_nextjs.py` runs it. Prints a line of JSON: what
// the page counted when the browser had no room for what it handed in, what it counted later, and the names that arrived.

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
const handler = relay({ engine })
const PAGE = `<script type="module">
  import * as polyspan from '/browser.mjs'
  polyspan.init({ relay: '/relay', io: true, valueBytes: 40000 })
  window.polyspan = polyspan
</script>`
/** Requests that fill what may be under way, until they are answered. */
const held = []
let origin

const server = createServer(async (request, response) => {
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  const { method, url } = request
  if (url === '/held') {
    held.push(response)
  } else if (url === '/relay') {
    const headers = new Headers(Object.entries(request.headers))
    const answer = await handler(new Request(origin + url, { method, headers, body: Buffer.concat(pieces) }))
    response.writeHead(answer.status).end()
  } else if (url === '/browser.mjs') {
    response.setHeader('content-type', 'text/javascript').end(readFileSync(entry))
  } else {
    response.setHeader('content-type', 'text/html').end(url === '/' ? PAGE : 'elsewhere')
  }
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
origin = `http://127.0.0.1:${server.address().port}`

/** The names of the spans that arrived, once there are so many. */
async function arrived(count) {
  for (const bound = Date.now() + WITHIN; exporter.spans.length < count && Date.now() < bound; ) {
    await new Promise((done) => setTimeout(done, 20))
    await engine.flush()
  }
  return exporter.spans.map(({ name }) => name)
}

const known = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = known.find((path) => path !== undefined && path !== '' && existsSync(path))
const switches = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-dev-shm-usage']
const browser = await chromium.launch({ executablePath, args: switches, timeout: WITHIN })
try {
  const page = await browser.newPage()
  page.setDefaultTimeout(WITHIN)
  page.on('pageerror', (error) => console.error(`page: ${error.stack ?? error}`))
  await page.goto(origin)
  await page.waitForFunction(() => 'polyspan' in window)
  const refused = await page.evaluate(() => {
    navigator.sendBeacon('/held', 'x'.repeat(60_000))
    polyspan.span('refused', { input: 'x'.repeat(35_000) }, () => undefined)
    // As it is when another tab is in front; that cannot be had without a screen.
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
    delete document.visibilityState
    return polyspan.stats()
  })
  for (const bound = Date.now() + WITHIN; held.length === 0 && Date.now() < bound; )
    await new Promise((done) => setTimeout(done, 20))
  for (const response of held) response.end()
  await page.waitForFunction(() => polyspan.stats().pending === 0)
  const later = await page.evaluate(() => polyspan.stats())
  // One is under way by itself when the page goes, and another one waits.
  await page.evaluate(() => {
    polyspan.span('under way', () => undefined)
    void polyspan.flush()
    polyspan.span('waiting', () => undefined)
    location.href = '/elsewhere'
  })
  await page.waitForURL('**/elsewhere')
  console.log(JSON.stringify({ refused, later, arrived: await arrived(3) }))
} finally {
  await browser.close()
  server.closeAllConnections()
  server.close()
  await engine.shutdown()
}
