// The native library over JNI, for starting engines, recorders, contexts and carriers; `bindings-kotlin/src/jvm.rs` has
// the other side. What is seldom needed takes the generated interface (`Natives`).

package dev.polyspan.internal;

/**
 * What the first span and every batch need of the native library, over JNI: a call costs some nanoseconds, where one
 * through the generated interface costs microseconds and its loading as long as a program's whole start.
 *
 * <p>Engines and ambients are numbers that stay valid until they are released; 0 is none, and one that stands for
 * nothing does nothing. Texts are UTF-8, results of several parts one value as frames have it ({@code Values}). No call
 * throws: one that may fail answers with an error in a line, or null.
 */
final class Jni {
    private Jni() {}

    /** Starts an engine by options that are a map, and puts its number into the array. */
    static native byte[] init(byte[] options, boolean provider, long[] engine);

    /** The engine of that name, or the default one for null; 0 where it does not run. */
    static native long engine(byte[] name);

    static native void release(long engine);

    static native byte[] name(long engine);

    /** What holds for every span that is recorded here, as a map. */
    static native byte[] terms(long engine);

    /** For each of {@code n} roots 16 bytes of trace id, the decision, a length and its tracestate. */
    static native byte[] drawRoots(long engine, int n);

    /** What spans inside begin with: {@code fields}, {@code tags}, {@code flags} and {@code asks}. */
    static native byte[] inherited(long engine, long ambient);

    /** 32 random bytes. */
    static native byte[] seed();

    /** Takes in the first {@code length} bytes of a frame with so many finished spans, and six counts. Answers bits:
     * 1 lost, 2 memory is short, 4 stopped, 8 log lines wait. */
    static native int submit(long engine, byte[] frame, int length, int spans, long[] counts);

    /** A number for an instrumentation scope. */
    static native int scope(long engine, byte[] name, byte[] version, byte[] schemaUrl);

    /** Starts a span by all the engine's rules: {@code slot}, {@code context}, {@code body} and {@code ambient}. */
    static native byte[] start(
            long engine, byte[] described, byte[] parent, long ambient, byte[] request, byte[] traceId);

    /** What is inherited inside: {@code ambient}, a number to be released, and {@code refused}. */
    static native byte[] surround(long outer, byte[] added);

    /** Key, value, properties, and so on. */
    static native byte[] baggage(long ambient);

    static native void releaseAmbient(long ambient);

    /** Reads a list of names and values: {@code context}, {@code baggage}, {@code ids} and {@code refused}. */
    static native byte[] extract(long engine, byte[] headers);

    /** The names of all headers that {@code extract} looks for. */
    static native byte[] carrierFields(long engine);

    /** {@code headers}, a list of names and values, and {@code refused}. */
    static native byte[] inject(long engine, byte[] context, long ambient);

    static native byte[] stats(long engine);

    /** Has the exporters keep what they are given from now on, or lets it go again. */
    static native void hold(long engine, boolean held);

    static native byte[] flush(long engine, double seconds);

    static native byte[] shutdown(long engine, double seconds);

    /** The engine's own log lines since the last call. */
    static native byte[] takeLog();

    /** Shuts every engine down within its exit bound. */
    static native void exit();
}
