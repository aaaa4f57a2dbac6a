// Numbers in byte arrays, for the writers and readers of frames and values.

package dev.polyspan.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * One machine instruction each. In Java, because a handle has to be a static constant and its calls have to keep their
 * exact types for that.
 */
final class Bytes {
    private static final VarHandle INT = little(int[].class);
    private static final VarHandle LONG = little(long[].class);

    private Bytes() {}

    private static VarHandle little(Class<?> view) {
        return MethodHandles.byteArrayViewVarHandle(view, ByteOrder.LITTLE_ENDIAN);
    }

    static void putShort(byte[] bytes, int at, int value) {
        bytes[at] = (byte) value;
        bytes[at + 1] = (byte) (value >>> 8);
    }

    static void putInt(byte[] bytes, int at, int value) {
        INT.set(bytes, at, value);
    }

    static void putLong(byte[] bytes, int at, long value) {
        LONG.set(bytes, at, value);
    }

    static void putDouble(byte[] bytes, int at, double value) {
        LONG.set(bytes, at, Double.doubleToRawLongBits(value));
    }

    /** Ids stand with their highest byte first. */
    static void putId(byte[] bytes, int at, long value) {
        LONG.set(bytes, at, Long.reverseBytes(value));
    }

    static int getShort(byte[] bytes, int at) {
        return bytes[at] & 0xff | (bytes[at + 1] & 0xff) << 8;
    }

    static int getInt(byte[] bytes, int at) {
        return (int) INT.get(bytes, at);
    }

    static long getLong(byte[] bytes, int at) {
        return (long) LONG.get(bytes, at);
    }

    static double getDouble(byte[] bytes, int at) {
        return Double.longBitsToDouble(getLong(bytes, at));
    }

    static long getId(byte[] bytes, int at) {
        return Long.reverseBytes(getLong(bytes, at));
    }

    /** Writes a text of that length; false where it is not ASCII, with anything written. */
    static boolean putAscii(String text, int length, byte[] bytes, int at) {
        int seen = 0;
        int done = 0;
        // Eight at a time; an array of their own, which the library would make for them, costs more.
        for (; done <= length - 8; done += 8) {
            int a = text.charAt(done);
            int b = text.charAt(done + 1);
            int c = text.charAt(done + 2);
            int d = text.charAt(done + 3);
            int e = text.charAt(done + 4);
            int f = text.charAt(done + 5);
            int g = text.charAt(done + 6);
            int h = text.charAt(done + 7);
            seen |= a | b | c | d | e | f | g | h;
            long low = a | b << 8 | c << 16 | d << 24;
            long high = e | f << 8 | g << 16 | h << 24;
            LONG.set(bytes, at + done, low | high << 32);
        }
        for (; done < length; done++) {
            int character = text.charAt(done);
            seen |= character;
            bytes[at + done] = (byte) character;
        }
        return seen < 0x80;
    }
}
