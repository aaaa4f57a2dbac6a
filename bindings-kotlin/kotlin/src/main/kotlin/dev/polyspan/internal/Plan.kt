// Starting an engine with code of the application: memory exporters, exporters, processors, filters, samplers.

package dev.polyspan.internal

import dev.polyspan.Formatter
import dev.polyspan.MemoryExporter
import dev.polyspan.PolyspanError
import dev.polyspan.Processor
import dev.polyspan.Sampler
import dev.polyspan.SpanExporter
import dev.polyspan.SpanFilter
import dev.polyspan.decisionOf
import dev.polyspan.host.Exporter
import dev.polyspan.host.Filter
import dev.polyspan.host.Formatters
import dev.polyspan.host.Handler
import dev.polyspan.host.Processors
import dev.polyspan.host.Stage
import dev.polyspan.internal.ffi.GivenExporter
import dev.polyspan.internal.ffi.NativeHandler
import dev.polyspan.internal.ffi.NativeOptions
import dev.polyspan.internal.ffi.RootSampler
import dev.polyspan.internal.ffi.initEngine

internal class Plan {
    private val options = Natives.call { NativeOptions("java") }

    private fun handler(handler: Handler): NativeHandler = NativeHandler(Stage.register(handler), handler.objects.map(Stage::numberOf))

    fun processors(processors: List<Processor>) = Natives.call { options.processors(handler(Processors(processors))) }

    fun filter(filter: SpanFilter) = Natives.call { options.filter(handler(Filter(filter))) }

    fun sampler(sampler: Sampler) =
        Natives.call {
            options.sampler(
                object : RootSampler {
                    override fun decide(about: ByteArray): Int = decisionOf(sampler, about)
                },
            )
        }

    /** An exporter of the application, of all signals or one; `option` says where it stands. */
    fun exporter(
        given: Any,
        option: String,
        signal: String,
    ) = Natives.call {
        when (given) {
            is MemoryExporter -> {
                options.memory(given.native, signal)
            }

            is SpanExporter -> {
                val exporter = Exporter(given)
                val events = exporter.events.map { it.wireName }
                options.exporter(GivenExporter(handler(exporter), exporter.name, exporter.atOnce, events), signal)
            }

            is Map<*, *> -> {
                val formatters = given["formatters"]
                val chain = if (formatters is List<*>) formatters else listOf(formatters)
                if (!chain.all { it is Formatter }) {
                    throw PolyspanError("invalid_option", "$option.formatters: $formatters is not usable; expected a Formatter or a list")
                }
                val described = wholeValue(Names.described(given - "formatters"))
                options.formatted(handler(Formatters(chain.map { it as Formatter })), Natives.direct(described), option)
            }
        }
    }

    /** Starts the engine; its number. */
    fun start(
        data: ByteArray,
        provider: Boolean,
    ): Long =
        Natives.call {
            options.data(Natives.direct(data))
            initEngine(options, provider).use { it.handle() }
        }
}
