// What a page records for: the frame that is being written, those that wait to be posted, and counts.
//
// `ended = posted + pending + dropped (by reason) + unsampled` holds at every moment. Frames are posted one after the
// other; one that cannot be delivered is tried again a few times, later ones wait, and what does not fit any more is
// dropped, the newest first.

import { reAnchor } from '../core/clock'
import { sayOnce } from '../core/log'
import { Writer } from '../core/writer'
import type { Span } from './span'
import { type PageTerms, type Terms, termsOf } from './terms'

/** Spans and bytes of one frame at most: browsers let 64 KiB be under way when a page goes. */
const FRAME_SPANS = 512
const FRAME_BYTES = 56 * 1024
/** Spans and bytes that wait at most, the frame that is being written among them. */
const QUEUE_SPANS = 2048
const QUEUE_BYTES = 256 * 1024
/** How long the first span of a frame waits for others, in milliseconds. */
const DELAY = 1000
/** Attempts to deliver a frame, and the pause before the second one, doubled before each further one. */
const ATTEMPTS = 4
const PAUSE = 1000

/** What a page has counted. */
export interface PageStats {
  started: number
  ended: number
  unsampled: number
  /** Those among `unsampled` that did not record since too many were open. */
  openLimit: number
  pending: number
  /** Spans that the relay has taken the frame of. */
  posted: number
  /** Spans that were lost, by reason: `queue_full`, `rejected`, `retry_exhausted`. */
  dropped: Record<string, number>
  altered: number
  limited: number
}

interface Frame {
  bytes: Uint8Array<ArrayBuffer>
  spans: number
}

/** What the platform does for a page. */
export interface Platform {
  /** Posts a frame; resolves to the status, or to 0 where there was no answer. */
  post(url: string, contentType: string, frame: Uint8Array<ArrayBuffer>): Promise<number>
  /** What is current. */
  current(): Span | undefined
  inside<R>(span: Span | undefined, body: () => R): R
  /** Where frames come from: `browser` or `edge`. */
  readonly source: string
}

/** The span types in the order of their numbers, from 1 on (`core/src/kinds.rs`). */
const TYPES =
  'agent workflow workflow_step workflow_conditional workflow_conditional_eval workflow_parallel workflow_loop workflow_sleep workflow_wait_event model_generation model_step model_inference model_chunk tool mcp_tool provider_tool client_tool mcp_server_request processor memory_lookup memory_update memory_operation rag_query rag_ingestion rag_embedding rag_vector_operation rag_action embedding_generation scorer_run scorer_step evaluation mapping workspace_action skill_action graph_action classifier_evaluation agent_signal'

export class Page {
  readonly terms: Terms
  altered = 0
  limited = 0
  private readonly platform: Platform
  private frame = new Writer(4096)
  private spans = 0
  private readonly queue: Frame[] = []
  private started = 0
  private endedSpans = 0
  private unsampled = 0
  private openLimit = 0
  private posted = 0
  private open = 0
  private readonly dropped: Record<string, number> = {}
  private timer: unknown
  private posting: Promise<void> | undefined
  /** Whether the first frame may have arrived: it is under way, or nobody has answered. */
  private unsure = false

  constructor(terms: PageTerms, platform: Platform) {
    this.terms = termsOf(terms)
    this.platform = platform
  }

  current(): Span | undefined {
    return this.platform.current()
  }

  inside<R>(span: Span | undefined, body: () => R): R {
    return this.platform.inside(span, body)
  }

  /** The number of a span type; 0 for one that is not known. */
  typeOf(name: string): number {
    return TYPES.split(' ').indexOf(name) + 1
  }

  /** Counts a start; whether the span may record. */
  opens(sampled: boolean): boolean {
    this.started += 1
    const records = sampled && this.open < this.terms.openSpans
    if (records) this.open += 1
    else if (sampled) this.openLimit += 1
    return records
  }

  /** Counts the end of a span that has not recorded. */
  quiet(): void {
    this.endedSpans += 1
    this.unsampled += 1
  }

  /** Takes in a span that has ended. */
  ended(write: (frame: Writer) => void): void {
    const { frame } = this
    this.open -= 1
    this.endedSpans += 1
    const before = frame.at
    write(frame)
    const held = this.queue.reduce((sum, { bytes }) => sum + bytes.length, frame.at)
    if (held > QUEUE_BYTES || this.waiting >= QUEUE_SPANS) {
      frame.at = before
      this.drop('queue_full', 1)
      return
    }
    const full = frame.at >= FRAME_BYTES
    if (full && before > 0) {
      // What makes it too long stands in the next one.
      const last = frame.buf.slice(before, frame.at)
      frame.at = before
      this.close()
      frame.raw(last)
    }
    this.spans += 1
    if (full || this.spans >= FRAME_SPANS) void this.deliver()
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      reAnchor()
      void this.deliver()
    }, DELAY)
  }

  /** Posts everything; resolves when all is delivered or given up. */
  async deliver(): Promise<void> {
    this.close()
    // What comes when the last one has just been delivered is not waited for by that.
    while (this.queue.length > 0) {
      this.posting ??= this.work().finally(() => {
        this.posting = undefined
      })
      await this.posting
    }
  }

  /** Hands what waits to `send`, which says whether it took it: when the page goes. What is refused, as browsers do with
   * more than 64 KiB under way, is posted like everything else: a page that comes back has lost nothing. */
  leave(send: (url: string, contentType: string, frame: Uint8Array<ArrayBuffer>) => boolean): void {
    this.close()
    const from = this.unsure ? 1 : 0
    while (this.queue.length > from) {
      const frame = this.queue[from] as Frame
      if (!send(this.terms.relay, this.contentType, frame.bytes)) {
        void this.deliver()
        return
      }
      this.queue.splice(from, 1)
      this.posted += frame.spans
    }
  }

  stats(): PageStats {
    const { started, endedSpans, unsampled, openLimit, posted, altered, limited } = this
    const counts = { started, ended: endedSpans, unsampled, openLimit, posted, altered, limited }
    return { ...counts, pending: this.waiting, dropped: { ...this.dropped } }
  }

  private get waiting(): number {
    return this.queue.reduce((sum, { spans }) => sum + spans, this.spans)
  }

  private get contentType(): string {
    const { token } = this.terms
    const more = token === undefined ? '' : `; token=${encodeURIComponent(token)}`
    return `application/vnd.polyspan.frame; source=${this.platform.source}${more}`
  }

  /** The frame that is being written waits with the others, and another one begins. */
  private close(): void {
    const { frame, spans } = this
    if (spans === 0) return
    this.queue.push({ bytes: frame.buf.slice(0, frame.at) as Uint8Array<ArrayBuffer>, spans })
    frame.at = 0
    this.spans = 0
  }

  private drop(reason: string, spans: number): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + spans
  }

  private async work(): Promise<void> {
    const { relay } = this.terms
    let attempts = 0
    for (let frame = this.queue[0]; frame !== undefined; frame = this.queue[0]) {
      this.unsure = true
      const status = await this.platform.post(relay, this.contentType, frame.bytes).catch(() => 0)
      // Browsers say so of what is under way when a page goes, and deliver it.
      this.unsure = status === 0
      // The client is too fast, the server too busy, or nobody answered.
      const again = status === 0 || status === 429 || status >= 500
      if (again && ++attempts < ATTEMPTS) {
        await new Promise((done) => setTimeout(done, PAUSE << (attempts - 1)))
        // It may have left with the page.
        if (this.queue[0] === frame) continue
      } else {
        this.queue.shift()
        this.unsure = false
        // What a server shows for every path is no relay.
        if (status === 204) {
          this.posted += frame.spans
          this.close()
        } else {
          this.drop(again ? 'retry_exhausted' : 'rejected', frame.spans)
          sayOnce('relay', `spans are lost: ${relay} answered ${status}`)
        }
      }
      attempts = 0
    }
  }
}
