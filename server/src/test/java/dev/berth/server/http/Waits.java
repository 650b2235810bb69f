package dev.berth.server.http;

import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Awaits conditions with a deadline. */
final class Waits {
    private static final long PATIENCE = 60_000_000_000L;

    private Waits() {}

    /** What the supplier gives once it gives something. */
    static <T> T until(Supplier<@Nullable T> condition) {
        long deadline = System.nanoTime() + PATIENCE;
        while (System.nanoTime() < deadline) {
            var value = condition.get();
            if (value != null) {
                return value;
            }
            LockSupport.parkNanos(1_000_000);
        }
        throw new AssertionError("nothing came in time");
    }

    static void untilTrue(Supplier<Boolean> condition) {
        var _ = until(() -> condition.get() ? Boolean.TRUE : null);
    }
}
