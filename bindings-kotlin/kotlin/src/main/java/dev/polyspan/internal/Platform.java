package dev.polyspan.internal;

import java.util.Locale;

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

    /** What a property says; null where that is nothing. */
    static String named(String property) {
        return property == null || property.isBlank() ? null : property.trim();
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
