package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Requests that are yet to come and may go before some that wait: as often as they came of late, by those who asked before, for what
 * they asked for. None where the order is that of arrival and nobody asks with a higher priority than those who wait.
 */
final class ForecastArrivals {
    /** So many are foreseen in one course; what takes longer than they do is not known. */
    static final int MOST = 1_000;
    /** From fewer requests than these nobody can tell how many more there will be. */
    static final int FEWEST_ASKED = 20;
    /** So many of the last requests tell how often they come now: more would tell of another time of the day. */
    private static final int LATEST = 100;

    private final List<ForecastPool.Asked> asked;
    private final double perMilli;
    private final double doubt;
    private final boolean unknown;

    private ForecastArrivals(boolean unknown, List<ForecastPool.Asked> asked, double perMilli, double doubt) {
        this.unknown = unknown;
        this.asked = asked;
        this.perMilli = perMilli;
        this.doubt = doubt;
    }

    /**
     * @param requests that are played
     */
    static ForecastArrivals of(ForecastPool pool, List<ForecastPool.Waiting> requests) {
        var known = Stream.concat(
                        pool.history().requests().stream(),
                        pool.waiting().stream().map(ForecastArrivals::asked))
                .toList();
        int lowest =
                requests.stream().mapToInt(ForecastPool.Waiting::priority).min().orElse(Integer.MAX_VALUE);
        var overtaking = pool.isFair()
                ? known
                : known.stream().filter(each -> each.priority() > lowest).toList();
        var ago = ago(pool, known);
        if (overtaking.isEmpty() || ago.length < FEWEST_ASKED) {
            return new ForecastArrivals(pool.isFair(), List.of(), 0, 0);
        }
        int latest = Math.min(ago.length, LATEST);
        double perMilli = (double) latest / Math.max(1, ago[latest - 1]);
        return new ForecastArrivals(
                false, overtaking, perMilli * overtaking.size() / known.size(), 1 / Math.sqrt(latest));
    }

    static ForecastPool.Asked asked(ForecastPool.Waiting waiting) {
        return new ForecastPool.Asked(
                waiting.createdAt(),
                waiting.principal(),
                waiting.sharer(),
                waiting.need(),
                waiting.priority(),
                waiting.duration());
    }

    /** How long ago each request came, in milliseconds, ascending; of those that hold something, how long ago they were served. */
    private static long[] ago(ForecastPool pool, List<ForecastPool.Asked> known) {
        var came = new ArrayList<Instant>();
        known.forEach(each -> came.add(each.at()));
        Map<AllocationId, Instant> held = new HashMap<>();
        for (var busy : pool.busy()) {
            if (busy.loan() != null) {
                held.put(busy.loan().allocation(), busy.since());
            }
        }
        came.addAll(held.values());
        return came.stream()
                .mapToLong(at -> Math.max(0, Duration.between(at, pool.now()).toMillis()))
                .sorted()
                .toArray();
    }

    /** Those of whom one is drawn whenever a request comes. */
    List<ForecastPool.Asked> asked() {
        return asked;
    }

    boolean isNone() {
        return asked.isEmpty();
    }

    /** Whether some may go first, and it cannot be told how many: too few came so far. */
    boolean isUnknown() {
        return unknown;
    }

    /** How many come in a millisecond, on average. */
    double perMilli() {
        return perMilli;
    }

    /** How far that may be off, as the standard deviation of its logarithm. */
    double doubt() {
        return doubt;
    }
}
