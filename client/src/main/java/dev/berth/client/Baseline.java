package dev.berth.client;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What belongs to an environment.
 *
 * @param version from 1 on; null where there is none yet
 * @param at when it was kept; null where there is none yet
 * @param by whose doing that was: a principal's name, or {@code verification}; null where there is none yet
 * @param things lines by their type
 * @param foundAt when a verification found something else; null where the last one agreed
 * @param more what was found beyond the things
 * @param missing things that were not found
 * @param json the answer as it came
 */
public record Baseline(
        String environment,
        @Nullable Integer version,
        @Nullable Instant at,
        @Nullable String by,
        Map<String, List<String>> things,
        @Nullable Instant foundAt,
        Map<String, List<String>> more,
        Map<String, List<String>> missing,
        String json) {}
