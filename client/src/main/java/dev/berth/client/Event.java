package dev.berth.client;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Something that happened. Order is told by the stream, not by the instants.
 *
 * @param cursor where in the stream it stands, to go on from, or null where not told
 * @param type what happened, such as {@code allocation-granted}
 * @param at when, or null where not told
 * @param pool in which pool, or null where it concerns the service
 * @param fields everything that is told about it, these included
 * @param json the answer as it came
 */
public record Event(
        @Nullable String cursor,
        String type,
        @Nullable Instant at,
        @Nullable String pool,
        Map<String, Object> fields,
        String json) {}
