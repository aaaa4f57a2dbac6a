// How often somebody may post: a bucket of tokens for each client, of which the server keeps a bounded number.

/** So many a second, and so many at once after a pause. */
export interface Rate {
  perSecond: number
  burst: number
}

/** Clients that are told apart; the one that has been silent longest is forgotten first. */
const CLIENTS = 10_000

interface Bucket {
  tokens: number
  at: number
}

export class Buckets {
  private readonly rate: Rate
  private readonly buckets = new Map<string, Bucket>()
  private readonly now: () => number

  /** `now` tells milliseconds. */
  constructor(rate: Rate, now: () => number = () => performance.now()) {
    if (!(rate.perSecond > 0) || !(rate.burst >= 1))
      throw new TypeError('polyspan: relay: a rate is { perSecond, burst }, above 0 and at least 1')
    this.rate = rate
    this.now = now
  }

  /** Takes one for a client; 0, or the seconds until there is one again. */
  take(client: string): number {
    const { perSecond, burst } = this.rate
    const at = this.now()
    const known = this.buckets.get(client)
    const tokens =
      known === undefined ? burst : Math.min(burst, known.tokens + ((at - known.at) / 1000) * perSecond)
    const taken = tokens >= 1
    // Set anew, so that the map keeps the order of use.
    this.buckets.delete(client)
    this.buckets.set(client, { tokens: taken ? tokens - 1 : tokens, at })
    if (this.buckets.size > CLIENTS) {
      const oldest = this.buckets.keys().next().value
      if (oldest !== undefined) this.buckets.delete(oldest)
    }
    return taken ? 0 : (1 - tokens) / perSecond
  }
}
