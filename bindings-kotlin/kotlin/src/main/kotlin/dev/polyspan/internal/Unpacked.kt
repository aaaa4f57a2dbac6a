// The library inside the jar as a file. Unpacking it is more than half of what a start would cost, so it is unpacked once
// for each user into a folder of the temporary one, under the length and checksum that the jar has for it. The folder
// and the file must belong to the user, and nobody else may be able to write there. What the file holds is compared with
// the checksum whenever it was written since it was last compared, which its time tells: comparing costs a start 10 ms.
// Where any of that fails the process has a file of its own, which goes when it ends.

package dev.polyspan.internal

import java.io.File
import java.io.IOException
import java.net.URL
import java.nio.file.FileAlreadyExistsException
import java.nio.file.Files
import java.nio.file.LinkOption.NOFOLLOW_LINKS
import java.nio.file.Path
import java.nio.file.StandardCopyOption
import java.nio.file.attribute.FileTime
import java.nio.file.attribute.PosixFileAttributes
import java.nio.file.attribute.PosixFilePermission
import java.nio.file.attribute.PosixFilePermissions
import java.util.zip.CRC32

internal object Unpacked {
    /** The library for that platform; `null` where the class path has none. Android unpacks its own. */
    fun file(
        platform: String,
        name: String,
    ): String? {
        val inside = Unpacked::class.java.classLoader?.getResource("$platform/$name") ?: return null
        if (inside.protocol == "file") return File(inside.toURI()).path
        return kept(inside, name, System.getProperty("java.io.tmpdir")) ?: ofProcess(inside, name)
    }

    /** The file that all processes of this user share; `null` where there can be none. */
    fun kept(
        inside: URL,
        name: String,
        temporary: String,
    ): String? =
        try {
            val entry = Platform.entry(inside)
            if (entry == null || entry.size <= 0 || entry.crc < 0) null else shared(inside, name, temporary, entry.size, entry.crc)
        } catch (_: IOException) {
            null
        } catch (_: UnsupportedOperationException) {
            // Files there have no owner: Windows, where the temporary folder is the user's alone, but cannot tell.
            null
        }

    private fun shared(
        inside: URL,
        name: String,
        temporary: String,
        size: Long,
        checksum: Long,
    ): String? {
        val folder = Path.of(temporary, "polyspan-${System.getProperty("user.name")}")
        if (!isOurs(folder, isFolder = true)) {
            try {
                Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")))
            } catch (_: FileAlreadyExistsException) {
                // Another process was first, or it is somebody else's: the next question tells.
            }
            if (!isOurs(folder, isFolder = true)) return null
        }
        val file = folder.resolve("${java.lang.Long.toHexString(checksum)}-$size-$name")
        if (holds(file, size, checksum)) return file.toString()
        val fresh = Files.createTempFile(folder, "new", null)
        try {
            copy(inside, fresh)
            // At once: others see all of it or nothing.
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE)
        } finally {
            Files.deleteIfExists(fresh)
        }
        return if (holds(file, size, checksum)) file.toString() else null
    }

    /** Whether it is there, belongs to this user, and nobody else may write it. */
    private fun isOurs(
        path: Path,
        isFolder: Boolean,
    ): Boolean = ours(path, isFolder) != null

    private fun ours(
        path: Path,
        isFolder: Boolean,
    ): PosixFileAttributes? {
        val found =
            try {
                Files.readAttributes(path, PosixFileAttributes::class.java, NOFOLLOW_LINKS)
            } catch (_: IOException) {
                return null
            }
        val others = found.permissions()
        val isOurs =
            (if (isFolder) found.isDirectory else found.isRegularFile) &&
                found.owner().name == System.getProperty("user.name") &&
                !others.contains(PosixFilePermission.GROUP_WRITE) &&
                !others.contains(PosixFilePermission.OTHERS_WRITE)
        return if (isOurs) found else null
    }

    /** When a file was last written whose content has that checksum and was compared with it: a second of the past. */
    private fun comparedAt(checksum: Long): Long = (checksum and 0x3fffffff) * 1000

    private fun holds(
        file: Path,
        size: Long,
        checksum: Long,
    ): Boolean {
        val found = ours(file, isFolder = false)
        if (found == null || found.size() != size) return false
        if (found.lastModifiedTime().toMillis() == comparedAt(checksum)) return true
        if (checksumOf(file) != checksum) return false
        Files.setLastModifiedTime(file, FileTime.fromMillis(comparedAt(checksum)))
        return true
    }

    private fun checksumOf(file: Path): Long {
        val found = CRC32()
        val bytes = ByteArray(BLOCK)
        File(file.toString()).inputStream().use {
            while (true) {
                val count = it.read(bytes)
                if (count < 0) break
                found.update(bytes, 0, count)
            }
        }
        return found.value
    }

    /** A copy of a file for this process. */
    fun copyOf(file: String): String = Path.of(file).let { ofProcess(it.toUri().toURL(), it.fileName.toString()) }

    private fun ofProcess(
        inside: URL,
        name: String,
    ): String {
        val folder = Files.createTempDirectory("polyspan")
        val file = folder.resolve(name)
        copy(inside, file)
        // JNA may want the library later. The last one named goes first.
        folder.toFile().deleteOnExit()
        file.toFile().deleteOnExit()
        return file.toString()
    }

    private fun copy(
        from: URL,
        to: Path,
    ) {
        from.openStream().use { stream -> Files.newOutputStream(to).use { stream.copyTo(it, BLOCK) } }
    }

    private const val BLOCK = 256 * 1024
}
