// Contexts: a span, often one of another process, and what spans inside inherit.

package dev.polyspan

import dev.polyspan.internal.Ambient
import dev.polyspan.internal.Given
import dev.polyspan.internal.Here
import dev.polyspan.internal.Log
import dev.polyspan.internal.Slot
import java.util.concurrent.Callable
import java.util.function.Supplier

/** An immutable context: a span (often one of another process), baggage, and what spans inside inherit. */
public class Context internal constructor(
    internal val span: Span?,
    internal override val ambient: Ambient?,
) : Slot(),
    Parent {
    internal override val currentSpan: Span? get() = span

    override val spanContext: SpanContext? get() = span?.spanContext

    /** The baggage; properties stand behind the value. */
    public val baggage: Map<String, String> get() = ambient?.baggage() ?: emptyMap()

    /** Runs `body` with this context current. */
    @JvmSynthetic
    public inline fun <R> run(body: () -> R): R = inSlot(this, body)

    /** Runs `body` with this context current; for Java. */
    public fun <R> call(body: Supplier<R>?): R = Here.inside(this) { Given.answer(body, "context") { it.get() } }

    /** A task that runs with this context current, in whatever thread. */
    public fun wrap(task: Runnable?): Runnable = Runnable { Here.inside(this) { if (task == null) Log.refuse("context") else task.run() } }

    /** A task that runs with this context current, in whatever thread. */
    public fun <R> wrap(task: Callable<R>?): Callable<R> = Callable { Here.inside(this) { Given.answer(task, "context") { it.call() } } }

    public companion object {
        /** What is current in this thread, to be carried to another. */
        @JvmStatic
        public fun current(): Context {
            val slot = Here.slot
            return slot as? Context ?: Context(slot?.currentSpan, slot?.ambient).apply { keepsOf(slot) }
        }
    }
}

/** What everything inside a context or span inherits, for [context]. */
public class ContextOptions : InheritedOptions() {
    /** Tags of the trace. */
    public var tags: Iterable<String>? = null

    /** Metadata of spans inside; a span's own wins. */
    public var metadata: Map<String, *>? = null

    /** Attributes of spans inside. */
    public var attributes: Map<String, *>? = null

    /** Baggage, which travels to the services that are called. */
    public var baggage: Map<String, String>? = null

    /** Spans inside become children of it. */
    public var parent: Parent? = null
}

/** Options that hold for everything inside a span or context. */
public sealed class InheritedOptions {
    /** Whether any of what is inherited was ever set: spans look at this first. */
    private var given = false

    public var sessionId: String? = null
        set(value) {
            field = value
            given = true
        }
    public var userId: String? = null
        set(value) {
            field = value
            given = true
        }
    public var organizationId: String? = null
        set(value) {
            field = value
            given = true
        }
    public var threadId: String? = null
        set(value) {
            field = value
            given = true
        }
    public var runId: String? = null
        set(value) {
            field = value
            given = true
        }
    public var requestId: String? = null
        set(value) {
            field = value
            given = true
        }
    public var resourceId: String? = null
        set(value) {
            field = value
            given = true
        }
    public var environment: String? = null
        set(value) {
            field = value
            given = true
        }
    public var entityType: String? = null
        set(value) {
            field = value
            given = true
        }
    public var entityId: String? = null
        set(value) {
            field = value
            given = true
        }
    public var entityName: String? = null
        set(value) {
            field = value
            given = true
        }

    /** Inputs of everything inside do not leave the process. */
    public var hideInput: Boolean = false
        set(value) {
            field = value
            given = true
        }

    /** Outputs of everything inside do not leave the process. */
    public var hideOutput: Boolean = false
        set(value) {
            field = value
            given = true
        }

    /** Families of span types that are internal to a framework inside: `workflow`, `agent`, `tool`, `model`, `all`. */
    public var internalSpans: Iterable<String>? = null
        set(value) {
            field = value
            given = true
        }

    /** What the application knows about the request: samplers see it, and roots take metadata out of it. */
    public var requestContext: Map<String, *>? = null

    /** Names or dotted paths of the request context that roots take as metadata. */
    public var requestContextKeys: Iterable<String>? = null
        set(value) {
            field = value
            given = true
        }

    /** Calls `take` with the ids that were given. */
    internal inline fun eachId(take: (String, String) -> Unit) {
        sessionId?.let { take("session_id", it) }
        userId?.let { take("user_id", it) }
        organizationId?.let { take("organization_id", it) }
        threadId?.let { take("thread_id", it) }
        runId?.let { take("run_id", it) }
        requestId?.let { take("request_id", it) }
        resourceId?.let { take("resource_id", it) }
        environment?.let { take("environment", it) }
        entityType?.let { take("entity_type", it) }
        entityId?.let { take("entity_id", it) }
        entityName?.let { take("entity_name", it) }
    }

    internal fun takeInherited(other: InheritedOptions) {
        sessionId = other.sessionId
        userId = other.userId
        organizationId = other.organizationId
        threadId = other.threadId
        runId = other.runId
        requestId = other.requestId
        resourceId = other.resourceId
        environment = other.environment
        entityType = other.entityType
        entityId = other.entityId
        entityName = other.entityName
        hideInput = other.hideInput
        hideOutput = other.hideOutput
        internalSpans = other.internalSpans
        requestContext = other.requestContext
        requestContextKeys = other.requestContextKeys
    }

    /** Whether anything is given but the request context. */
    internal val inherits: Boolean
        get() = given && inheritsNow

    private val inheritsNow: Boolean
        get() {
            eachId { _, _ -> return true }
            return hideInput || hideOutput || internalSpans != null || requestContextKeys != null
        }
}
