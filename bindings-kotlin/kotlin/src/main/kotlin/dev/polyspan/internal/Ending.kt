// Ending spans: who ends one first, when, and where it goes. `Span` calls it.

package dev.polyspan.internal

import dev.polyspan.Span

internal object Ending {
    /** For the end of a span: at the moment of the call. */
    const val NOW = Long.MIN_VALUE

    /** Of the flags: processors see its end. Not among those that are written. */
    private const val ENDING = 1 shl 30

    /** Ends a span at so many nanoseconds since the Unix epoch, or `NOW`. Only the first call counts. */
    fun at(
        span: Span,
        given: Long,
    ) = at(span, given, Here.from(span.home))

    /** The body of a span has ended: puts back what was current before it, and ends it if it has not ended. */
    fun leave(
        span: Span,
        before: Slot?,
    ) {
        val here = Here.from(span.home)
        here.putBack(span, before)
        if (span.canEnd) at(span, NOW, here)
    }

    private fun at(
        span: Span,
        given: Long,
        here: Here,
    ) {
        val recorder = span.recorder ?: return
        when (span.state) {
            Content.OPEN -> if (recorder.observer == null || shown(span, recorder)) finish(span, recorder, given, here)
            Content.QUIET -> quietly(span, recorder, given)
            Content.ENDED -> recorder.count(Counts.ENDED_TWICE)
        }
    }

    /** Ends every open span below one, the latest first, and then that one, all at the same moment. */
    fun tree(span: Span) {
        val moment = Clock.now()
        for (one in span.local?.all() ?: emptyList()) if (one !== span && isBelow(one, span)) at(one, moment)
        at(span, if (span.state == Content.OPEN) moment else NOW)
    }

    private fun isBelow(
        span: Span,
        other: Span,
    ): Boolean {
        var above = span.above
        while (above != null) {
            if (above === other) return true
            above = above.above
        }
        return false
    }

    /** Processors may still write it while it ends, and end it again, which counts as such. */
    private fun shown(
        span: Span,
        recorder: Recorder,
    ): Boolean {
        var mine = false
        span.locked {
            mine = span.state == Content.OPEN && span.flags and ENDING == 0
            if (mine) span.flags = span.flags or ENDING
        }
        if (mine) recorder.observer?.ending(span) else recorder.count(Counts.ENDED_TWICE)
        return mine
    }

    private fun finish(
        span: Span,
        recorder: Recorder,
        given: Long,
        here: Here,
    ) {
        val moment = if (given == NOW) Clock.now() else given
        if (!span.claim(Content.OPEN)) {
            recorder.count(Counts.ENDED_TWICE)
            return
        }
        span.end = moment
        if (moment < span.start) {
            span.end = span.start
            recorder.altered()
        }
        val above = span.above
        if (above != null) {
            span.local?.remove(span)
            if (above.state == Content.ENDED) span.above = Starting.openFrom(above)
        }
        val observer = recorder.observer
        if (observer != null) {
            span.flags = span.flags and ENDING.inv()
            observer.ended(span)
        }
        recorder.ended(span, here)
    }

    /** The end of a span that does not record. */
    private fun quietly(
        span: Span,
        recorder: Recorder,
        given: Long,
    ) {
        if (!span.claim(Content.QUIET)) {
            recorder.count(Counts.ENDED_TWICE)
        } else if (recorder.terms.countsUnsampled) {
            span.end = if (given == NOW) Clock.now() else given
            recorder.leftOut(span)
        } else {
            recorder.count(Counts.UNSAMPLED)
        }
    }
}
