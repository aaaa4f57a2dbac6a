// The data of the workload (`benches/workload.json`): the same texts as `python/workload.py` makes.

const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const SPANS_PER_TRACE = 8
const PAGE = join(__dirname, '..', 'workload.json')
const MASK = (1n << 64n) - 1n

/** A linear congruential generator (Knuth's MMIX constants). */
class Words {
  constructor(seed, words) {
    this.state = BigInt(seed)
    this.words = words
  }

  next() {
    this.state = (this.state * 6364136223846793005n + 1442695040888963407n) & MASK
    return Number(this.state >> 33n)
  }

  text(length) {
    let text = ''
    while (text.length < length) text += `${this.words[this.next() % this.words.length]} `
    // Flat, as texts from a socket or a parser are.
    return Buffer.from(text.slice(0, length)).toString()
  }

  facts() {
    return {
      request: this.text(20),
      component: this.text(20),
      region: this.text(20),
      attempt: this.next() % 100,
      score: (this.next() % 10_000) / 10_000,
      cached: (this.next() & 1) === 0,
    }
  }

  model() {
    return {
      input: this.text(1000),
      output: this.text(1000),
      position: this.next() % 1000,
      finish: this.text(20),
      tokens: this.next() % 5000,
      unit: this.text(20),
    }
  }
}

const NAMES = ['agent', 'plan', 'lookup', 'query', 'answer', 'recall', 'notify', 'calendar']

/** The turns of the page; runs go round them. */
function turns() {
  const { text } = JSON.parse(readFileSync(PAGE, 'utf8'))
  const words = new Words(text.seed, text.words)
  return Array.from({ length: text.turns }, () => {
    const turn = {}
    for (const name of NAMES) turn[name] = words.facts()
    turn.planModel = words.model()
    turn.answerModel = words.model()
    return turn
  })
}

module.exports = { PAGE, SPANS_PER_TRACE, turns }
