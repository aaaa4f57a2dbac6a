// Finding and loading the native library: a file that the property `polyspan.library` names, else the one inside the jar
// for this platform (`Unpacked`), else one on the library path. Loading happens with the first call that needs the engine.

package dev.polyspan.internal

import dev.polyspan.PolyspanError
import java.io.IOException

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
            val found = named(System.getProperty(PROPERTY)) ?: Unpacked.file(Platform.folder(), System.mapLibraryName(NAME))
            file = if (found == null) null.also { System.loadLibrary(NAME) } else loaded(found)
            isLoaded = true
        } catch (error: LinkageError) {
            throw missing(error)
        } catch (error: IOException) {
            throw missing(error)
        }
    }

    /**
     * Loads a file, or a copy of it where another class loader of this process has it, as where two applications of a server
     * bring their own Polyspan each: the JVM gives a file to one of them alone.
     */
    private fun loaded(file: String): String {
        try {
            System.load(file)
            return file
        } catch (error: UnsatisfiedLinkError) {
            if (error.message?.contains("already loaded in another classloader") != true) throw error
        }
        val copy = Unpacked.copyOf(file)
        System.load(copy)
        return copy
    }

    /** The file that the property names; one that is empty names none. */
    fun named(property: String?): String? = Platform.named(property)

    private fun missing(error: Throwable): PolyspanError =
        PolyspanError(
            "resource",
            "library: the native library for ${Platform.folder()} cannot be loaded: ${error.message}; the jar holds it under " +
                "${Platform.folder()}/, or name a file with -D$PROPERTY",
        )
}
