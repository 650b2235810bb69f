package dev.berth.client;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Where a pending allocation stands.
 *
 * @param position 1 for the next in order, 0 where it is not told
 * @param grantAtP50 when it is granted in half of all cases, or null where nothing is known yet
 * @param grantAtP90 when it is granted in nine of ten cases, or null where nothing is known yet
 * @param waitingFor why it waits, in words, or null
 */
public record QueuePlace(
        long position,
        @Nullable Instant grantAtP50,
        @Nullable Instant grantAtP90,
        @Nullable String waitingFor) {}
