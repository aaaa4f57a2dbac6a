// Finding and loading the native library: a file that the property `polyspan.library` names, else the one inside the jar
// for this platform, else one on the library path. Loading happens with the first call that needs the engine.

package dev.polyspan.internal

import dev.polyspan.PolyspanError
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption

internal object Library {
    private const val NAME = "polyspan_uniffi"
    private const val PROPERTY = "polyspan.library"

    @Volatile
    var isLoaded = false
        private set

    /** The file that was loaded; `null` where the system found it by its name. */
    @Volatile
    var file: String? = null
        private set

    /** Loads it once. Throws `PolyspanError` (`resource`) that says what was tried. */
    @Synchronized
    fun load() {
        if (isLoaded) return
        try {
            val given = System.getProperty(PROPERTY)
            val found = given ?: unpacked()
            if (found == null) System.loadLibrary(NAME) else System.load(found)
            file = found
            isLoaded = true
        } catch (error: LinkageError) {
            throw missing(error)
        } catch (error: IOException) {
            throw missing(error)
        }
    }

    private fun missing(error: Throwable): PolyspanError =
        PolyspanError(
            "resource",
            "library: the native library for ${platform()} cannot be loaded: ${error.message}; the jar holds it under " +
                "${platform()}/, or name a file with -D$PROPERTY",
        )

    /** The library inside the jar as a file. Android unpacks its own. */
    private fun unpacked(): String? {
        val name = System.mapLibraryName(NAME)
        val inside = Library::class.java.classLoader?.getResourceAsStream("${platform()}/$name") ?: return null
        val folder = Files.createTempDirectory("polyspan")
        val file = folder.resolve(name)
        inside.use { Files.copy(it, file, StandardCopyOption.REPLACE_EXISTING) }
        forget(file, folder)
        return file.toString()
    }

    /** Files go when the process ends: JNA may want the library later. The last one named goes first. */
    private fun forget(
        file: Path,
        folder: Path,
    ) {
        folder.toFile().deleteOnExit()
        file.toFile().deleteOnExit()
    }

    /** The folder that JNA would look into: `linux-x86-64`, `darwin-aarch64`, `win32-x86-64`. */
    private fun platform(): String {
        val os = System.getProperty("os.name", "").lowercase()
        val system =
            when {
                os.startsWith("linux") -> "linux"
                os.startsWith("mac") -> "darwin"
                os.startsWith("windows") -> "win32"
                else -> os.replace(' ', '-')
            }
        val processor =
            when (val arch = System.getProperty("os.arch", "")) {
                "amd64", "x86_64" -> "x86-64"
                "arm64" -> "aarch64"
                else -> arch
            }
        return "$system-$processor"
    }
}
