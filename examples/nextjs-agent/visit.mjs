// Opens the application in a real browser, asks, and waits for the answer.
//
//     node visit.mjs URL [SCREENSHOT]
//
// Prints the answer; with STAY the browser stays until the standard input ends. The browser is Chromium: `CHROMIUM`,
// or what is installed as one.

import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

const [url, screenshot] = process.argv.slice(2)
const known = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = known.find((path) => path !== undefined && path !== '' && existsSync(path))
if (executablePath === undefined) throw new Error('no Chromium is installed: set CHROMIUM to one')

const switches = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
const quiet = ['--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update', '--disable-sync']
const browser = await chromium.launch({ executablePath, args: [...switches, ...quiet], timeout: 120_000 })
try {
  const page = await browser.newPage()
  page.setDefaultTimeout(120_000)
  page.on('pageerror', (error) => console.error(`page: ${error.stack ?? error}`))
  page.on('console', (line) => line.type() === 'error' && console.error(`page: ${line.text()}`))
  await page.goto(url)
  // Filled in by what runs in the page, so that it is alive.
  await page.waitForFunction(() => document.querySelector('#hours')?.textContent !== '')
  // What the page posts when it is done says that all of its spans are under way.
  const posted = page.waitForResponse(async (reply) =>
    reply.url().endsWith('/api/polyspan') && reply.request().postDataBuffer()?.includes('ask the desk') === true,
  )
  await page.click('#ask')
  await page.waitForFunction(() => document.querySelector('#answer')?.textContent?.includes('30 days'))
  const reply = await posted
  if (screenshot !== undefined) await page.screenshot({ path: screenshot })
  console.log(JSON.stringify({ answer: await page.textContent('#answer'), relay: reply.status() }))
  // The last that the page does, whose span nothing but its end hands in.
  const left = page.waitForURL('about:blank')
  await page.evaluate(() => {
    const request = new XMLHttpRequest()
    request.open('PUT', '/api/hours')
    request.onloadend = () => {
      location.href = 'about:blank'
    }
    request.send()
  })
  await left
  // What a page hands in while it is left goes its own way; the browser has to be there for it.
  if (process.env.STAY !== undefined) await new Promise((done) => process.stdin.on('end', done).resume())
} finally {
  await browser.close()
}
