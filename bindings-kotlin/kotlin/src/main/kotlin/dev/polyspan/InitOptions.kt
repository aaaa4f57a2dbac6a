// The options of an engine. What is not given comes from `OTEL_*`, then from the defaults (docs/configuration.md).

package dev.polyspan

import dev.polyspan.internal.Log
import dev.polyspan.internal.Names

/**
 * Options of `init`: `Polyspan.init { service = "app"; exporter = "none" }`, or in Java
 * `Polyspan.init(new InitOptions().set("service", "app"))`.
 *
 * Times are seconds, or a `Duration`. An exporter is its name or that of a preset, a map that describes one, a
 * [MemoryExporter], or a [SpanExporter] of your own.
 */
public class InitOptions {
    /** Under the engine's names. */
    internal val data = LinkedHashMap<String, Any?>()

    /** Name of the service; `OTEL_SERVICE_NAME` by default. */
    public var service: String?
        get() = given("service")
        set(value) = give("service", value)

    /** Name of the engine in its process; `default` by default. */
    public var name: String?
        get() = given("name")
        set(value) = give("name", value)

    /** Replaces a running engine of that name, which drains first. */
    public var replace: Boolean?
        get() = given("replace")
        set(value) = give("replace", value)
    public var disabled: Boolean?
        get() = given("disabled")
        set(value) = give("disabled", value)

    /** Attributes that every span says of its process. */
    public var resource: Map<String, *>?
        get() = given("resource")
        set(value) = give("resource", value)
    public var resourceSchemaUrl: String?
        get() = given("resource_schema_url")
        set(value) = give("resource_schema_url", value)

    /** A name, a ratio, a map that describes one, or a [Sampler]. */
    public var sampler: Any? = null
    public var propagators: Any?
        get() = given("propagators")
        set(value) = give("propagators", value)
    public var exporter: Any? = null
    public var exporters: List<*>? = null

    /** Code that changes spans on their way or leaves them out. */
    public var processors: List<Processor>? = null

    /** True keeps a span. */
    public var spanFilter: SpanFilter? = null

    /** Where log records go; to where spans go by default. */
    public var logsExporter: Any? = null

    /** The least severity of log records that is kept. */
    public var logLevel: String?
        get() = given("log_level")
        set(value) = give("log_level", value)

    /** Whether and how metrics are made of spans. */
    public var metrics: Any?
        get() = given("metrics")
        set(value) = give("metrics", value)
    public var metricsExporter: Any? = null
    public var endpoint: String?
        get() = given("endpoint")
        set(value) = give("endpoint", value)
    public var tracesEndpoint: String?
        get() = given("traces_endpoint")
        set(value) = give("traces_endpoint", value)
    public var headers: Map<String, String>?
        get() = given("headers")
        set(value) = give("headers", value)
    public var timeout: Any?
        get() = given("timeout")
        set(value) = give("timeout", value)
    public var compression: String?
        get() = given("compression")
        set(value) = give("compression", value)
    public var certificate: String?
        get() = given("certificate")
        set(value) = give("certificate", value)
    public var clientKey: String?
        get() = given("client_key")
        set(value) = give("client_key", value)
    public var clientCertificate: String?
        get() = given("client_certificate")
        set(value) = give("client_certificate", value)

    /** The conventions on the wire: `genai` or `openinference`. */
    public var semantics: String?
        get() = given("semantics")
        set(value) = give("semantics", value)

    /** Whether and how secrets are redacted; on by default. */
    public var redaction: Any?
        get() = given("redaction")
        set(value) = give("redaction", value)
    public var limits: Any?
        get() = given("limits")
        set(value) = give("limits", value)
    public var environment: String?
        get() = given("environment")
        set(value) = give("environment", value)
    public var sessionId: String?
        get() = given("session_id")
        set(value) = give("session_id", value)
    public var defaultSessionId: String?
        get() = given("default_session_id")
        set(value) = give("default_session_id", value)
    public var userId: String?
        get() = given("user_id")
        set(value) = give("user_id", value)
    public var organizationId: String?
        get() = given("organization_id")
        set(value) = give("organization_id", value)
    public var threadId: String?
        get() = given("thread_id")
        set(value) = give("thread_id", value)
    public var runId: String?
        get() = given("run_id")
        set(value) = give("run_id", value)
    public var requestId: String?
        get() = given("request_id")
        set(value) = give("request_id", value)
    public var resourceId: String?
        get() = given("resource_id")
        set(value) = give("resource_id", value)

    /** Metadata of every span that neither inherits nor is given another value of the key; 64 KiB in all. */
    public var metadata: Map<String, *>?
        get() = given("metadata")
        set(value) = give("metadata", value)

    /** Tags of every trace, besides those that it is given. */
    public var tags: List<String>?
        get() = given("tags")
        set(value) = give("tags", value)
    public var requestContextKeys: List<String>?
        get() = given("request_context_keys")
        set(value) = give("request_context_keys", value)
    public var propagateContext: Any?
        get() = given("propagate_context")
        set(value) = give("propagate_context", value)
    public var internalSpans: Any?
        get() = given("internal_spans")
        set(value) = give("internal_spans", value)
    public var includeInternalSpans: Boolean?
        get() = given("include_internal_spans")
        set(value) = give("include_internal_spans", value)
    public var excludeSpanTypes: List<String>?
        get() = given("exclude_span_types")
        set(value) = give("exclude_span_types", value)
    public var hideInput: Boolean?
        get() = given("hide_input")
        set(value) = give("hide_input", value)
    public var hideOutput: Boolean?
        get() = given("hide_output")
        set(value) = give("hide_output", value)
    public var includeIo: Boolean?
        get() = given("include_io")
        set(value) = give("include_io", value)
    public var excludeFields: List<String>?
        get() = given("exclude_fields")
        set(value) = give("exclude_fields", value)

    /** How long the end of the process may wait for delivery. */
    public var exitTimeout: Any?
        get() = given("exit_timeout")
        set(value) = give("exit_timeout", value)
    public var diagnosticLevel: String?
        get() = given("diagnostic_level")
        set(value) = give("diagnostic_level", value)

    /** How spans are batched where power and network are scarce, and when sessions change; see [MobileOptions]. */
    public var mobile: MobileOptions? = null

    /** What is wrong with a value that was set by its option's name; `init` throws it. */
    internal var wrong: PolyspanError? = null
        private set

    /** Any option under the name that docs/configuration.md has for it, in camel case. */
    public fun set(
        option: String?,
        value: Any?,
    ): InitOptions {
        when (option) {
            null -> Log.refuse("InitOptions.set")
            "sampler" -> sampler = value
            "exporter" -> exporter = value
            "exporters" -> exporters = checked(option, value, "a list")
            "logsExporter" -> logsExporter = value
            "metricsExporter" -> metricsExporter = value
            "spanFilter" -> spanFilter = checked(option, value, "a SpanFilter")
            "processors" -> processors = processorsOf(checked(option, value, "a list of Processor"))
            "mobile" -> mobile = checked(option, value, "MobileOptions")
            else -> give(Names.snake(option), value)
        }
        return this
    }

    private fun processorsOf(given: List<*>?): List<Processor>? =
        given?.withIndex()?.mapNotNull { (at, one) -> checked<Processor>("processors[$at]", one, "a Processor") }

    private inline fun <reified T> checked(
        option: String,
        value: Any?,
        expected: String,
    ): T? {
        if (value is T?) return value
        val message = "$option: an object of ${value.javaClass.name} is not usable; expected $expected"
        wrong = wrong ?: PolyspanError("invalid_option", message)
        return null
    }

    @Suppress("UNCHECKED_CAST")
    private fun <T> given(option: String): T? = data[option] as T?

    private fun give(
        option: String,
        value: Any?,
    ) {
        data[option] = value
    }
}
