package dev.berth.server.http;

import dev.berth.core.AllocationId;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * For which allocations requests of their own principals are held, and whether one of them was given what was granted: only when all
 * of them have gone without it, nobody is there to collect it.
 */
final class Waiters {
    private final Map<AllocationId, Waiting> byAllocation = new ConcurrentHashMap<>();

    private record Waiting(int requests, boolean told) {}

    void begin(AllocationId id) {
        byAllocation.merge(id, new Waiting(1, false), (was, one) -> new Waiting(was.requests + 1, was.told));
    }

    /** Whether one is held, and none was given it. */
    boolean areFor(AllocationId id) {
        var waiting = byAllocation.get(id);
        return waiting != null && !waiting.told;
    }

    /** One of them, or another request, was given it. */
    void told(AllocationId id) {
        if (!byAllocation.isEmpty()) {
            byAllocation.computeIfPresent(id, (key, was) -> new Waiting(was.requests, true));
        }
    }

    /** One is held no more. Returns whether it was the last, and none was given it. */
    boolean end(AllocationId id) {
        var nobody = new boolean[1];
        byAllocation.computeIfPresent(id, (key, was) -> {
            nobody[0] = was.requests == 1 && !was.told;
            return was.requests == 1 ? null : new Waiting(was.requests - 1, was.told);
        });
        return nobody[0];
    }
}
