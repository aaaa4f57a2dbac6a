// The options of an engine. What is not given comes from `OTEL_*`, then from the defaults (docs/configuration.md).

package dev.polyspan

import dev.polyspan.internal.Names
import kotlin.properties.ReadWriteProperty
import kotlin.reflect.KProperty

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
    public var service: String? by option()

    /** Name of the engine in its process; `default` by default. */
    public var name: String? by option()

    /** Replaces a running engine of that name, which drains first. */
    public var replace: Boolean? by option()
    public var disabled: Boolean? by option()

    /** Attributes that every span says of its process. */
    public var resource: Map<String, *>? by option()
    public var resourceSchemaUrl: String? by option()

    /** A name, a ratio, a map that describes one, or a [Sampler]. */
    public var sampler: Any? = null
    public var propagators: Any? by option()
    public var exporter: Any? = null
    public var exporters: List<*>? = null

    /** Code that changes spans on their way or leaves them out. */
    public var processors: List<Processor>? = null

    /** True keeps a span. */
    public var spanFilter: SpanFilter? = null

    /** Where log records go; to where spans go by default. */
    public var logsExporter: Any? = null

    /** The least severity of log records that is kept. */
    public var logLevel: String? by option()

    /** Whether and how metrics are made of spans. */
    public var metrics: Any? by option()
    public var metricsExporter: Any? = null
    public var endpoint: String? by option()
    public var tracesEndpoint: String? by option()
    public var headers: Map<String, String>? by option()
    public var timeout: Any? by option()
    public var compression: String? by option()
    public var certificate: String? by option()
    public var clientKey: String? by option()
    public var clientCertificate: String? by option()

    /** The conventions on the wire: `genai` or `openinference`. */
    public var semantics: String? by option()

    /** Whether and how secrets are redacted; on by default. */
    public var redaction: Any? by option()
    public var limits: Any? by option()
    public var environment: String? by option()
    public var sessionId: String? by option()
    public var defaultSessionId: String? by option()
    public var userId: String? by option()
    public var organizationId: String? by option()
    public var requestContextKeys: List<String>? by option()
    public var propagateContext: Any? by option()
    public var internalSpans: Any? by option()
    public var includeInternalSpans: Boolean? by option()
    public var excludeSpanTypes: List<String>? by option()
    public var hideInput: Boolean? by option()
    public var hideOutput: Boolean? by option()
    public var includeIo: Boolean? by option()
    public var excludeFields: List<String>? by option()

    /** How long the end of the process may wait for delivery. */
    public var exitTimeout: Any? by option()
    public var diagnosticLevel: String? by option()

    /** How spans are batched where power and network are scarce, and when sessions change; see [MobileOptions]. */
    public var mobile: MobileOptions? = null

    /** Any option under the name that docs/configuration.md has for it, in camel case. */
    public fun set(
        option: String,
        value: Any?,
    ): InitOptions {
        when (option) {
            "sampler" -> sampler = value
            "exporter" -> exporter = value
            "exporters" -> exporters = value as? List<*>
            "logsExporter" -> logsExporter = value
            "metricsExporter" -> metricsExporter = value
            "spanFilter" -> spanFilter = value as? SpanFilter
            "processors" -> processors = (value as? List<*>)?.map { it as Processor }
            "mobile" -> mobile = value as? MobileOptions
            else -> put(option, value)
        }
        return this
    }

    private fun put(
        option: String,
        value: Any?,
    ) {
        data[Names.snake(option)] = value
    }

    /** An option that is plain data. */
    private fun <T> option(): ReadWriteProperty<InitOptions, T?> =
        object : ReadWriteProperty<InitOptions, T?> {
            @Suppress("UNCHECKED_CAST")
            override fun getValue(
                thisRef: InitOptions,
                property: KProperty<*>,
            ): T? = data[Names.snake(property.name)] as T?

            override fun setValue(
                thisRef: InitOptions,
                property: KProperty<*>,
                value: T?,
            ) = put(property.name, value)
        }
}
