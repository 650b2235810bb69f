package dev.berth.server.auth;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What whoever waits is told of its wait.
 *
 * @param position in the queue, 1 for the first; those who are passed over count too
 * @param p50 by when it is as likely as not to be granted; null where that cannot be told
 * @param p90 by when it is granted in nine cases of ten; null where that cannot be told
 * @param waitingFor why it was not granted yet, a sentence or several
 */
public record Outlook(
        int position, @Nullable Instant p50, @Nullable Instant p90, String waitingFor) {}
