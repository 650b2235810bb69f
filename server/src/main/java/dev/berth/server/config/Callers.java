package dev.berth.server.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How callers are told apart, and how often they may call.
 *
 * @param trustedProxies whose word about where a request comes from is taken
 * @param principal how often each principal may call; null for as often as it likes
 * @param address how often anybody may from one address; null likewise
 * @param failures how often unknown credentials may come from one address; null likewise
 */
public record Callers(
        List<Network> trustedProxies,
        @Nullable Rate principal,
        @Nullable Rate address,
        @Nullable Rate failures) {
    /** What holds where the file says nothing. */
    public static final Callers USUAL =
            new Callers(List.of(), new Rate(5_000, 20_000), new Rate(10_000, 40_000), new Rate(10, 100));

    /** Everybody calls as often as they like. */
    public static final Callers UNLIMITED = new Callers(List.of(), null, null, null);

    public Callers {
        trustedProxies = List.copyOf(trustedProxies);
    }

    /**
     * A rate that may be exceeded for a while.
     *
     * @param perSecond how many in the long run
     * @param burst how many at once, after a while without any
     */
    public record Rate(int perSecond, int burst) {}
}
