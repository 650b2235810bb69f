package dev.berth.client;

import org.jspecify.annotations.Nullable;

/**
 * A pool in one snapshot. The states add up to {@code total}; {@code retiring} is counted beside them.
 *
 * @param name its name
 * @param provider its kind of environment
 * @param total all environments
 * @param available free to be lent
 * @param allocated held
 * @param cleaning between two holders
 * @param checking taken out for a check while idle
 * @param withheld not lent while another environment of their account is not free
 * @param dirty waiting for a person
 * @param retiring going away
 * @param queueLength requests that wait
 * @param queueOldestSeconds how long the oldest of them waits, or null where none does
 * @param waitP50Seconds what half of the grants waited at most, or null where nothing is known
 * @param waitP90Seconds what nine of ten grants waited at most, or null where nothing is known
 * @param waitP99Seconds what 99 of 100 grants waited at most, or null where nothing is known
 * @param utilisation the part of its environments that is in use, 0 to 1, or null where nothing is known
 * @param json the answer as it came
 */
public record Pool(
        String name,
        String provider,
        long total,
        long available,
        long allocated,
        long cleaning,
        long checking,
        long withheld,
        long dirty,
        long retiring,
        long queueLength,
        @Nullable Double queueOldestSeconds,
        @Nullable Double waitP50Seconds,
        @Nullable Double waitP90Seconds,
        @Nullable Double waitP99Seconds,
        @Nullable Double utilisation,
        String json) {}
