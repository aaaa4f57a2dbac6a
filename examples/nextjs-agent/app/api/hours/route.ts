import { after } from 'next/server'
import { extract, flush, init, span } from 'polyspan/edge'

// There is no engine here: spans go to the relay of the application's own server.
export const runtime = 'edge'

export function GET(request: Request) {
  init({ relay: new URL('/api/polyspan', request.url).href })
  after(() => flush())
  return span('opening hours', { parent: extract(request.headers) }, (hours) => {
    hours.set('desk.days', 5)
    return Response.json({ open: 'Monday to Friday, 9 to 17' })
  })
}
