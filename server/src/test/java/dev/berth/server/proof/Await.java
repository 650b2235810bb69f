package dev.berth.server.proof;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Waits for conditions, never for time. */
final class Await {
    static final Duration AMPLE = Duration.ofMinutes(2);
    private static final long LOOK_EVERY_NANOS = 5_000_000;

    private Await() {}

    /** Something that may fail while it is not yet so. */
    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }

    static void until(String what, Condition condition) {
        until(what, AMPLE, condition);
    }

    static void until(String what, Duration most, Condition condition) {
        long deadline = System.nanoTime() + most.toNanos();
        Exception last = null;
        while (true) {
            try {
                if (condition.holds()) {
                    return;
                }
            } catch (Exception e) {
                last = e;
            }
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within " + most.toSeconds() + " s: " + what, last);
            }
            LockSupport.parkNanos(LOOK_EVERY_NANOS);
        }
    }
}
