package dev.polyspan.internal;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * A lock of one word for a few instructions at a time: spans take it for each thing that is set, so that two threads
 * which hold the same span lose nothing, and a monitor would cost twice as much. Nothing that can wait, and no code of
 * the application, runs under it.
 */
public abstract class Guard {
    private static final AtomicIntegerFieldUpdater<Guard> HELD =
            AtomicIntegerFieldUpdater.newUpdater(Guard.class, "held");

    /** Looks before a waiting thread lets others run. */
    private static final int LOOKS = 64;

    @SuppressWarnings("unused")
    private volatile int held;

    protected Guard() {}

    protected final void enter() {
        if (!HELD.compareAndSet(this, 0, 1)) await();
    }

    protected final void leave() {
        HELD.lazySet(this, 0);
    }

    private void await() {
        for (int looks = 0; !HELD.compareAndSet(this, 0, 1); looks++) {
            if (looks < LOOKS) Thread.onSpinWait();
            else Thread.yield();
        }
    }
}
