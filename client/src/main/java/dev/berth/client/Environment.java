package dev.berth.client;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An environment as operators see it, without access.
 *
 * @param name its unique name
 * @param pool its pool
 * @param state {@code available}, {@code allocated}, {@code cleaning}, {@code checking}, {@code withheld}, {@code dirty} …
 * @param since since when it is in this state, or null where not told
 * @param holder who holds it, in words, or null
 * @param reason why it is dirty or withheld, or null
 * @param report what its provider had to say about that, over several lines, or null
 * @param retiring whether it goes away once it is free
 * @param retiredAt when it went away, or null
 * @param history what happened to it, newest or oldest first as the service tells it; empty in lists
 * @param json the answer as it came
 */
public record Environment(
        String name,
        @Nullable String pool,
        String state,
        @Nullable Instant since,
        @Nullable String holder,
        @Nullable String reason,
        @Nullable String report,
        boolean retiring,
        @Nullable Instant retiredAt,
        List<Map<String, Object>> history,
        String json) {

    /** Takes a copy of the list. */
    public Environment {
        history = List.copyOf(history);
    }
}
