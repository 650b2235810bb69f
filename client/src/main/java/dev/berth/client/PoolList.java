package dev.berth.client;

import java.util.List;

/**
 * All pools that the caller may see.
 *
 * @param pools the pools
 * @param json the answer as it came
 */
public record PoolList(List<Pool> pools, String json) {

    /** Takes a copy of the list. */
    public PoolList {
        pools = List.copyOf(pools);
    }
}
