package dev.polyspan.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A lock of one word for a few instructions at a time: spans take it for each thing that is set, so that two threads
 * which hold the same span lose nothing, and a monitor would cost twice as much. Nothing that can wait, and no code of
 * the application, runs under it.
 */
public abstract class Guard {
    private static final VarHandle HELD;

    static {
        try {
            HELD = MethodHandles.lookup().findVarHandle(Guard.class, "held", int.class);
        } catch (ReflectiveOperationException error) {
            throw new ExceptionInInitializerError(error);
        }
    }

    /** Looks before a waiting thread lets others run. */
    private static final int LOOKS = 64;

    @SuppressWarnings("unused")
    private int held;

    protected Guard() {}

    protected final void enter() {
        if (!HELD.compareAndSet(this, 0, 1)) await();
    }

    protected final void leave() {
        HELD.setRelease(this, 0);
    }

    private void await() {
        for (int looks = 0; !HELD.weakCompareAndSetAcquire(this, 0, 1); looks++) {
            if (looks < LOOKS) Thread.onSpinWait();
            else Thread.yield();
        }
    }
}
