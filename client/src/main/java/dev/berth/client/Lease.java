package dev.berth.client;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A held allocation that is kept alive in the background and released on close.
 *
 * <p>Its deadlines are counted on the monotonic clock, from the moment before each successful keepalive was sent: the
 * holder knows of its loss no later than the service lends the environment again, whatever the wall clocks do.
 *
 * <p>Time for which the service is known to be down does not count: when it comes back it forgives its own absence. Known means that the
 * host itself refuses connections, or that the service answers that it cannot use its database. Silence does count: behind it the service
 * may be well, and lend the environment to somebody else. Where several services share a database, the address must be one that is refused
 * only when all of them are down.
 */
public final class Lease implements AutoCloseable {
    private static final Duration FIRST_RETRY = Duration.ofMillis(250);

    private final BerthClient client;
    private final Allocation allocation;
    private final @Nullable Duration keepalive;
    private final CompletableFuture<LeaseLoss> lost = new CompletableFuture<>();
    private final CountDownLatch stop = new CountDownLatch(1);
    private final AtomicBoolean released = new AtomicBoolean();
    private final Thread keeper;

    private Lease(BerthClient client, Allocation allocation, @Nullable Duration keepalive) {
        this.client = client;
        this.allocation = allocation;
        this.keepalive = keepalive;
        this.keeper = Thread.ofVirtual().name("berth-lease-" + allocation.id()).unstarted(this::keep);
    }

    /**
     * Takes charge of an active allocation.
     *
     * @param keepalive the keepalive that the request asked for; null where it left it to the pool, whose own is then
     *     taken from the allocation
     */
    public static Lease of(BerthClient client, Allocation allocation, @Nullable Duration keepalive) {
        if (allocation.state() != AllocationState.ACTIVE) {
            throw new IllegalArgumentException("only an active allocation can be held, not " + allocation);
        }
        Lease lease = new Lease(client, allocation, keepalive == null ? ofPool(allocation) : keepalive);
        lease.keeper.start();
        return lease;
    }

    /** The pool's own keepalive, as the allocation tells it; a second less where it was collected some time after it was granted. */
    static @Nullable Duration ofPool(Allocation allocation) {
        Instant by = allocation.keepaliveBy();
        Instant since = allocation.grantedAt();
        if (by == null || since == null) {
            return null;
        }
        Instant end = allocation.expiresAt();
        Duration left = allocation.expiresIn();
        if (end != null && left != null && end.minus(left).isAfter(since)) {
            since = end.minus(left); // when it was answered, on the service's own clock
        }
        Duration interval = Duration.between(since, by);
        return interval.isPositive() ? interval : null;
    }

    /** The allocation as it was granted, with its access. */
    public Allocation allocation() {
        return allocation;
    }

    /** Completes, never exceptionally, when the lease is lost; stays open when it is released. */
    public CompletableFuture<LeaseLoss> lost() {
        return lost.copy();
    }

    /**
     * Ends the allocation. Only the first call does something.
     *
     * @param outcome what the holder says about the work, such as {@code success}, or null
     * @throws BerthUnreachable when the service could not be told; the allocation then ends by its keepalive
     */
    public void release(@Nullable String outcome) {
        stop.countDown();
        if (released.compareAndSet(false, true)) {
            if (lost.isDone()) {
                // Most likely it has ended already: worth one try, in case only the holder's clock says so.
                client.releaseOnce(allocation.id(), outcome);
            } else {
                client.release(allocation.id(), outcome);
            }
        }
    }

    /**
     * Hands the allocation over to persons instead of ending it: see {@link BerthClient#hold}. Afterwards it is not released any more.
     *
     * @throws BerthProblem where the service refuses; the lease then goes on
     * @throws BerthUnreachable when the service could not be told; the lease then goes on
     */
    public Allocation hold(Duration longest, @Nullable String outcome, List<String> to) {
        Allocation held = client.hold(allocation.id(), longest, outcome, to);
        released.set(true);
        stop.countDown();
        return held;
    }

    /** Releases without an outcome, unless that was done or it was handed over. */
    @Override
    public void close() {
        release(null);
    }

    private void keep() {
        long start = System.nanoTime();
        Deadlines deadlines = new Deadlines(start, keepalive, allocation.expiresIn());
        try {
            Duration pause = Duration.ZERO;
            Backoff backoff = new Backoff(FIRST_RETRY, interval());
            while (!stop.await(deadlines.until(pause).toNanos(), TimeUnit.NANOSECONDS)) {
                LeaseLoss passed = deadlines.passed();
                if (passed != null) {
                    lost.complete(passed);
                    return;
                }
                if (keepalive == null) {
                    pause = interval();
                    continue;
                }
                long sentAt = System.nanoTime();
                try {
                    Allocation answer = client.keepaliveOnce(allocation.id(), deadlines.left());
                    deadlines.kept(sentAt, answer.expiresIn());
                    backoff.reset();
                    pause = interval();
                } catch (BerthProblem problem) {
                    if (problem.status() == 410 || problem.status() == 404) {
                        lost.complete(new LeaseLoss(problem.code(), problem.message()));
                        return;
                    }
                    pause = deadlines.failed(problem.code().equals("store-unavailable"), backoff);
                } catch (BerthUnreachable e) {
                    pause = deadlines.failed(client.isRefused(e), backoff);
                } catch (RuntimeException e) {
                    // A reply that makes no sense, or whoever says what authorizes us cannot now (a credential process
                    // that failed, a
                    // token file that is being replaced): the lease is good until its deadline.
                    pause = deadlines.failed(false, backoff);
                }
            }
        } catch (InterruptedException e) {
            lost.complete(new LeaseLoss("keepalive-lost", "the keeper of the lease was interrupted"));
        } catch (RuntimeException e) {
            // Without its keeper the lease is as good as lost; holding on silently would be the worse mistake.
            lost.complete(new LeaseLoss("keepalive-lost", "the keeper of the lease failed: " + e));
        }
    }

    private Duration interval() {
        return keepalive == null ? Duration.ofHours(1) : keepalive.dividedBy(4);
    }

    /** The two ends of a lease on the monotonic clock. For the keeper's thread. */
    private static final class Deadlines {
        private final @Nullable Duration keepalive;
        private @Nullable Long keptUntil;
        private @Nullable Long sessionUntil;

        /** When the service was last known to be down, with nothing since that says otherwise. */
        private @Nullable Long downAt;

        Deadlines(long start, @Nullable Duration keepalive, @Nullable Duration session) {
            this.keepalive = keepalive;
            kept(start, session);
        }

        void kept(long sentAt, @Nullable Duration session) {
            downAt = null;
            keptUntil = keepalive == null ? null : Long.valueOf(sentAt + keepalive.toNanos());
            sessionUntil = session == null ? null : Long.valueOf(sentAt + session.toNanos());
        }

        /**
         * Takes note of a keepalive that did not get through, and tells when to try again.
         *
         * @param down whether the service is known to be down
         */
        Duration failed(boolean down, Backoff backoff) {
            long now = System.nanoTime();
            if (down && downAt != null && keptUntil != null) {
                keptUntil += now - downAt;
            }
            downAt = down ? Long.valueOf(now) : null;
            Duration pause = backoff.next(Duration.ZERO);
            Duration half = left().dividedBy(2);
            // Down or not has to be found out again before the deadline.
            return down && half.compareTo(pause) < 0 ? half : pause;
        }

        Duration left() {
            long now = System.nanoTime();
            long left = Duration.ofDays(1).toNanos();
            if (keptUntil != null) {
                left = Math.min(left, keptUntil - now);
            }
            if (sessionUntil != null) {
                left = Math.min(left, sessionUntil - now);
            }
            return Duration.ofNanos(Math.max(left, 0));
        }

        Duration until(Duration pause) {
            Duration left = left();
            return pause.compareTo(left) < 0 ? pause : left;
        }

        @Nullable
        LeaseLoss passed() {
            long now = System.nanoTime();
            if (sessionUntil != null && now - sessionUntil >= 0) {
                return new LeaseLoss("session-expired", "the session is over");
            }
            if (keptUntil != null && now - keptUntil >= 0) {
                return new LeaseLoss(
                        "keepalive-lost",
                        "no keepalive reached the service for " + WireDuration.format(orZero(keepalive)));
            }
            return null;
        }

        private static Duration orZero(@Nullable Duration duration) {
            return duration == null ? Duration.ZERO : duration;
        }
    }
}
