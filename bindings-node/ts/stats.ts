// What an engine has counted.

import { refusals } from './core/log'
import { checked } from './error'
import type { Recorder } from './recorder'
import { readValue } from './values'

export interface ExporterStats {
  accepted: number
  pending: number
  exported: number
  onDisk: number
  dropped: Record<string, number>
}

/**
 * `ended = pending + unsampled + internal + excluded + filtered + dropped before export + accepted`, and for each
 * exporter `accepted = pending + exported + onDisk + dropped`, at every moment.
 */
export interface Stats {
  /** Spans that were started, recording or not. */
  started: number
  /** Spans whose end was called, recording or not. */
  ended: number
  /** Spans that have ended and are neither delivered nor lost. */
  pending: number
  unsampled: number
  internal: number
  excluded: number
  /** Those among `unsampled` whose root was left unsampled under memory pressure. */
  shed: number
  /** Those among `unsampled` that did not record because too many spans were open. */
  openLimit: number
  /** Spans that processors or the span filter left out. */
  filtered: number
  /** Calls of the application's code in the host stage that threw. */
  hostErrors: number
  /** Starts and updates of open spans that exporters were not told of. */
  eventsDropped: number
  accepted: number
  /** Spans delivered by every exporter. */
  exported: number
  onDisk: number
  /** Spans lost, by reason, in the engine and in every exporter. */
  dropped: Record<string, number>
  endedTwice: number
  /** Values that were recorded otherwise than they were given, or left out. */
  altered: number
  limited: number
  redacted: number
  redactionFailures: number
  panics: number
  /** Whether both equations hold. */
  addsUp: boolean
  exporters: Record<string, ExporterStats>
  logs: {
    emitted: number
    pending: number
    accepted: number
    exported: number
    dropped: Record<string, number>
    exporters: Record<string, ExporterStats>
  }
  metrics: {
    /** Spans that were counted. */
    spans: number
    /** Those among them whose series were too many. */
    overflowed: number
    /** Unsampled ones that were lost on the way, by reason. */
    missed: Record<string, number>
    /** Data points. */
    collected: number
    pending: number
    exported: number
    dropped: Record<string, number>
    exporters: Record<string, ExporterStats>
  }
  /** What came of the frames that pages posted: those that were read, their spans, and what was refused, by reason. */
  relay: { frames: number; spans: number; refused: Record<string, number> }
}

/** What the engine has counted, this thread's own buffer included. */
export function statsOf(recorder: Recorder): Stats {
  recorder.submit()
  const stats = readValue(checked(() => recorder.engine.stats())) as unknown as Stats
  stats.altered += refusals()
  stats.started += recorder.open
  return stats
}

/** Before `init`. */
export function noStats(): Stats {
  const logs = { emitted: 0, pending: 0, accepted: 0, exported: 0, dropped: {}, exporters: {} }
  const counted = { spans: 0, overflowed: 0, missed: {}, collected: 0, pending: 0, exported: 0 }
  const metrics = { ...counted, dropped: {}, exporters: {} }
  return {
    ...{ started: 0, ended: 0, pending: 0, unsampled: 0, internal: 0, excluded: 0, shed: 0, openLimit: 0 },
    ...{
      filtered: 0,
      hostErrors: 0,
      eventsDropped: 0,
      accepted: 0,
      exported: 0,
      onDisk: 0,
      dropped: {},
      endedTwice: 0,
    },
    ...{ altered: refusals(), limited: 0, redacted: 0, redactionFailures: 0, panics: 0 },
    ...{ addsUp: true, exporters: {}, logs, metrics, relay: { frames: 0, spans: 0, refused: {} } },
  }
}
