package dev.berth.server.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The time of a database that several machines share: what it said last, and what has passed since by a clock of this machine that only
 * goes forward. The wall clock of this machine does not matter. Where the database's own is set, or another server with another clock takes
 * over, the jump is followed slowly, as {@link SlewedClock} does.
 */
public final class SharedClock implements TimeSource {
    private final LongSupplier nanos;
    private final SlewedClock slewed;
    private Instant heard;
    private long heardAtNanos;

    /**
     * @param notBefore the time that was told last, by any process
     * @param database what the database just said
     * @param nanos a clock that only goes forward
     * @param onJump is told how far the database's clock jumped
     */
    public SharedClock(Instant notBefore, Instant database, LongSupplier nanos, Consumer<Duration> onJump) {
        this.nanos = nanos;
        this.heard = database;
        this.heardAtNanos = nanos.getAsLong();
        this.slewed = new SlewedClock(notBefore, this::database, nanos, onJump);
    }

    private synchronized Instant database() {
        return heard.plusNanos(Math.max(0, nanos.getAsLong() - heardAtNanos));
    }

    @Override
    public synchronized void heard(Instant database) {
        heard = database;
        heardAtNanos = nanos.getAsLong();
    }

    @Override
    public Instant now() {
        return slewed.now();
    }
}
