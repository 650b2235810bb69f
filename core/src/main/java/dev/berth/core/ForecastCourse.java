package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One course that a pool's queue may take, played as the rules would: in their order, with one gatherer. Times are milliseconds from
 * the pool's instant on. What is left out: that what is gathered may be lent meanwhile, and requests that are yet to come.
 */
final class ForecastCourse {
    /** So many busy environments are looked at. */
    static final int MOST_BUSY = 2_000;
    /** So many free ones of a shape: there are more only where nobody waits for them. */
    private static final int MOST_IDLE = 1_000;

    private static final int NOBODY = -1;
    /** The account that free environments are taken to share, since they are known by number only. */
    private static final int UNKNOWN_ACCOUNT = 0;
    /** Of an event: that a loan ends, and not that its environment is there again. */
    private static final long ENDS = 1L << 20;

    private static final double MILLIS_PER_MINUTE = 60_000;

    private final ForecastPool pool;
    private final ForecastDraws draws;
    private final List<ForecastPool.Waiting> requests;
    private final boolean fair;
    private final long aging;
    /** By which what was used decays, in minutes. */
    private final double decay;
    /** Whether it matters who holds how many. */
    private final boolean tallies;

    // environments: first those that are busy, then those that are free
    private final List<ForecastPool.Busy> known;
    private final int busy;
    private final int[] shapeOf;
    private final int[] accountOf;
    private final int[] loanOf;
    private final int[] tenantOf;
    private final int[] sharerOf;
    private final int loans;
    private final int shapes;

    // requests
    private final ForecastKind[] kindOf;
    private final int[] principal;
    private final int[] sharer;
    private final int[] mostHeld;
    private final long[] createdAt;
    private final long[] until;
    private final long[] length;
    private final List<Holder> people = new ArrayList<>();

    // a course
    private final ForecastFree free;
    private final ForecastEvents events = new ForecastEvents();
    private final int[] holds;
    private final double[] used;
    private final long[] usedAt;
    private final long[] servedAt;
    private final double[] shares;
    private final int[] tenants;
    private final int[] sharers;
    private final long[] readyAt;
    private final boolean[] waits;
    private final boolean[] passed;
    private final int[] next;
    private final int[] wanting;
    private final long[] grantedAt;
    private int head;
    private int left;
    private int gatherer;
    private Set<Integer> gathered = Set.of();

    /**
     * @param requests in their order; all of them can be served some day without a person's doing
     */
    ForecastCourse(ForecastPool pool, List<ForecastPool.Waiting> requests) {
        this.pool = pool;
        this.requests = requests;
        draws = new ForecastDraws(pool.history(), pool.policy());
        fair = pool.isFair();
        aging = pool.policy().queue().aging().toMillis();
        decay = Math.log(2)
                * MILLIS_PER_MINUTE
                / pool.policy().queue().halfLife().toMillis();
        tallies = fair || requests.stream().anyMatch(request -> pool.mostHeld(request) != null);
        shapes = pool.shapes().size();
        Map<String, Integer> byDigest = new HashMap<>();
        pool.shapes().forEach(count -> byDigest.put(count.shape().digest(), byDigest.size()));
        known = pool.busy().stream()
                .filter(each -> byDigest.containsKey(each.shape()))
                .limit(MOST_BUSY)
                .toList();
        int demand = Math.min(
                MOST_IDLE,
                requests.stream().mapToInt(request -> request.need().count()).sum());
        int idle = pool.shapes().stream()
                .mapToInt(count -> Math.min(count.free(), demand))
                .sum();
        busy = known.size();
        shapeOf = new int[busy + idle];
        accountOf = new int[busy + idle];
        loanOf = new int[busy + idle];
        tenantOf = new int[busy + idle];
        sharerOf = new int[busy + idle];
        Map<String, Integer> accounts = new HashMap<>();
        Map<AllocationId, Integer> allocations = new HashMap<>();
        Map<String, Integer> names = new HashMap<>();
        for (int e = 0; e < busy; e++) {
            var each = known.get(e);
            shapeOf[e] = byDigest.getOrDefault(each.shape(), 0);
            var account = each.account();
            accountOf[e] = account == null ? NOBODY : accounts.computeIfAbsent(account, _ -> accounts.size() + 1);
            var loan = each.loan();
            loanOf[e] = loan == null ? NOBODY : allocations.computeIfAbsent(loan.allocation(), _ -> allocations.size());
            tenantOf[e] = loan == null ? NOBODY : person(names, loan.principal());
            sharerOf[e] = loan == null ? NOBODY : person(names, loan.sharer());
        }
        int e = busy;
        for (int shape = 0; shape < shapes; shape++) {
            for (int i = 0; i < Math.min(pool.shapes().get(shape).free(), demand); i++) {
                shapeOf[e] = shape;
                accountOf[e] = UNKNOWN_ACCOUNT;
                loanOf[e] = NOBODY;
                tenantOf[e] = NOBODY;
                sharerOf[e] = NOBODY;
                e++;
            }
        }
        loans = allocations.size();
        free = new ForecastFree(shapes, shapeOf.length);

        int count = requests.size();
        kindOf = new ForecastKind[count];
        principal = new int[count];
        sharer = new int[count];
        mostHeld = new int[count];
        createdAt = new long[count];
        until = new long[count];
        length = new long[count];
        Map<NeedClass, ForecastKind> kinds = new HashMap<>();
        for (int r = 0; r < count; r++) {
            var request = requests.get(r);
            kindOf[r] = kinds.computeIfAbsent(request.need(), need -> ForecastKind.of(need, pool.shapes(), known));
            principal[r] = person(names, request.principal());
            sharer[r] = person(names, request.sharer());
            var most = pool.mostHeld(request);
            mostHeld[r] = most == null ? Integer.MAX_VALUE : most;
            createdAt[r] = millis(request.createdAt());
            until[r] = millis(request.until());
            var asked = request.duration() == null ? pool.policy().session() : request.duration();
            length[r] = asked == null ? ForecastDraws.NEVER : asked.toMillis();
        }
        holds = new int[people.size()];
        used = new double[people.size()];
        usedAt = new long[people.size()];
        servedAt = new long[people.size()];
        shares = new double[people.size()];
        tenants = new int[shapeOf.length];
        sharers = new int[shapeOf.length];
        readyAt = new long[shapeOf.length];
        waits = new boolean[count];
        passed = new boolean[count];
        next = new int[count + 1];
        wanting = new int[shapes];
        grantedAt = new long[count];
    }

    private int person(Map<String, Integer> names, String name) {
        return names.computeIfAbsent(name, _ -> {
            people.add(pool.holder(name));
            return people.size() - 1;
        });
    }

    private long millis(Instant at) {
        return Duration.between(pool.now(), at).toMillis();
    }

    /**
     * Plays it to the end.
     *
     * @param number of this course
     * @param quantile of it among all
     * @return when each request is granted; {@link ForecastDraws#NEVER} for not at all
     */
    long[] play(long number, double quantile) {
        draws.begin(number, quantile);
        begin();
        serve(0);
        while (left > 0 && !events.isEmpty()) {
            long at = events.at();
            if (at >= ForecastDraws.NEVER) {
                break;
            }
            while (!events.isEmpty() && events.at() == at) {
                happen(at, events.remove());
            }
            serve(at);
        }
        return grantedAt;
    }

    /** Who gathers now; null when nobody does. */
    ForecastPool.@Nullable Waiting gatherer() {
        draws.begin(0, 1);
        begin();
        serve(0);
        return gatherer == NOBODY ? null : requests.get(gatherer);
    }

    private void begin() {
        events.clear();
        free.clear();
        for (int p = 0; p < people.size(); p++) {
            var holder = people.get(p);
            holds[p] = holder.held();
            used[p] = fair ? holder.usedAt(pool.now(), pool.policy().queue().halfLife()) : 0;
            usedAt[p] = 0;
            servedAt[p] = millis(holder.servedAt());
        }
        var ends = new long[loans];
        Arrays.fill(ends, NOBODY);
        for (int e = 0; e < shapeOf.length; e++) {
            tenants[e] = tenantOf[e];
            sharers[e] = sharerOf[e];
            if (e >= busy) {
                free.add(shapeOf[e], e);
                continue;
            }
            var each = known.get(e);
            long age = Math.max(0, -millis(each.since()));
            if (loanOf[e] == NOBODY) {
                events.add(Math.min(ForecastDraws.NEVER, draws.upkeep(age)), e);
            } else {
                if (ends[loanOf[e]] == NOBODY) {
                    ends[loanOf[e]] = draws.rest(age, allowed(each));
                }
                lend(e, ends[loanOf[e]]);
            }
        }
        left = requests.size();
        head = left == 0 ? NOBODY : 0;
        Arrays.fill(wanting, 0);
        for (int r = 0; r < requests.size(); r++) {
            waits[r] = true;
            next[r] = r + 1 == requests.size() ? NOBODY : r + 1;
            grantedAt[r] = ForecastDraws.NEVER;
            want(r, 1);
        }
    }

    private static long allowed(ForecastPool.Busy each) {
        var loan = each.loan();
        return loan == null || loan.backBy() == null
                ? ForecastDraws.NEVER
                : Duration.between(each.since(), loan.backBy()).toMillis();
    }

    private void want(int request, int by) {
        for (int shape = 0; shape < shapes; shape++) {
            wanting[shape] += kindOf[request].wants()[shape] ? by : 0;
        }
    }

    /** Held until then. */
    private void lend(int environment, long end) {
        readyAt[environment] = Math.min(ForecastDraws.NEVER, end + draws.upkeep(0));
        if (tallies) {
            events.add(Math.min(ForecastDraws.NEVER, end), environment | ENDS);
        } else {
            events.add(readyAt[environment], environment);
        }
    }

    private void happen(long at, long event) {
        int environment = (int) (event & (ENDS - 1));
        if ((event & ENDS) == 0) {
            free.add(shapeOf[environment], environment);
            return;
        }
        hold(tenants[environment], -1, at);
        if (sharers[environment] != tenants[environment]) {
            hold(sharers[environment], -1, at);
        }
        if (readyAt[environment] > at) {
            events.add(readyAt[environment], environment);
        } else {
            free.add(shapeOf[environment], environment);
        }
    }

    private void hold(int person, int by, long at) {
        if (fair) {
            used[person] = usedAt(person, at);
            usedAt[person] = at;
        }
        holds[person] = Math.max(0, holds[person] + by);
    }

    /** As {@link Holder#usedAt} has it. */
    private double usedAt(int person, long at) {
        double minutes = (at - usedAt[person]) / MILLIS_PER_MINUTE;
        if (minutes <= 0) {
            return used[person];
        }
        double rest = Math.exp(-decay * minutes);
        return used[person] * rest + holds[person] * (1 - rest) / decay;
    }

    // ---- the queue

    private void serve(long at) {
        gatherer = NOBODY;
        gathered = Set.of();
        if (fair) {
            Arrays.fill(passed, false);
            rate(at);
            for (int r = firstOf(at); r != NOBODY && isAnythingOpen(); r = firstOf(at)) {
                passed[r] = true;
                if (serve(r, at)) {
                    rate(at);
                }
            }
            return;
        }
        int before = NOBODY;
        for (int r = head; r != NOBODY && isAnythingOpen(); r = next[r]) {
            if (!serve(r, at)) {
                before = r;
            } else if (before == NOBODY) {
                head = next[r];
            } else {
                next[before] = next[r];
            }
        }
    }

    private void rate(long at) {
        for (int p = 0; p < shares.length; p++) {
            shares[p] = usedAt(p, at) + holds[p] * Queue.MINUTES_AHEAD;
        }
    }

    private int firstOf(long at) {
        int first = NOBODY;
        long firstLevel = 0;
        for (int r = 0; r < waits.length; r++) {
            if (waits[r] && !passed[r]) {
                long level = level(r, at);
                if (first == NOBODY
                        || level > firstLevel
                        || (level == firstLevel && shares[sharer[r]] < shares[sharer[first]])) {
                    first = r; // between equals the earlier one, which has the better rank
                    firstLevel = level;
                }
            }
        }
        return first;
    }

    private long level(int r, long at) {
        long since = Math.max(servedAt[sharer[r]], createdAt[r]);
        return requests.get(r).priority() + Math.floorDiv(at - since, aging);
    }

    /** Whether anything is free that somebody wants and nobody gathers. */
    private boolean isAnythingOpen() {
        for (int shape = 0; shape < shapes; shape++) {
            if (wanting[shape] > 0 && free.count(shape) > 0 && !isGathered(shape)) {
                return true;
            }
        }
        return false;
    }

    private boolean isGathered(int shape) {
        return gatherer != NOBODY
                && !kindOf[gatherer].isSpecial()
                && kindOf[gatherer].wants()[shape];
    }

    private boolean serve(int r, long at) {
        if (holds[principal[r]] + kindOf[r].count() > mostHeld[r]) {
            return false;
        }
        boolean gone = at > until[r];
        var chosen = kindOf[r].isSpecial() ? special(r) : simple(r);
        if (chosen.length == kindOf[r].count()) {
            grant(r, gone ? new int[0] : chosen, at);
            return true;
        }
        if (gatherer == NOBODY && !gone && chosen.length > 0) {
            gatherer = r;
            gathered = new HashSet<>();
            if (kindOf[r].isSpecial()) {
                for (int environment : chosen) {
                    gathered.add(environment);
                }
            }
        }
        return false;
    }

    /** @param chosen nothing for one that has given up by then: it is only told when it would have been its turn */
    private void grant(int r, int[] chosen, long at) {
        grantedAt[r] = at;
        waits[r] = false;
        left--;
        want(r, -1);
        if (chosen.length == 0) {
            return;
        }
        long rest = draws.rest(0, length[r]);
        long end = Math.min(ForecastDraws.NEVER, at + Math.min(ForecastDraws.NEVER, rest));
        for (int environment : chosen) {
            free.remove(shapeOf[environment], environment);
            tenants[environment] = principal[r];
            sharers[environment] = sharer[r];
            lend(environment, end);
        }
        if (tallies) {
            hold(principal[r], chosen.length, at);
            servedAt[principal[r]] = at;
            if (sharer[r] != principal[r]) {
                hold(sharer[r], chosen.length, at);
                servedAt[sharer[r]] = at;
            }
        }
    }

    /** As much as there is of what it needs, up to all. */
    private int[] simple(int r) {
        int count = kindOf[r].count();
        int found = 0;
        var chosen = new int[count];
        for (int shape : kindOf[r].shapes()[0]) {
            if (free.count(shape) == 0 || isGathered(shape)) {
                continue;
            }
            for (int i = 0; i < free.count(shape) && found < count; i++) {
                int environment = free.get(shape, i);
                if (gathered.isEmpty() || !gathered.contains(environment)) {
                    chosen[found++] = environment;
                }
            }
            if (found == count) {
                return chosen;
            }
        }
        return found == 0 ? NONE : Arrays.copyOf(chosen, found);
    }

    private static final int[] NONE = new int[0];

    private int[] special(int r) {
        var kind = kindOf[r];
        Map<Long, Integer> slots = new HashMap<>();
        List<Map<Integer, Integer>> options = new ArrayList<>();
        for (int i = 0; i < kind.shapes().length; i++) {
            Map<Integer, Integer> bySlot = new HashMap<>();
            for (int shape : kind.shapes()[i]) {
                for (int f = 0; f < free.count(shape) && !isGathered(shape); f++) {
                    int environment = free.get(shape, f);
                    if (!gathered.contains(environment) && kind.allows(i, environment)) {
                        bySlot.putIfAbsent(slot(slots, kind, environment), environment);
                    }
                }
            }
            options.add(bySlot);
        }
        var candidates = new ArrayList<int[]>();
        for (int unit : kind.units()) {
            candidates.add(options.get(unit).keySet().stream()
                    .mapToInt(Integer::intValue)
                    .toArray());
        }
        var assigned = Matching.largest(candidates, slots.size());
        var chosen = new ArrayList<Integer>();
        for (int unit = 0; unit < assigned.length; unit++) {
            var environment = assigned[unit] == Matching.NONE
                    ? null
                    : options.get(kind.units()[unit]).get(assigned[unit]);
            if (environment != null) {
                chosen.add(environment);
            }
        }
        return chosen.stream().mapToInt(Integer::intValue).toArray();
    }

    private int slot(Map<Long, Integer> slots, ForecastKind kind, int environment) {
        boolean byAccount = kind.need().distinctAccounts() && accountOf[environment] != NOBODY;
        long slot = byAccount ? -1L - accountOf[environment] : environment;
        return slots.computeIfAbsent(slot, _ -> slots.size());
    }
}
