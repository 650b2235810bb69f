package dev.berth.server.config;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How callers are told apart, how often they may call, and what strangers may not.
 *
 * @param trustedProxies whose word about where a request comes from is taken
 * @param principal how often each principal may call; null for as often as it likes
 * @param address how often anybody may from one address; null likewise
 * @param failures how often unknown credentials may come from one address; null likewise
 * @param closed what is shown to principals alone
 */
public record Callers(
        List<Network> trustedProxies,
        @Nullable Rate principal,
        @Nullable Rate address,
        @Nullable Rate failures,
        Set<Page> closed) {
    /** What holds where the file says nothing. */
    public static final Callers USUAL =
            new Callers(List.of(), new Rate(5_000, 20_000), new Rate(10_000, 40_000), new Rate(10, 100), Set.of());

    /** Everybody calls as often as they like. */
    public static final Callers UNLIMITED = new Callers(List.of(), null, null, null, Set.of());

    public Callers {
        trustedProxies = List.copyOf(trustedProxies);
        closed = Set.copyOf(closed);
    }

    /** What is shown to everybody, unless the file says otherwise. */
    public enum Page {
        /** {@code GET /}. */
        STATUS,
        /** {@code GET /metrics}. */
        METRICS
    }

    /**
     * A rate that may be exceeded for a while.
     *
     * @param perSecond how many in the long run
     * @param burst how many at once, after a while without any
     */
    public record Rate(int perSecond, int burst) {}
}
