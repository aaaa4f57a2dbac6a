// How an operation went.

package dev.polyspan

/** The status of a span; `OK` is final. */
public enum class SpanStatus { UNSET, OK, ERROR }
