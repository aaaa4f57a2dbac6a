// Starting spans. Most are decided here, from what the engine has handed out ahead; about the others the engine is
// asked (`Asking.kt`).

package dev.polyspan.internal

import dev.polyspan.Context
import dev.polyspan.Parent
import dev.polyspan.Span
import dev.polyspan.SpanOptions
import dev.polyspan.SpanType
import dev.polyspan.number

/** What is current inside code whose spans are not to be recorded: what exports spans would otherwise export its own
 * exports. It has no valid id, so that nobody continues it. */
internal val MUTED: Span = Span.none()

internal object Starting {
    /** Starts a span of that engine, or of the parent's, or of the default one. */
    fun start(
        name: String?,
        type: SpanType?,
        options: SpanOptions?,
        engine: Recorder? = null,
        instant: Boolean = false,
    ): Span {
        val here = Here.get()
        val slot = here.current
        if (engine == null && !instant) {
            if (slot is Span && slot.state == Content.STANDS) {
                val stands = slot.standingFor(options)
                if (stands != null) {
                    here.lane(stands).countFollower()
                    return slot
                }
            } else if (options == null || options.isLight) {
                val recorder = simply(slot)
                val span = if (recorder == null) null else begin(here, name ?: "", type, options, slot as Span?, null, recorder, false)
                if (span != null) return span
            }
        }
        val span = startIn(here, slot, name ?: "", type, options ?: SpanOptions.NONE, engine, instant)
        belongs(span, slot)
        val observer = span.recorder?.observer
        if (observer != null && span.state == Content.OPEN) observer.started(span, slot)
        return span
    }

    /** Whose the next span is, of which nothing has to be looked at but what is current: nearly every one. `null` where
     * there is more to it, which `startIn` finds out. */
    private fun simply(slot: Slot?): Recorder? {
        val recorder: Recorder
        if (slot == null) {
            recorder = Registry.default ?: return null
            if (Registry.selects || recorder.sessions != null || recorder.isPressed || !recorder.terms.drawsRoots) return null
        } else {
            if (slot !is Span || slot.ambient != null || slot.origin != null || slot.remote || slot.trace.flags > 3) return null
            if (!slot.trace.isSampled) return null
            recorder = slot.recorder ?: return null
        }
        return if (recorder.isPlain && recorder.observer == null && !recorder.stopped) recorder else null
    }

    /** The same where `slot` is current, for an instrumentation scope. Whoever gives it more at its start does so before
     * others are [told]. */
    fun startAt(
        slot: Slot?,
        name: String,
        options: SpanOptions,
        engine: Recorder?,
        scope: Int,
    ): Span {
        val span = startIn(Here.get(), slot, name, null, options, engine, false)
        if (span.state == Content.OPEN) span.scope = scope
        belongs(span, slot)
        return span
    }

    /** Tells who observes the engine that a span has started. */
    fun told(
        span: Span,
        slot: Slot?,
    ) {
        val observer = span.recorder?.observer
        if (observer != null && span.state == Content.OPEN) observer.started(span, slot)
    }

    /** Keeps what the OpenTelemetry API has in its context besides ours. */
    private fun belongs(
        span: Span,
        slot: Slot?,
    ) {
        if (slot != null && span !== MUTED) span.keepsOf(slot)
    }

    private fun startIn(
        here: Here,
        slot: Slot?,
        name: String,
        type: SpanType?,
        options: SpanOptions,
        engine: Recorder?,
        instant: Boolean,
    ): Span {
        var parent: Span?
        var ambient: Ambient?
        val given = options.parent
        if (given != null) {
            if (slot?.currentSpan === MUTED) return MUTED
            val chosen = chosenParent(given, slot)
            parent = chosen.span
            ambient = chosen.ambient
        } else {
            parent = slot?.currentSpan
            ambient = slot?.ambient
            if (options.root && parent !== MUTED) parent = null
        }
        if (parent != null && !parent.trace.isValid) {
            if (parent === MUTED) return MUTED
            parent = null
        }
        val own = engine ?: parent?.recorder
        val selects = own == null && Registry.selects
        val recorder = own ?: Registry.default
        // A handle of an engine that was shut down counts what it gets.
        if (selects || recorder == null || (recorder.stopped && engine == null)) {
            return elsewhere(name, type, options, parent, ambient, instant, selects)
        }
        val isPlain = options === SpanOptions.NONE
        if (options.sessionId == null) ambient = inSession(recorder, parent, ambient)
        if (parent != null && !parent.trace.isSampled && !parent.remote && (isPlain || !options.changes) &&
            follows(recorder, parent.trace)
        ) {
            if (!recorder.terms.countsUnsampled) return follower(here, slot, parent, ambient, recorder)
            val counted = begin(here, name, type, options, parent, ambient, recorder, instant)
            if (counted != null) return counted
        }
        if (!isPlain && options.inherits) ambient = Ambient.inside(ambient, options)
        if (mustAsk(recorder, options, isPlain, parent, ambient)) {
            return Asking.ask(name, type, options, parent, ambient, recorder, instant)
        }
        val span =
            begin(here, name, type, options, parent, ambient, recorder, instant)
                ?: return Asking.ask(name, type, options, parent, ambient, recorder, instant)
        if (!isPlain && span.state == Content.OPEN) fill(span, options)
        return span
    }

    /** Whether children of a span that is not sampled are certain not to be sampled either. */
    private fun follows(
        recorder: Recorder,
        trace: Trace,
    ): Boolean =
        when (recorder.terms.localParent) {
            LocalParent.INHERIT -> true
            LocalParent.DROP -> trace.state.isEmpty()
            else -> false
        }

    /** What stands for children of a span that is not sampled: they share its ids and keep nothing but what is around
     * them, baggage for example, which travels all the same. */
    private fun follower(
        here: Here,
        slot: Slot?,
        parent: Span,
        ambient: Ambient?,
        recorder: Recorder,
    ): Span {
        here.lane(recorder).countFollower()
        val origin = slot?.base
        if (parent.state == Content.STANDS && parent.ambient === ambient && parent.origin === origin) return parent
        val known = parent.follower
        if (known != null && known.ambient === ambient && known.origin === origin) return known
        val follower = Span(Content.STANDS, recorder, parent.trace, parent.id, ambient, false, here)
        follower.origin = origin
        parent.follower = follower
        return follower
    }

    private fun chosenParent(
        given: Parent,
        slot: Slot?,
    ): Context =
        when (given) {
            is Span -> {
                Context(given, given.ambient ?: slot?.ambient)
            }

            is Context -> {
                Context(given.span, given.ambient ?: slot?.ambient)
            }

            else -> {
                val to = given.spanContext
                val ambient = slot?.ambient
                Context(to?.let { Span.none(it.trace, it.id, ambient, it.isRemote) } ?: slot?.currentSpan, ambient)
            }
        }

    /** Whether the engine has to be asked about a span. */
    private fun mustAsk(
        recorder: Recorder,
        options: SpanOptions,
        isPlain: Boolean,
        parent: Span?,
        ambient: Ambient?,
    ): Boolean {
        val terms = recorder.terms
        if (!terms.hidesNothing || recorder.inherited(ambient).asks) return true
        if (!isPlain) {
            if (options.isAskedAbout) return true
            if (terms.readsContent && options.hasContent) return true
            if (parent == null && options.traceId != null) return true
        }
        if (parent == null) return !terms.drawsRoots || recorder.isPressed
        if (parent.remote || parent.trace.flags > 3) return true
        return when (terms.localParent) {
            LocalParent.INHERIT -> false
            LocalParent.SAMPLE -> parent.trace.state.isNotEmpty() || !parent.trace.isSampled
            LocalParent.DROP -> parent.trace.state.isNotEmpty() || parent.trace.isSampled
            else -> true
        }
    }

    /** A span whose engine is not known here, or which the application's selector chooses. */
    private fun elsewhere(
        name: String,
        type: SpanType?,
        options: SpanOptions,
        parent: Span?,
        ambient: Ambient?,
        instant: Boolean,
        selects: Boolean,
    ): Span {
        val recorder = Registry.default ?: return nowhere(parent, ambient)
        val around = if (options.inherits) Ambient.inside(ambient, options) else ambient
        return Asking.ask(name, type, options, parent, around, recorder, instant, selects)
    }

    /** Before `init`: it stands for its parent, so that context still travels. */
    fun nowhere(
        parent: Span?,
        ambient: Ambient?,
    ): Span {
        Log.sayOnce("no engine", "spans are not recorded before `Polyspan.init`")
        if (parent == null) return Span.none(ambient = ambient)
        return Span.none(parent.trace, parent.seenId, ambient, parent.remote)
    }

    /** Starts a span about which everything is known here, without what `fill` gives it; `null` where nothing is known
     * about new traces. */
    private fun begin(
        here: Here,
        name: String,
        type: SpanType?,
        options: SpanOptions?,
        parent: Span?,
        ambient: Ambient?,
        recorder: Recorder,
        instant: Boolean,
    ): Span? {
        val lane = here.lane(recorder)
        var trace: Trace
        var records: Boolean
        if (parent == null) {
            val root = lane.nextRoot() ?: return null
            trace = root.trace
            records = root.records
        } else {
            trace = parent.trace
            records = trace.isSampled
        }
        val token = if (records) lane.open() else null
        if (token == null) {
            if (records) {
                lane.count(Counts.OPEN_LIMIT)
                trace = trace.unsampled()
            }
            return unsampled(here, lane, name, type, options, trace, ambient)
        }
        val span = Span(Content.OPEN, recorder, trace, lane.id(), ambient, false, here)
        span.token = token
        var flags = recorder.inherited(ambient).flags
        if (parent == null) {
            flags = flags or (Flags.ROOT or Flags.LOCAL_ROOT)
        } else {
            span.parentId = parent.seenId
            join(span, parent)
        }
        span.flags = if (instant) flags or Flags.EVENT else flags
        span.name = name
        span.start = options?.startNanos ?: Clock.now()
        typed(span, type, options)
        return span
    }

    /** A span that does not record. Where none of its trace will, and nobody counts them one by one, it stands for them
     * all: each has ended when it starts. */
    fun unsampled(
        here: Here,
        lane: Lane,
        name: String,
        type: SpanType?,
        options: SpanOptions?,
        trace: Trace,
        ambient: Ambient?,
    ): Span {
        val recorder = lane.recorder
        val counts = recorder.terms.countsUnsampled
        val stands = !counts && !trace.isSampled && follows(recorder, trace)
        val span = Span(if (stands) Content.STANDS else Content.QUIET, recorder, trace, lane.id(), ambient, false, here)
        if (stands) {
            lane.countFollower()
        } else if (counts) {
            measured(span, name, type, options)
        } else {
            lane.count(Counts.NOT_RECORDING)
        }
        return span
    }

    /** Has a span that does not record keep what metrics count of it. */
    fun measured(
        span: Span,
        name: String,
        type: SpanType?,
        options: SpanOptions?,
    ) {
        span.name = name
        span.start = options?.startNanos ?: Clock.now()
        typed(span, type, options)
    }

    private fun typed(
        span: Span,
        type: SpanType?,
        options: SpanOptions?,
    ) {
        val stands = type ?: options?.type
        if (stands != null) span.type = stands.number
        val kind = options?.kind
        if (kind != null) span.kindIs(kind.number)
    }

    /** Puts a span among the open ones of its trace. */
    fun join(
        span: Span,
        parent: Span,
    ) {
        span.above = openFrom(parent)
        val local = parent.local ?: parent.localForChildren()
        span.local = local
        local.add(span)
    }

    /** The first that is open of a span and those above it: by way of ended ones, each span of a chain without end would
     * keep all before it in memory. What starts and what ends asks, so that no way is long. */
    fun openFrom(span: Span): Span {
        var found = span
        while (found.state == Content.ENDED) found = found.above ?: return MUTED
        return found
    }

    /** What surrounds a span, with the session of the app where it begins a trace here of which nobody has said it: all
     * inside are of that session, also after it has ended. */
    fun inSession(
        recorder: Recorder,
        parent: Span?,
        ambient: Ambient?,
    ): Ambient? {
        val sessions = recorder.sessions ?: return ambient
        if ((parent != null && !parent.remote) || ambient?.hasSession == true) return ambient
        return sessions.around(ambient)
    }

    /** What is given at the start and can be set later as well. */
    fun fill(
        span: Span,
        options: SpanOptions,
        hasContent: Boolean = false,
        hasInput: Boolean = false,
    ) {
        if (!hasContent) options.attributes?.let(span::startAttributes)
        if (!hasInput && options.inputOrUnset !== dev.polyspan.Unset) span.keepInput(options.inputOrUnset)
        options.tags?.let(span::keepTags)
        if (!hasContent) options.links?.let { links -> Given.each(links, "links", span.recorder) { span.link(it as? Parent) } }
    }
}
