// Ends in the way that the first argument names, while spans that have ended wait to be sent.

import { init, span } from 'polyspan'

init({ exitTimeout: 30 })
for (let i = 0; i < 50; i++) span('ended', () => undefined)
const ways = {
  'by itself': () => undefined,
  exit: () => process.exit(3),
  uncaught: () => {
    throw new Error('nobody catches this')
  },
  SIGTERM: () => {
    setInterval(() => undefined, 1000)
    process.kill(process.pid, 'SIGTERM')
  },
}
ways[process.argv[2]]()
