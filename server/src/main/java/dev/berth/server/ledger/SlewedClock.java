package dev.berth.server.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Time that serves deadlines: follows the wall clock, checked against a clock that only goes forward. Where the two part by more than
 * a little, the wall clock was set: the jump is told once and then made up for gradually, at twice or half the normal pace, so that
 * whoever renews a deadline within half its time loses nothing by it. Never goes back.
 */
public final class SlewedClock implements TimeSource {
    private static final Duration JUMP = Duration.ofSeconds(2);

    private final Supplier<Instant> wall;
    private final LongSupplier nanos;
    private final Consumer<Duration> onJump;
    private Instant told;
    private long toldAtNanos;
    private Duration apart = Duration.ZERO;

    /**
     * @param notBefore the time that was told last, by an earlier process perhaps
     * @param wall the wall clock
     * @param nanos a clock that only goes forward
     * @param onJump is told how far the wall clock jumped
     */
    public SlewedClock(Instant notBefore, Supplier<Instant> wall, LongSupplier nanos, Consumer<Duration> onJump) {
        this.wall = wall;
        this.nanos = nanos;
        this.onJump = onJump;
        var now = wall.get();
        this.told = millis(now.isBefore(notBefore) ? notBefore : now);
        this.toldAtNanos = nanos.getAsLong();
        this.apart = Duration.between(told, now);
        if (apart.abs().compareTo(JUMP) > 0) {
            onJump.accept(apart);
        }
    }

    @Override
    public synchronized Instant now() {
        long nanosNow = nanos.getAsLong();
        var passed = Duration.ofNanos(Math.max(0, nanosNow - toldAtNanos));
        var apartNow = Duration.between(told.plus(passed), wall.get());
        if (apartNow.minus(apart).abs().compareTo(JUMP) > 0) {
            onJump.accept(apartNow.minus(apart));
        }
        // Small differences are followed at once; large ones at the pace that is left to make them up.
        var most = apartNow.isNegative() ? passed.dividedBy(2).negated() : passed;
        var correction = apartNow.abs().compareTo(JUMP) <= 0
                ? apartNow
                : apartNow.abs().compareTo(most.abs()) < 0 ? apartNow : most;
        var next = millis(told.plus(passed).plus(correction));
        if (next.isAfter(told)) {
            told = next;
            toldAtNanos = nanosNow;
            apart = apartNow.minus(correction);
        }
        return told;
    }

    private static Instant millis(Instant instant) {
        return Instant.ofEpochMilli(instant.toEpochMilli());
    }
}
