// Where the native library is found, and the file that the processes of a user share.

package dev.polyspan

import dev.polyspan.internal.Library
import dev.polyspan.internal.Unpacked
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.net.URI
import java.net.URL
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption
import java.nio.file.attribute.PosixFilePermissions
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

class LibraryTest {
    @TempDir
    lateinit var folder: Path

    private val content = ByteArray(300_000) { (it % 251).toByte() }
    private lateinit var inside: URL

    @BeforeEach
    fun pack() {
        assumeTrue("posix" in folder.fileSystem.supportedFileAttributeViews(), "files have owners here")
        val jar = folder.resolve("some.jar")
        ZipOutputStream(Files.newOutputStream(jar)).use {
            it.putNextEntry(ZipEntry("here/lib.so"))
            it.write(content)
        }
        inside = URI("jar:${jar.toUri()}!/here/lib.so").toURL()
    }

    private fun kept(): Path? = Unpacked.kept(inside, "lib.so", folder.toString())?.let(Path::of)

    @Test
    fun `a property that is empty names no file`() {
        assertNull(Library.named(null))
        assertNull(Library.named(""))
        assertNull(Library.named("  "))
        assertEquals("/some/file.so", Library.named("/some/file.so"))
    }

    @Test
    fun `it is unpacked once`() {
        val file = kept()!!
        assertArrayEquals(content, Files.readAllBytes(file))
        val before = Files.readAttributes(file, "unix:ino")
        assertEquals(file, kept())
        assertEquals(before, Files.readAttributes(file, "unix:ino"))
        assertEquals(listOf(file), Files.list(file.parent).use { it.toList() })
    }

    @Test
    fun `a file that holds something else is replaced`() {
        val file = kept()!!
        Files.write(file, content.copyOf().also { it[1000] = 0 })
        assertEquals(file, kept())
        assertArrayEquals(content, Files.readAllBytes(file))
        // One that is written where it stands, as a program gone astray may do.
        Files.newByteChannel(file, StandardOpenOption.WRITE).use { it.write(ByteBuffer.allocate(10)) }
        assertEquals(file, kept())
        assertArrayEquals(content, Files.readAllBytes(file))
        Files.write(file, content.copyOf(1000))
        assertEquals(file, kept())
        assertArrayEquals(content, Files.readAllBytes(file))
    }

    @Test
    fun `a folder or file that others may write is not used`() {
        val file = kept()!!
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"))
        assertEquals(file, kept())
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        Files.setPosixFilePermissions(file.parent, PosixFilePermissions.fromString("rwxrwxrwx"))
        assertNull(kept())
    }

    @Test
    fun `a link in the place of the folder is not followed`() {
        val target = Files.createDirectory(folder.resolve("elsewhere"))
        Files.createSymbolicLink(folder.resolve("polyspan-${System.getProperty("user.name")}"), target)
        assertNull(kept())
    }
}
