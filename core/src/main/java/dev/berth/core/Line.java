package dev.berth.core;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The requests of a pool that wait for the same, and, where the pool's order or quotas tell principals apart, for the same one. Only
 * those somebody is interested in are counted: the others are passed over.
 *
 * @param need what they wait for; null in the line of those whose needs are special, each its own
 * @param waiting how many
 */
public record Line(Key key, @Nullable NeedClass need, int waiting) {
    public Line {
        Objects.requireNonNull(key);
    }

    /**
     * Which line.
     *
     * @param need the digest of what they wait for, with a {@code ?} where they keep asking; empty for what is special
     * @param holder who shares the pool with others; empty where that makes no difference
     */
    public record Key(String need, String holder) {
        public Key {
            Objects.requireNonNull(need);
            Objects.requireNonNull(holder);
        }
    }
}
