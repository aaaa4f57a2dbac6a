package dev.polyspan.internal;

import java.io.File;
import java.io.IOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.util.Locale;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Which native library this machine needs. In Java, as Kotlin's functions for texts are one class of thousands of
 * methods, which a start would wait for. Called by {@code Library}.
 */
final class Platform {
    private Platform() {}

    /** The folder that JNA would look into: {@code linux-x86-64}, {@code darwin-aarch64}, {@code win32-x86-64}. */
    static String folder() {
        // Not with `+`: the first one that runs in a program costs it 30 ms.
        return system().concat("-").concat(processor());
    }

    /** Whether threads may be virtual: from Java 21 on. The versions before 9 have a point, and that of Android. */
    static boolean mayHaveVirtualThreads() {
        String version = System.getProperty("java.specification.version", "");
        return version.indexOf('.') < 0 && (version.length() > 2 || version.compareTo("21") >= 0);
    }

    /** What a property says; null where that is nothing. */
    static String named(String property) {
        return property == null || property.isBlank() ? null : property.trim();
    }

    /**
     * What a jar says of a file inside; null where it is in none. A jar that is a plain file is read as such, as the class
     * loader has by now: a connection brings a dozen classes that a start would wait for.
     */
    static ZipEntry entry(URL inside) throws IOException {
        String named = inside.toString();
        int end = named.indexOf("!/");
        if (named.startsWith("jar:file:") && end > 0 && named.indexOf('!', end + 1) < 0) {
            try (ZipFile jar = new ZipFile(new File(URI.create(named.substring(4, end))))) {
                return jar.getEntry(named.substring(end + 2));
            } catch (IllegalArgumentException unusual) {
                // Its name is not written as one of a file: the connection knows.
            }
        }
        return inside.openConnection() instanceof JarURLConnection connection ? connection.getJarEntry() : null;
    }

    private static String system() {
        String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        if (system.startsWith("linux")) return "linux";
        if (system.startsWith("mac")) return "darwin";
        if (system.startsWith("windows")) return "win32";
        return system.replace(' ', '-');
    }

    private static String processor() {
        String processor = System.getProperty("os.arch", "");
        if (processor.equals("amd64") || processor.equals("x86_64")) return "x86-64";
        return processor.equals("arm64") ? "aarch64" : processor;
    }
}
