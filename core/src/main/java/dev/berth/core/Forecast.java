package dev.berth.core;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * When those who wait in a pool are likely to get what they wait for, and why they have not got it. The queue is played many times,
 * with lengths of loans and upkeep drawn from what happened before; the same pool gives the same forecast.
 *
 * <p>Requests that come later and may go first, by priority or where the order is fair, are foreseen as they came of late. What is not
 * foreseen: environments that become dirty.
 */
public final class Forecast {
    /** So many requests are played; those behind them get what the last of these get, in proportion. */
    static final int MOST_PLAYED = 200;

    private static final int COURSES = 200;
    private static final int FEWEST_COURSES = 40;
    /** So many environments and requests, times courses. */
    private static final int EFFORT = 30_000;
    /** So many times as much it takes where others come meanwhile. */
    private static final int ARRIVING = 4;

    private final ForecastPool pool;
    private final List<ForecastPool.Waiting> order;
    private final Map<AllocationId, ForecastEstimate> estimates = new HashMap<>();
    private final Map<NeedClass, Boolean> blocked = new HashMap<>();
    private final ForecastPool.@Nullable Waiting gatherer;
    /** Whether so many may come later and go first that nothing can be told of some. */
    private boolean overtaken;

    private Forecast(ForecastPool pool) {
        this.pool = pool;
        order = pool.inOrder();
        var served = order.stream()
                .filter(each -> !pool.isAsleep(each) && !isBlocked(each))
                .toList();
        var played = served.stream().limit(MOST_PLAYED).toList();
        if (pool.isFair()) {
            played = played.stream().sorted(ForecastPool.BY_RANK).toList();
        }
        var course = new ForecastCourse(pool, played);
        gatherer = course.gatherer();
        overtaken = course.arrivals().isUnknown();
        if (!overtaken) {
            play(course, played);
            extrapolate(served);
        }
    }

    /** The forecast of a pool. Takes some milliseconds for a hundred waiting requests and a hundred environments. */
    public static Forecast of(ForecastPool pool) {
        return new Forecast(pool);
    }

    private void play(ForecastCourse course, List<ForecastPool.Waiting> played) {
        int size = Math.max(1, played.size() + Math.min(pool.busy().size(), ForecastCourse.MOST_BUSY));
        int effort = course.arrivals().isNone() ? EFFORT : EFFORT / ARRIVING;
        int courses = Math.clamp(effort / size / 10 * 10L, FEWEST_COURSES, COURSES);
        var grantedAt = new long[played.size()][courses];
        for (int i = 0; i < courses; i++) {
            var granted = course.play(i, (i + 1.0) / courses);
            for (int r = 0; r < granted.length; r++) {
                grantedAt[r][i] = granted[r];
            }
            overtaken |= course.isCut();
        }
        for (int r = 0; r < grantedAt.length; r++) {
            Arrays.sort(grantedAt[r]);
            long p50 = grantedAt[r][quantile(courses, 50)];
            long p90 = grantedAt[r][quantile(courses, 90)];
            if (p90 < ForecastDraws.NEVER) {
                estimates.put(played.get(r).id(), estimate(p50, p90));
            }
        }
    }

    private static int quantile(int courses, int percent) {
        return (courses * percent + 99) / 100 - 1;
    }

    private ForecastEstimate estimate(long p50, long p90) {
        return new ForecastEstimate(pool.now().plusMillis(p50), pool.now().plusMillis(p90));
    }

    /** Those behind wait longer in proportion to how much is asked for before them. */
    private void extrapolate(List<ForecastPool.Waiting> served) {
        if (served.size() <= MOST_PLAYED) {
            return;
        }
        long latest50 = 0;
        long latest90 = 0;
        double asked = 0;
        for (var each : served.subList(0, MOST_PLAYED)) {
            asked += each.need().count();
            var estimate = estimates.get(each.id());
            if (estimate != null) {
                latest50 = Math.max(latest50, millis(estimate.p50()));
                latest90 = Math.max(latest90, millis(estimate.p90()));
            }
        }
        if (latest90 == 0) {
            return;
        }
        double before = asked;
        for (var each : served.subList(MOST_PLAYED, served.size())) {
            before += each.need().count();
            estimates.put(
                    each.id(),
                    estimate(Math.round(latest50 * (before / asked)), Math.round(latest90 * (before / asked))));
        }
    }

    private long millis(Instant at) {
        return at.toEpochMilli() - pool.now().toEpochMilli();
    }

    /** When it is likely to be granted; empty where it is blocked, passed over, not known, or where nothing lets anyone tell. */
    public Optional<ForecastEstimate> estimate(AllocationId id) {
        return Optional.ofNullable(estimates.get(id));
    }

    /** Why it waits; empty where it does not wait. */
    public Optional<ForecastReason> why(AllocationId id) {
        int before = 0;
        for (var each : order) {
            if (each.id().equals(id)) {
                return Optional.of(ForecastReason.of(
                        pool, each, before + 1, standing(each), overtaken && !estimates.containsKey(id)));
            }
            before += pool.isAsleep(each) ? 0 : 1;
        }
        return Optional.empty();
    }

    private ForecastReason.Standing standing(ForecastPool.Waiting waiting) {
        if (isBlocked(waiting)) {
            return ForecastReason.Standing.BLOCKED;
        }
        if (pool.isAsleep(waiting)) {
            return ForecastReason.Standing.ASLEEP;
        }
        if (pool.isOverQuota(waiting)) {
            return ForecastReason.Standing.OVER_QUOTA;
        }
        return gatherer != null && gatherer.id().equals(waiting.id())
                ? ForecastReason.Standing.GATHERS
                : ForecastReason.Standing.WAITS;
    }

    /** Whether nothing but a person can make it possible to serve it. */
    private boolean isBlocked(ForecastPool.Waiting waiting) {
        return blocked.computeIfAbsent(waiting.need(), this::isShort);
    }

    /** Of what is free only the number is known: it is taken to be what a special need asks for. */
    private boolean isShort(NeedClass need) {
        var candidates = new ArrayList<int[]>();
        Map<String, Integer> slots = new HashMap<>();
        for (var each : need.needs()) {
            var own = new ArrayList<Integer>();
            for (var count : pool.shapes()) {
                if (each.fits(count.shape())) {
                    addSlots(need, each, count, slots, own);
                }
            }
            var distinct = own.stream().mapToInt(Integer::intValue).distinct().toArray();
            if (!need.isSpecial()) {
                return distinct.length < need.count();
            }
            for (int unit = 0; unit < each.count(); unit++) {
                candidates.add(distinct);
            }
        }
        return Arrays.stream(Matching.largest(candidates, slots.size())).anyMatch(slot -> slot == Matching.NONE);
    }

    private void addSlots(NeedClass need, Need each, ShapeCount count, Map<String, Integer> slots, List<Integer> own) {
        var digest = count.shape().digest();
        int known = 0;
        if (need.distinctAccounts() || each.isPinned()) {
            for (var busy : pool.busy()) {
                if (busy.shape().equals(digest)) {
                    known++;
                    if (each.allows(busy.name(), busy.account())) {
                        var slot = need.distinctAccounts() && busy.account() != null
                                ? "account " + busy.account()
                                : "name " + busy.name();
                        own.add(slots.computeIfAbsent(slot, _ -> slots.size()));
                    }
                }
            }
        }
        int others = Math.min(count.lendable() - known, need.count());
        for (int i = 0; i < others; i++) {
            own.add(slots.computeIfAbsent("shape " + digest + " " + i, _ -> slots.size()));
        }
    }
}
