package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;

/**
 * What a principal, or whoever else shares a pool, has of it.
 *
 * @param held environments now
 * @param queued requests that wait
 * @param used environment-minutes that count still, as of {@code asOf}
 * @param servedAt when it was last granted something; the epoch where never
 */
public record Holder(String name, int held, int queued, double used, Instant asOf, Instant servedAt) {
    private static final double MILLIS_PER_MINUTE = 60_000;

    public Holder {
        Objects.requireNonNull(name);
        Objects.requireNonNull(asOf);
        Objects.requireNonNull(servedAt);
    }

    public static Holder unknown(String name, Instant now) {
        return new Holder(name, 0, 0, 0, now, Instant.EPOCH);
    }

    /**
     * The environment-minutes that count at an instant: what was used loses half of its weight with every half-life, and what is held
     * adds to it all the time. With decay constant k = ln 2 / half-life, after t: used·e^(−kt) + held·(1 − e^(−kt))/k.
     */
    public double usedAt(Instant now, Duration halfLife) {
        double minutes = Math.max(0, Duration.between(asOf, now).toMillis()) / MILLIS_PER_MINUTE;
        double k = Math.log(2) * MILLIS_PER_MINUTE / halfLife.toMillis();
        double left = Math.exp(-k * minutes);
        return used * left + held * (1 - left) / k;
    }

    Holder holding(int more, Instant now, Duration halfLife) {
        return new Holder(name, held + more, queued, usedAt(now, halfLife), now, more > 0 ? now : servedAt);
    }

    Holder queueing(int more) {
        return new Holder(name, held, queued + more, used, asOf, servedAt);
    }
}
