// Starting an engine: its options as the engine reads them, and the way into the library that they need. Plain data
// goes over JNI; code of the application needs the generated interface.

package dev.polyspan.internal

import dev.polyspan.Engine
import dev.polyspan.InitOptions
import dev.polyspan.MemoryExporter
import dev.polyspan.Mobile
import dev.polyspan.PolyspanError
import dev.polyspan.Sampler
import dev.polyspan.SpanExporter

internal object Launch {
    fun init(
        given: InitOptions,
        provider: Boolean,
    ): Engine {
        Library.load()
        try {
            return start(given, provider)
        } finally {
            // What the engine has to say of the options. The logger may use the engine already.
            EngineLog.sayWaiting()
        }
    }

    private fun start(
        given: InitOptions,
        provider: Boolean,
    ): Engine {
        given.wrong?.let { throw it }
        given.mobile?.check()
        val plain = LinkedHashMap<String, Any?>()
        for ((name, value) in given.data) if (value != null) plain[name] = Names.option(name, value)
        val code = Code()
        one(plain, code, "exporter", "", given.exporter)
        several(plain, code, "exporters", "", given.exporters)
        signal(plain, code, "logs", given.logsExporter)
        signal(plain, code, "metrics", given.metricsExporter)
        given.processors?.takeIf { it.isNotEmpty() }?.let { processors -> code.add { it.processors(processors) } }
        given.spanFilter?.let { filter -> code.add { it.filter(filter) } }
        val sampler = given.sampler
        if (sampler is Sampler) {
            code.add { it.sampler(sampler) }
        } else if (sampler != null) {
            plain["sampler"] = Names.described(sampler)
        }
        given.mobile?.describe(plain)
        val options = wholeValue(plain)
        val engine = if (code.isEmpty) started(options, provider) else code.start(options, provider)
        Exit.arm()
        val recorder = Registry.recorderFor(engine)
        // Whichever interface starts it: it may be the default one for all of them.
        Registry.findDefault()
        given.mobile?.let {
            recorder.mobile = it
            recorder.sessions = it.sessions(recorder.sessions)
            Mobile.settle(recorder)
        }
        return Engine(recorder)
    }

    private fun started(
        options: ByteArray,
        provider: Boolean,
    ): Long {
        val number = LongArray(1)
        Border.check(Jni.init(options, provider, number))
        return number[0]
    }

    /** What of some options is code of the application, to be told to the library one after the other. */
    private class Code {
        private val steps = ArrayList<(Plan) -> Unit>()
        val isEmpty: Boolean get() = steps.isEmpty()

        fun add(step: (Plan) -> Unit) {
            steps.add(step)
        }

        fun start(
            options: ByteArray,
            provider: Boolean,
        ): Long {
            val plan = Plan()
            for (step in steps) step(plan)
            return plan.start(options, provider)
        }
    }

    /** An exporter: one of the application's, or data. */
    private fun one(
        plain: MutableMap<String, Any?>,
        code: Code,
        option: String,
        signal: String,
        given: Any?,
    ) {
        if (given == null) return
        if (isCode(given)) {
            code.add { it.exporter(given, option, signal) }
            if (signal.isEmpty()) plain.putIfAbsent("exporters", emptyList<Any>())
        } else {
            plain[option] = Names.described(given)
        }
    }

    private fun several(
        plain: MutableMap<String, Any?>,
        code: Code,
        option: String,
        signal: String,
        given: List<*>?,
    ) {
        if (given == null) return
        val left = ArrayList<Any?>(given.size)
        for (at in 0 until given.size) {
            val one = given[at] ?: continue
            if (isCode(one)) code.add { it.exporter(one, "$option[$at]", signal) } else left.add(Names.described(one))
        }
        plain[option] = left
    }

    /** Exporters of log records, or of metrics. */
    private fun signal(
        plain: MutableMap<String, Any?>,
        code: Code,
        signal: String,
        given: Any?,
    ) {
        if (given == null) return
        val listed = if (given is List<*>) given.filterNotNull() else listOfNotNull(given)
        val left = listed.filterNot(::isCode)
        for (one in listed - left.toSet()) code.add { it.exporter(one, "${signal}Exporter", signal) }
        if (left.isNotEmpty()) plain["${signal}_exporter"] = Names.described(if (given is List<*>) left else left.single())
    }

    private fun isCode(given: Any): Boolean =
        when (given) {
            is MemoryExporter, is SpanExporter -> true

            is Map<*, *> -> given["formatters"] != null

            is String -> false

            else -> throw PolyspanError(
                "invalid_option",
                "exporter: an object of ${given.javaClass.name} is not usable; expected a name, a map, or a SpanExporter",
            )
        }
}
