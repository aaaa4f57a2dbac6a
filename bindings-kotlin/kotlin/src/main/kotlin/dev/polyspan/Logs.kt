// Log records: recording one as part of the current span, and from which level on they are kept.

@file:JvmName("Logs")

package dev.polyspan

import dev.polyspan.internal.Capture
import dev.polyspan.internal.ErrorParts
import dev.polyspan.internal.Given
import dev.polyspan.internal.Here
import dev.polyspan.internal.Log
import dev.polyspan.internal.MUTED
import dev.polyspan.internal.Natives
import dev.polyspan.internal.Recorder
import dev.polyspan.internal.Registry
import dev.polyspan.internal.Slot
import java.time.Instant

/** From which severity on log records are kept; `NONE` keeps none. */
public enum class LogLevel(
    internal val severity: Int,
) {
    TRACE(1),
    DEBUG(5),
    INFO(9),
    WARN(13),
    ERROR(17),
    FATAL(21),
    NONE(0),
}

/** What a log record has besides its body. */
public class LogOptions {
    public var attributes: Map<String, *>? = null

    /** Adds an exception with its type, message and stack. */
    public var error: Any? = null

    /** The instrumentation scope. */
    public var logger: String? = null

    /** Makes it an event of that class. */
    public var eventName: String? = null

    /** When it happened; now by default. */
    public var time: Instant? = null

    /** What it belongs to instead of the current span. */
    public var span: Parent? = null
}

/**
 * Records something in the log, as part of the current span and with what that inherits. False where it is not kept:
 * below the level, without an exporter of log records, or before `init`. It never throws.
 */
@JvmOverloads
public fun log(
    level: LogLevel?,
    body: Any?,
    options: LogOptions? = null,
): Boolean {
    val slot = Here.slot
    val recorder = Registry.default ?: return false
    // What an exporter of the application says while it works would be its own next work.
    if (slot?.currentSpan === MUTED || level == LogLevel.NONE) return false
    return try {
        recorded(recorder, slot, level, body, options)
    } catch (error: PolyspanError) {
        Log.sayOnce("log", error.message ?: "log records cannot be recorded")
        false
    }
}

private fun recorded(
    recorder: Recorder,
    slot: Slot?,
    level: LogLevel?,
    body: Any?,
    options: LogOptions?,
): Boolean {
    if (level == null) Log.refuse("log level")
    val severity = (level ?: LogLevel.INFO).severity
    if (!Natives.logEnabled(recorder, severity)) return false
    val said = LinkedHashMap<String, Any?>()
    options?.eventName?.let { said["event_name"] = it }
    options?.logger?.let { said["logger"] = it }
    options?.time?.let { time -> Given.nanos(time)?.let { said["time"] = it } ?: Log.refuse("time of a log record") }
    val attributes = LinkedHashMap<String, Any?>()
    Given.each(options?.attributes, "attributes of a log record", recorder) { key, value -> attributes[key] = value }
    options?.error?.let { error ->
        val parts = ErrorParts.of(error)
        attributes["exception.type"] = parts.type
        if (parts.message.isNotEmpty()) attributes["exception.message"] = parts.message
        if (parts.stack.isNotEmpty()) attributes["exception.stacktrace"] = parts.stack
    }
    said["attributes"] = attributes
    said["body"] = body
    val of = options?.span?.spanContext ?: slot?.currentSpan?.spanContext
    // What is said stands in a map, and its attributes in one inside.
    return Natives.log(recorder, severity, Capture.of(said, recorder.terms.deeper(2), recorder), of?.bytes(), slot?.ambient)
}

/** Changes from which level on log records are kept, in every engine and from now on. */
public fun setLogLevel(level: LogLevel?) {
    if (level == null) Log.refuse("log level") else Natives.setLogLevel(level.name.lowercase())
}
