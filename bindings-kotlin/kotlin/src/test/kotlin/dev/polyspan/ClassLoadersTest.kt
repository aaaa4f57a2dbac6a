// Two copies of the package in one process, as two applications of a server have them: each with engines of its own.

package dev.polyspan

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotSame
import org.junit.jupiter.api.Test
import java.io.File
import java.net.URLClassLoader
import java.util.concurrent.Callable

class ClassLoadersTest {
    /** What an application does; loaded with its copy of the package. The memory exporter needs the generated interface. */
    internal class Application : Callable<String> {
        override fun call(): String {
            val memory = MemoryExporter()
            Polyspan.setLogger { }
            val engine =
                Polyspan.init {
                    service = "application"
                    exporter = memory
                }
            span("work") { }
            engine.flush()
            val found = "${memory.spans.map { it.name }} ${engine.stats().ended} ${Polyspan.engines().size}"
            engine.shutdown()
            return found
        }
    }

    @Test
    fun `each class loader has engines of its own`() {
        val path = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        val urls = path.split(File.pathSeparator).map { File(it).toURI().toURL() }.toTypedArray()
        val loaders = List(2) { URLClassLoader(urls, ClassLoader.getPlatformClassLoader()) }
        val applications =
            loaders.map { loader ->
                val type = loader.loadClass(Application::class.java.name)
                assertNotSame(Application::class.java, type)
                type.getDeclaredConstructor().apply { isAccessible = true }.newInstance() as Callable<*>
            }
        Engines.with { engine, memory ->
            repeat(2) { for (application in applications) assertEquals("[work] 1 1", application.call()) }
            span("ours") { }
            engine.flush()
            assertEquals(listOf("ours"), memory.spans.map { it.name })
        }
    }
}
