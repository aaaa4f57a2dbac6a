// The one error that Polyspan throws: by init, flush, shutdown and file operations, never on the span path.

package dev.polyspan

import dev.polyspan.internal.Names

/**
 * What went wrong, with a code that is the same in every language: `invalid_option`, `already_initialized`,
 * `not_running`, `deadline_exceeded`, `io`, `resource`, `internal`.
 */
public class PolyspanError(
    public val code: String,
    message: String,
) : RuntimeException(message) {
    internal companion object {
        private val NATIVE = Regex("""^([a-z_]+): (.*)$""", RegexOption.DOT_MATCHES_ALL)

        /** What the native library said, its code before the first colon; the option as Kotlin spells it. */
        fun of(line: String): PolyspanError {
            val (code, message) = NATIVE.matchEntire(line)?.destructured ?: return PolyspanError("internal", line)
            return of(code, message)
        }

        fun of(
            code: String,
            message: String,
        ): PolyspanError = PolyspanError(code, if (code == "invalid_option") Names.camelNames(message) else message)

        fun notRunning(what: String): PolyspanError = PolyspanError("not_running", "$what: no engine runs; call init first")
    }
}
