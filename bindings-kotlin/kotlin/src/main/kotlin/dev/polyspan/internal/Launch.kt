// Starting an engine: its options as the engine reads them, and the way into the library that they need. Plain data
// goes over JNI; code of the application needs the generated interface.

package dev.polyspan.internal

import dev.polyspan.Engine
import dev.polyspan.InitOptions
import dev.polyspan.PolyspanError

internal object Launch {
    fun init(
        given: InitOptions,
        provider: Boolean,
    ): Engine {
        Library.load()
        val plain = LinkedHashMap<String, Any?>()
        for ((name, value) in given.data) if (value != null) plain[name] = Names.described(value)
        given.exporter?.let { plain["exporter"] = Names.described(it) }
        given.exporters?.let { plain["exporters"] = Names.described(it) }
        given.sampler?.let { plain["sampler"] = Names.described(it) }
        given.logsExporter?.let { plain["logs_exporter"] = Names.described(it) }
        given.metricsExporter?.let { plain["metrics_exporter"] = Names.described(it) }
        val engine = PolyspanError.checked { Jni.init(wholeValue(plain), provider) }
        Exit.arm()
        return Engine(Registry.recorderFor(engine))
    }
}
