// The kinds of spans. In Java, because an enum of Kotlin brings six classes into the start of every program that uses it.

package dev.polyspan;

/** The role of a span in a request, as OpenTelemetry has it. */
public enum SpanKind {
    Internal,
    Server,
    Client,
    Producer,
    Consumer
}
