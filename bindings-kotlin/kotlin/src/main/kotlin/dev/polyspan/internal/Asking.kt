// Having the engine start a span: for samplers that are asked, hidden types, metadata, remote parents, request contexts.

package dev.polyspan.internal

import dev.polyspan.Parent
import dev.polyspan.Span
import dev.polyspan.SpanContext
import dev.polyspan.SpanOptions
import dev.polyspan.SpanType
import dev.polyspan.Unset
import dev.polyspan.number

internal object Asking {
    private const val FIELDS_AT = 64

    /** Has the engine start a span, or the one that is chosen for it: it is described as an event, and goes on as what
     * the engine has written of it. */
    fun ask(
        name: String,
        type: SpanType?,
        options: SpanOptions,
        parent: Span?,
        ambient: Ambient?,
        recorder: Recorder,
        instant: Boolean,
        selects: Boolean = false,
    ): Span {
        val terms = recorder.terms
        val here = Here.get()
        // Known before: a start that the engine has told of is followed by an end. Of a selector's choice nothing is known.
        val reserved = if (selects) null else here.lane(recorder).open()
        if (reserved == null && !selects) return tooMany(here, name, type, options, parent, ambient, recorder)
        // A selector is told of it, too.
        val withContent = selects || terms.readsContent
        val withInput = terms.showsStarts && terms.io
        val started =
            Border.start(
                if (selects) 0 else recorder.engine,
                described(name, type, options, recorder, withContent, withInput, instant),
                parent?.contextBytes(),
                ambient,
                options.requestContext?.let(::wholeValue),
                if (parent == null) options.traceId else null,
            )
        if (started.slot == null) {
            if (reserved != null) here.lane(recorder).closed(reserved)
            return Starting.nowhere(parent, ambient)
        }
        val owner = if (started.slot == terms.slot) recorder else Registry.ofSlot(started.slot)
        val body = started.body
        val state = if (body == null || owner == null) Content.QUIET else Content.OPEN
        val seen = Ids.spanOf(started.context)
        val inner = started.ambient?.inside(ambient) ?: ambient
        // Whose sessions those are is known only now where a selector has chosen.
        val around = if (selects && owner != null) Starting.inSession(owner, parent, inner) else inner
        val span = Span(state, owner, Ids.traceOf(started.context), seen, around, false, here)
        if (body == null || owner == null) {
            if (reserved != null) here.lane(recorder).closed(reserved)
            if (owner?.terms?.countsUnsampled == true) Starting.measured(span, name, type, options)
            return span
        }
        span.token = reserved ?: here.lane(owner).open()
        span.id = Bytes.getId(body, 16)
        span.parentId = Bytes.getId(body, 24)
        span.kind = body[49].toInt()
        span.type = Bytes.getShort(body, 52)
        span.flags = Bytes.getShort(body, 54)
        span.name = name
        span.start = options.startNanos ?: Clock.now()
        span.extra().prefix = body
        if (parent != null && !parent.remote) Starting.join(span, parent)
        if (around !== inner) owner.sessions?.current?.let { span.attribute("session.id", it) }
        Starting.fill(span, options, hasContent = withContent, hasInput = withInput)
        return span
    }

    /** What stands for a span that does not record since too many are open: of its parent's trace, or of one of its own. */
    private fun tooMany(
        here: Here,
        name: String,
        type: SpanType?,
        options: SpanOptions,
        parent: Span?,
        ambient: Ambient?,
        recorder: Recorder,
    ): Span {
        val lane = here.lane(recorder)
        lane.count(Counts.OPEN_LIMIT)
        val trace = parent?.trace?.unsampled() ?: traceOf(options.traceId, lane)
        return Starting.unsampled(here, lane, name, type, options, trace, ambient)
    }

    private fun traceOf(
        given: String?,
        lane: Lane,
    ): Trace {
        val ids = Ids.wordsOf(given, 32)
        return if (ids == null) Trace(lane.id(), lane.id(), 2, "") else Trace(ids[0], ids[1], 0, "")
    }

    /** The body of an event that says what is known of a span which is to start. */
    private fun described(
        name: String,
        type: SpanType?,
        options: SpanOptions,
        recorder: Recorder,
        withContent: Boolean,
        withInput: Boolean,
        instant: Boolean,
    ): ByteArray {
        val out = Writer(512)
        out.at = FIELDS_AT
        var flags = 0
        var kind = 1
        options.kind?.let {
            kind = it.number
            flags = flags or Flags.KIND_GIVEN
        }
        if (options.internal) flags = flags or Flags.INTERNAL
        if (instant) flags = flags or Flags.EVENT
        options.startNanos?.let { Bytes.putLong(out.buf, 32, it) }
        out.buf[49] = kind.toByte()
        Bytes.putShort(out.buf, 52, (type ?: options.type)?.number ?: 0)
        Bytes.putShort(out.buf, 54, flags)
        out.u8(Tags.NAME)
        out.inlineKey(name)
        if (withContent) {
            pairs(out, Tags.ATTRIBUTE, options.attributes, "attributes", recorder)
            options.links?.let { links ->
                Given.each(links, "links", recorder) { link ->
                    val to: SpanContext? = (link as? Parent)?.spanContext
                    if (to != null) out.raw(Links.field(to, null, recorder.terms, recorder))
                }
            }
        }
        pairs(out, Tags.METADATA, options.metadata, "metadata", recorder)
        if (withInput && options.inputOrUnset !== Unset) {
            out.u8(Tags.INPUT)
            Capture.write(out, options.inputOrUnset, recorder.terms, recorder)
        }
        return out.copied()
    }

    private fun pairs(
        out: Writer,
        tag: Int,
        given: Map<*, *>?,
        place: String,
        recorder: Recorder,
    ) = Given.each(given, place, recorder) { key, value ->
        if (key.isEmpty()) {
            recorder.altered()
        } else {
            out.u8(tag)
            out.inlineKey(key)
            Capture.write(out, value, recorder.terms, recorder)
        }
    }
}
