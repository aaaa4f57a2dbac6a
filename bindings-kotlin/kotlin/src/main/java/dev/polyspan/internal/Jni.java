package dev.polyspan.internal;

/**
 * What the first span and every batch need of the native library, over JNI: a call costs some nanoseconds, where one
 * through the generated interface costs microseconds and its loading as long as a program's whole start.
 *
 * <p>An engine is a number that stays valid until {@code release}; 0 is none. What may fail throws a
 * {@code RuntimeException} whose message is {@code code: text}.
 */
final class Jni {
    private Jni() {}

    /** Starts an engine; the options are a map in the form of a frame's value. */
    static native long init(byte[] options, boolean provider);

    /** The engine of that name, or the default one; 0 where it does not run. */
    static native long engine(String name);

    static native void release(long engine);

    static native String name(long engine);

    /** What holds for every span that is recorded here, as a map. */
    static native byte[] terms(long engine);

    /** What spans begin with outside of any context: {@code fields}, {@code tags}, {@code flags}, {@code asks}. */
    static native byte[] inherited(long engine);

    /** Decisions about {@code n} roots: for each 16 bytes of trace id, the decision, a length and its tracestate. */
    static native byte[] drawRoots(long engine, int n);

    /** 32 random bytes. */
    static native byte[] seed();

    /** Takes in {@code length} bytes of a frame with so many finished spans, and six counts. Answers bits: 1 lost, 2
     * memory is short, 4 stopped, 8 log lines wait. */
    static native int submit(long engine, byte[] frame, int from, int length, int spans, long[] counts);

    static native byte[] stats(long engine);

    static native byte[] resource(long engine);

    static native void flush(long engine, double seconds);

    static native void shutdown(long engine, double seconds);

    /** Shuts every engine down within its exit bound. */
    static native void exit();

    /** The engine's own log lines since the last call, as a list of texts. */
    static native byte[] takeLog();
}
