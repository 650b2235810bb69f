package dev.berth.client;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of the list of allocations, without access.
 *
 * @param allocations the allocations
 * @param next the cursor of the next part, or null at the end
 * @param json the answer as it came
 */
public record AllocationPage(
        List<Allocation> allocations, @Nullable String next, String json) {

    /** Takes a copy of the list. */
    public AllocationPage {
        allocations = List.copyOf(allocations);
    }
}
