// The Android library is these sources without a package, built by Gradle with versions of its own: what can be said of it
// without an SDK for Android.

package dev.polyspan

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.nio.charset.StandardCharsets

class AndroidTest {
    private val bindings = File(System.getProperty("polyspan.vectors")).resolve("../../bindings-kotlin")
    private val gradle = bindings.resolve("android/polyspan/build.gradle.kts").readText()

    /** A class file names in plain text what it refers to. */
    private fun refers(
        file: File,
        name: String,
    ): Boolean = name in String(file.readBytes(), StandardCharsets.ISO_8859_1)

    @Test
    fun `nothing needs what Android does without`() {
        val left = Regex("""exclude\("(.*)/\*\*"\)""").findAll(gradle).map { it.groupValues[1] }.toList()
        // For each of the two languages.
        assertEquals(listOf("dev/polyspan/http", "dev/polyspan/http"), left)
        val classes =
            File(
                Polyspan::class.java.protectionDomain.codeSource.location
                    .toURI(),
            )
        val files = classes.walk().filter { it.extension == "class" }.toList()
        val (inside, outside) = files.partition { it.relativeTo(classes).invariantSeparatorsPath.startsWith("dev/polyspan/http/") }
        assertTrue(inside.any { refers(it, "java/net/http/") } && outside.size > 100, "${inside.size}, ${outside.size}")
        for (name in listOf(
            "java/net/http/",
            "dev/polyspan/http/",
        )) {
            assertEquals(emptyList<File>(), outside.filter { refers(it, name) }, name)
        }
    }

    @Test
    fun `both builds have the same versions`() {
        val pom = bindings.resolve("kotlin/pom.xml").readText()
        val properties = Regex("<([a-z.]+)>(.*)</").findAll(pom).associate { it.groupValues[1] to it.groupValues[2] }

        fun plain(version: String) = Regex("""\$\{(.*)}""").matchEntire(version)?.let { properties.getValue(it.groupValues[1]) } ?: version
        val dependency = Regex("""<artifactId>(.*)</artifactId>\s*<version>(.*)</version>""")
        val known = dependency.findAll(pom).associate { it.groupValues[1] to plain(it.groupValues[2]) }
        val expected = known.mapKeys { it.key.removeSuffix("-core").removeSuffix("-jvm") }
        val used = Regex(""""[a-z0-9.]+:([a-z-]+):([0-9.]+)(@aar)?"""").findAll(gradle).toList()
        assertEquals(5, used.size)
        for (one in used) assertEquals(expected[one.groupValues[1].removeSuffix("-android")], one.groupValues[2], one.value)
        assertTrue("kotlin.android\") version \"${properties["kotlin.version"]}\"" in gradle)
        assertTrue("\nversion = \"${known["polyspan"]}\"" in gradle)
    }
}
