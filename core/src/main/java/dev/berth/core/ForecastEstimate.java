package dev.berth.core;

import java.time.Instant;
import java.util.Objects;

/**
 * When a request is likely to be granted.
 *
 * @param p50 as likely before as after
 * @param p90 before this in nine cases of ten
 */
public record ForecastEstimate(Instant p50, Instant p90) {
    public ForecastEstimate {
        Objects.requireNonNull(p50);
        Objects.requireNonNull(p90);
    }
}
