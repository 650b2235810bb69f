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
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One course that a pool's queue may take, played as the rules would: in their order, with one gatherer. Times are milliseconds from
 * the pool's instant on. What is left out: that what is gathered may be lent meanwhile. Of requests that are yet to come, those are
 * played that may go first; where accounts are isolated, that the free ones of now share them with others.
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
    /** An event: that a request comes. */
    private static final long COMES = ENDS - 1;

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
    /** Of an account those that are known, where one of an account is out at a time; of others, and by number 0, none. */
    private final int[][] ofAccount;

    private final int[] loanOf;
    private final int[] tenantOf;
    private final int[] sharerOf;
    private final int loans;
    private final int shapes;

    // what is asked for: by those who wait, then by those of whom one more comes now and then
    private final ForecastArrivals arrivals;
    private final ForecastKind[] kindOf;
    private final int[] principal;
    private final int[] sharer;
    private final int[] mostHeld;
    private final int[] priority;
    private final long[] length;
    /** Which line it waits in, where the order is fair: in a line all are alike but for when they came. */
    private final int[] lineOf;

    private final List<Holder> people = new ArrayList<>();

    // requests: those who wait, then those who come in a course
    /** Which of what is asked for it is. */
    private final int[] asks;

    private final long[] createdAt;
    private final long[] rank;
    private final long[] until;

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
    private final boolean[] withheld;
    /** How many of an account are not free. */
    private final int[] out;

    private final int[] next;
    private final int[] heads;
    private final int[] tails;
    /** The last of a line that was passed over, and the one after it. */
    private final int[] before;

    private final int[] looking;
    private final int[] wanting;
    private final long[] grantedAt;
    private int came;
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
        ofAccount = new int[accounts.size() + 1][];
        for (int account = 0; account < ofAccount.length; account++) {
            int number = account;
            ofAccount[account] = pool.policy().isolates() && account != UNKNOWN_ACCOUNT
                    ? IntStream.range(0, busy)
                            .filter(each -> accountOf[each] == number)
                            .toArray()
                    : NONE;
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

        arrivals = ForecastArrivals.of(pool, requests);
        var asked = Stream.concat(requests.stream().map(ForecastArrivals::asked), arrivals.asked().stream())
                .toList();
        kindOf = new ForecastKind[asked.size()];
        principal = new int[asked.size()];
        sharer = new int[asked.size()];
        mostHeld = new int[asked.size()];
        priority = new int[asked.size()];
        length = new long[asked.size()];
        lineOf = new int[asked.size()];
        Map<NeedClass, ForecastKind> kinds = new HashMap<>();
        Map<List<Object>, Integer> lines = new HashMap<>();
        for (int i = 0; i < asked.size(); i++) {
            var each = asked.get(i);
            kindOf[i] = kinds.computeIfAbsent(each.need(), need -> ForecastKind.of(need, pool.shapes(), known));
            principal[i] = person(names, each.principal());
            sharer[i] = person(names, each.sharer());
            var most = pool.mostHeld(each.principal());
            mostHeld[i] = most == null ? Integer.MAX_VALUE : most;
            priority[i] = each.priority();
            var lasts = each.duration() == null ? pool.policy().session() : each.duration();
            length[i] = lasts == null ? ForecastDraws.NEVER : lasts.toMillis();
            lineOf[i] = fair
                    ? lines.computeIfAbsent(
                            List.of(principal[i], sharer[i], each.need(), each.priority()), _ -> lines.size())
                    : 0;
        }
        int count = requests.size() + (arrivals.isNone() ? 0 : ForecastArrivals.MOST);
        asks = new int[count];
        createdAt = new long[count];
        rank = new long[count];
        until = new long[count];
        for (int r = 0; r < requests.size(); r++) {
            var request = requests.get(r);
            asks[r] = r;
            createdAt[r] = millis(request.createdAt());
            rank[r] = request.rank() - pool.now().toEpochMilli();
            until[r] = millis(request.until());
        }
        tallies = fair || IntStream.of(mostHeld).anyMatch(most -> most != Integer.MAX_VALUE);
        holds = new int[people.size()];
        used = new double[people.size()];
        usedAt = new long[people.size()];
        servedAt = new long[people.size()];
        shares = new double[people.size()];
        tenants = new int[shapeOf.length];
        sharers = new int[shapeOf.length];
        readyAt = new long[shapeOf.length];
        withheld = new boolean[shapeOf.length];
        out = new int[ofAccount.length];
        next = new int[count];
        heads = new int[fair ? lines.size() : 1];
        tails = new int[heads.length];
        before = new int[heads.length];
        looking = new int[heads.length];
        wanting = new int[shapes];
        grantedAt = new long[requests.size()];
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
            if (came == ForecastArrivals.MOST) {
                break; // those who come after them may go first as well
            }
            serve(at);
        }
        return grantedAt;
    }

    ForecastArrivals arrivals() {
        return arrivals;
    }

    /** Whether the course that was played last ended before all were granted, since more might come than are foreseen. */
    boolean isCut() {
        return left > 0 && came == ForecastArrivals.MOST;
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
        Arrays.fill(withheld, false);
        Arrays.fill(out, 0);
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
            withheld[e] = isIsolated(e) && each.withheld();
            if (withheld[e]) {
                continue;
            }
            goOut(e);
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
        for (int e = 0; e < busy; e++) {
            if (withheld[e] && out[accountOf[e]] == 0) { // whatever it waits for is not known
                withheld[e] = false;
                goOut(e);
                events.add(Math.min(ForecastDraws.NEVER, draws.upkeep(0)), e);
            }
        }
        left = requests.size();
        came = 0;
        Arrays.fill(wanting, 0);
        Arrays.fill(heads, NOBODY);
        Arrays.fill(tails, NOBODY);
        for (int r = 0; r < requests.size(); r++) {
            grantedAt[r] = ForecastDraws.NEVER;
            join(r, tails[lineOf[r]]);
        }
        if (!arrivals.isNone()) {
            events.add(draws.gap(arrivals.perMilli(), arrivals.doubt()), COMES);
        }
    }

    /**
     * @param last whom it comes after; nobody for the first
     */
    private void join(int request, int last) {
        int line = lineOf[asks[request]];
        if (last == NOBODY) {
            next[request] = heads[line];
            heads[line] = request;
        } else {
            next[request] = next[last];
            next[last] = request;
        }
        if (next[request] == NOBODY) {
            tails[line] = request;
        }
        want(request, 1);
    }

    private void leave(int request, int last) {
        int line = lineOf[asks[request]];
        if (last == NOBODY) {
            heads[line] = next[request];
        } else {
            next[last] = next[request];
        }
        if (tails[line] == request) {
            tails[line] = last;
        }
        want(request, -1);
    }

    /** One more asks as somebody asked before. */
    private void come(long at) {
        int request = requests.size() + came++;
        int asked = requests.size() + draws.pick(arrivals.asked().size());
        asks[request] = asked;
        createdAt[request] = at;
        rank[request] = at - priority[asked] * aging;
        until[request] = ForecastDraws.NEVER;
        int last = tails[lineOf[asked]];
        if (last != NOBODY && rank[last] > rank[request]) {
            last = NOBODY;
            for (int r = heads[lineOf[asked]]; rank[r] <= rank[request]; r = next[r]) {
                last = r;
            }
        }
        join(request, last);
        if (came < ForecastArrivals.MOST) {
            events.add(Math.min(ForecastDraws.NEVER, at + draws.gap(arrivals.perMilli(), arrivals.doubt())), COMES);
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
            wanting[shape] += kindOf[asks[request]].wants()[shape] ? by : 0;
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
        if (event == COMES) {
            come(at);
            return;
        }
        int environment = (int) (event & (ENDS - 1));
        if ((event & ENDS) == 0) {
            comeBack(environment);
            return;
        }
        hold(tenants[environment], -1, at);
        if (sharers[environment] != tenants[environment]) {
            hold(sharers[environment], -1, at);
        }
        if (readyAt[environment] > at) {
            events.add(readyAt[environment], environment);
        } else {
            comeBack(environment);
        }
    }

    private boolean isIsolated(int environment) {
        return accountOf[environment] > UNKNOWN_ACCOUNT && ofAccount[accountOf[environment]].length > 0;
    }

    private void goOut(int environment) {
        if (isIsolated(environment)) {
            out[accountOf[environment]]++;
        }
    }

    /** Free, as are those that were withheld for it, unless another of its account is out. */
    private void comeBack(int environment) {
        if (!isIsolated(environment)) {
            free.add(shapeOf[environment], environment);
            return;
        }
        int account = accountOf[environment];
        withheld[environment] = true;
        if (--out[account] == 0) {
            for (int each : ofAccount[account]) {
                if (withheld[each]) {
                    withheld[each] = false;
                    free.add(shapeOf[each], each);
                }
            }
        }
    }

    /** Free no more, and nor are the others of its account. */
    private void take(int environment) {
        if (withheld[environment]) { // taken together with another one of its account
            withheld[environment] = false;
        } else {
            free.remove(shapeOf[environment], environment);
        }
        if (isIsolated(environment) && out[accountOf[environment]]++ == 0) {
            for (int each : ofAccount[accountOf[environment]]) {
                if (each != environment) {
                    withheld[each] = true;
                    free.remove(shapeOf[each], each);
                }
            }
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
            serveFairly(at);
            return;
        }
        int last = NOBODY;
        for (int r = heads[0]; r != NOBODY && isAnythingOpen(); r = next[r]) {
            if (serve(r, at)) {
                leave(r, last);
            } else {
                last = r;
            }
        }
    }

    private void serveFairly(long at) {
        if (!isAnythingOpen()) {
            return;
        }
        for (int line = 0; line < heads.length; line++) {
            looking[line] = heads[line];
            before[line] = NOBODY;
        }
        for (int p = 0; p < shares.length; p++) {
            rate(p, at);
        }
        for (int line = firstOf(at); line != NOBODY && isAnythingOpen(); line = firstOf(at)) {
            int r = looking[line];
            if (serve(r, at)) {
                leave(r, before[line]);
                looking[line] = next[r];
                rate(sharer[asks[r]], at);
            } else if (at > until[r]) {
                before[line] = r; // it gathers nothing, and those behind it may
                looking[line] = next[r];
            } else {
                looking[line] = NOBODY;
            }
        }
    }

    private void rate(int person, long at) {
        shares[person] = usedAt(person, at) + holds[person] * Order.MINUTES_AHEAD;
    }

    /** The line whose first that is not passed over yet goes before all others; nobody where there is none. */
    private int firstOf(long at) {
        int first = NOBODY;
        long firstLevel = 0;
        for (int line = 0; line < looking.length; line++) {
            int r = looking[line];
            if (r != NOBODY) {
                long level = level(r, at);
                if (first == NOBODY || level > firstLevel || (level == firstLevel && isBefore(r, looking[first]))) {
                    first = line;
                    firstLevel = level;
                }
            }
        }
        return first;
    }

    private boolean isBefore(int one, int other) {
        int byShare = Double.compare(shares[sharer[asks[one]]], shares[sharer[asks[other]]]);
        if (byShare != 0) {
            return byShare < 0;
        }
        return rank[one] < rank[other] || (rank[one] == rank[other] && one < other);
    }

    private long level(int r, long at) {
        long since = Math.max(servedAt[sharer[asks[r]]], createdAt[r]);
        return priority[asks[r]] + Math.floorDiv(at - since, aging);
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
                && !kindOf[asks[gatherer]].isSpecial()
                && kindOf[asks[gatherer]].wants()[shape];
    }

    private boolean serve(int r, long at) {
        var kind = kindOf[asks[r]];
        if (holds[principal[asks[r]]] + kind.count() > mostHeld[asks[r]]) {
            return false;
        }
        boolean gone = at > until[r];
        var chosen = kind.isSpecial() ? special(kind) : simple(kind);
        if (chosen.length == kind.count()) {
            grant(r, gone ? new int[0] : chosen, at);
            return true;
        }
        if (gatherer == NOBODY && !gone && chosen.length > 0) {
            gatherer = r;
            gathered = new HashSet<>();
            if (kind.isSpecial()) {
                for (int environment : chosen) {
                    gathered.add(environment);
                }
            }
        }
        return false;
    }

    /** @param chosen nothing for one that has given up by then: it is only told when it would have been its turn */
    private void grant(int r, int[] chosen, long at) {
        if (r < requests.size()) {
            grantedAt[r] = at;
            left--;
        }
        if (chosen.length == 0) {
            return;
        }
        long rest = draws.rest(0, length[asks[r]]);
        long end = Math.min(ForecastDraws.NEVER, at + Math.min(ForecastDraws.NEVER, rest));
        int tenant = principal[asks[r]];
        int sharing = sharer[asks[r]];
        for (int environment : chosen) {
            take(environment);
            tenants[environment] = tenant;
            sharers[environment] = sharing;
            lend(environment, end);
        }
        if (tallies) {
            hold(tenant, chosen.length, at);
            servedAt[tenant] = at;
            if (sharing != tenant) {
                hold(sharing, chosen.length, at);
                servedAt[sharing] = at;
            }
        }
    }

    /** As much as there is of what it needs, up to all. */
    private int[] simple(ForecastKind kind) {
        int count = kind.count();
        int found = 0;
        var chosen = new int[count];
        for (int shape : kind.shapes()[0]) {
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

    private int[] special(ForecastKind kind) {
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
