package dev.berth.server.simulation;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.AllocationState.Polling;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Event;
import dev.berth.core.Holder;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.Slice;
import dev.berth.core.Step;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is in one pool: promise 6, and the limits of what one may have. Told by what was committed, and by rules of its own. Where
 * several orders are possible, since shares move within a batch, only what is wrong in each of them is a violation.
 */
final class Turns {
    /** So many of those who wait are looked at, whether something free would do for them. */
    private static final int LOOKED_AT = 10;

    private final Invariants invariants;
    private final Map<AllocationId, Allocation> waiting = new LinkedHashMap<>();
    private final Map<AllocationId, Allocation> places = new LinkedHashMap<>();
    private final Map<EnvironmentName, Environment> environments = new LinkedHashMap<>();
    private final Map<EnvironmentName, Environment> free = new LinkedHashMap<>();
    private final Map<String, Holder> holders = new HashMap<>();
    private final Map<String, Integer> held = new HashMap<>();
    private int onHold;
    /** How often a loan was seen, and how often somebody gathered. */
    int loans;

    int gatherings;

    Turns(Invariants invariants) {
        this.invariants = invariants;
    }

    /**
     * What somebody got.
     *
     * @param turn whose place in the order counts: its own, or that of the time when it asked first
     * @param last whether it has no place in the order, and comes after all
     */
    private record Given(
            @Nullable Allocation before,
            Allocation after,
            Allocation turn,
            boolean last,
            List<Environment> environments) {
        boolean isLoan() {
            return Turns.isLoan(after);
        }
    }

    static boolean isLoan(Allocation allocation) {
        return switch (allocation.state()) {
            case AllocationState.Active active -> active.loan();
            case AllocationState.Granting granting -> granting.loan();
            case Pending _, Polling _, AllocationState.Ended _ -> false;
        };
    }

    // ---- a commit

    void committed(Decision decision) {
        var policy = decision.pool().policy();
        var now = decision.pool().touchedAt();
        var known = new HashMap<>(waiting);
        var asking = new ArrayList<>(
                places.values().stream().filter(Allocation::isAwake).toList());
        var before = new HashMap<>(holders);
        decision.environments().forEach(change -> put(change.after()));
        decision.holders().forEach(holder -> holders.put(holder.name(), holder));
        var left = new HashMap<Slice.Place, Allocation>();
        for (var place : decision.forgotten()) {
            places.remove(place.id());
            left.put(Slice.Place.of(place), place);
        }
        var keepers = places.values().stream()
                .filter(place -> place.state() instanceof Polling polling
                        && polling.keptUntil() != null
                        && polling.keptUntil().isAfter(now))
                .toList();
        boolean forgiven = decision.events().stream().anyMatch(event -> event.type() == Event.Type.OUTAGE_SURVIVED);
        var given = new ArrayList<Given>();
        var late = new HashSet<AllocationId>();
        for (var change : decision.allocations()) {
            var grant = given(change.before(), change.after(), left);
            if (grant != null) {
                given.add(grant);
                interested(grant, known.get(change.after().id()), now, forgiven);
            }
            change(change.before(), change.after(), policy, now);
            var earlier = change.before();
            if (earlier == null || (earlier.state() instanceof Pending && !isAwake(earlier, now))) {
                late.add(change.after().id());
            }
        }
        places.values().stream().filter(Allocation::isAwake).forEach(asking::add);
        limits(decision, given);
        if (decision.again()
                || !decision.pool().listed()
                || (given.isEmpty() && (free.isEmpty() || waiting.isEmpty()))) {
            return;
        }
        var order = new Order(policy, now, before, given);
        var view = new View(policy, now, order, late, asking, given);
        if (!given.isEmpty()) {
            view.nobodyTookWhatIsGathered();
            view.nobodyTookWhatIsKept(keepers);
        }
        if (!free.isEmpty() && (order.isExact() || given.isEmpty())) {
            view.nothingIsIdle();
        }
    }

    private void put(Environment environment) {
        environments.put(environment.name(), environment);
        if (environment.isFree()) {
            free.put(environment.name(), environment);
        } else {
            free.remove(environment.name());
        }
    }

    private @Nullable Given given(@Nullable Allocation before, Allocation after, Map<Slice.Place, Allocation> left) {
        if (!isHolding(after)
                || (before != null && isHolding(before) && names(before).equals(names(after)))) {
            return null;
        }
        var place = before == null ? left.get(Slice.Place.of(after)) : null;
        boolean waits = after.request().maxWait().isPositive();
        return new Given(
                before,
                after,
                place == null || waits ? after : place,
                !waits && place == null,
                names(after).stream()
                        .map(name -> Objects.requireNonNull(environments.get(name)))
                        .toList());
    }

    private static boolean isHolding(Allocation allocation) {
        return allocation.state() instanceof AllocationState.Granting
                || allocation.state() instanceof AllocationState.Active;
    }

    private static Set<EnvironmentName> names(Allocation allocation) {
        var names = new HashSet<EnvironmentName>();
        allocation.state().grants().forEach(grant -> names.add(grant.environment()));
        return names;
    }

    private void change(@Nullable Allocation before, Allocation after, Policy policy, Instant now) {
        if (before != null) {
            count(before, -1);
        }
        count(after, 1);
        waiting.remove(after.id());
        places.remove(after.id());
        if (after.state() instanceof Pending) {
            waiting.put(after.id(), after);
        } else if (after.state() instanceof Polling polling) {
            kept(after, polling, policy, now);
            places.put(after.id(), after);
        } else if (after.state() instanceof AllocationState.Active active) {
            lent(before, after, active, policy, now);
        }
    }

    private void count(Allocation allocation, int by) {
        if (isHolding(allocation)) {
            int count = by * allocation.request().count();
            held.merge(allocation.principal(), count, Integer::sum);
            if (!allocation.sharer().isEmpty() && !allocation.sharer().equals(allocation.principal())) {
                held.merge(allocation.sharer(), count, Integer::sum);
            }
            onHold += allocation.state() instanceof AllocationState.Active active && active.hold() != null ? count : 0;
        }
    }

    // ---- what one may have

    private void limits(Decision decision, List<Given> given) {
        var policy = decision.pool().policy();
        for (var holder : decision.holders()) {
            int really = held.getOrDefault(holder.name(), 0);
            invariants.check(
                    holder.held() == really,
                    "P5",
                    () -> holder.name() + " is said to hold " + holder.held() + ", and holds " + really);
        }
        for (var grant : given) {
            var principal = grant.after().principal();
            var quota = policy.quota(principal).held();
            int has = held.getOrDefault(principal, 0);
            invariants.check(
                    quota == null || has <= quota, "P6", () -> principal + " holds " + has + ", and may hold " + quota);
        }
        invariants.check(
                decision.pool().onHold() == onHold,
                "P5",
                () -> decision.pool().onHold() + " are said to be kept for persons, and " + onHold + " are");
        var hold = policy.hold();
        invariants.check(
                hold == null ? onHold == 0 : onHold <= hold.quota(),
                "P5",
                () -> onHold + " are kept for persons: more than may be");
    }

    private void kept(Allocation after, Polling polling, Policy policy, Instant now) {
        var latest = now.plus(policy.retryAfter());
        invariants.check(
                polling.keptUntil() == null || !polling.keptUntil().isAfter(latest),
                "P6",
                () -> "something is kept for " + after + " longer than for retry-after");
        invariants.check(
                polling.misses() < 2 && (polling.awake() || polling.keptUntil() == null),
                "P6",
                () -> after + " missed its turn and is not forgotten");
    }

    private void lent(
            @Nullable Allocation before, Allocation after, AllocationState.Active active, Policy policy, Instant now) {
        var was = before != null && before.state() instanceof AllocationState.Active earlier ? earlier : null;
        var asked = after.request().duration();
        boolean fresh = was == null;
        invariants.check(!active.loan() || active.hold() == null, "P6", () -> "a loan is kept for a person: " + after);
        if (active.loan() || (was != null && was.loan())) {
            var end = active.expiresAt();
            var length = asked == null ? policy.session() : asked;
            invariants.check(
                    end != null
                            && length != null
                            && !end.isAfter(active.grantedAt().plus(length))
                            && (was == null || (end.equals(was.expiresAt()) && was.loan() == active.loan())),
                    "P6",
                    () -> "a loan was made longer: " + after);
        }
        var by = active.collectBy();
        invariants.check(
                by == null
                        || !by.isAfter(now.plus(policy.queue().liveness()))
                        || (was != null && was.collectBy() != null),
                "P5",
                () -> after + " has longer to be collected than liveness");
        if (fresh && before != null && before.state() instanceof AllocationState.Granting granting) {
            invariants.check(
                    granting.loan() == active.loan(), "P6", () -> "what was lent is no loan any more: " + after);
        }
    }

    private void interested(Given grant, @Nullable Allocation known, Instant now, boolean forgiven) {
        if (known == null || !(known.state() instanceof Pending pending) || forgiven) {
            return;
        }
        var interest = pending.interestUntil();
        invariants.check(
                (interest != null && interest.isAfter(now)) || invariants.hasSignUnderWay(grant.after()),
                "P6",
                () -> grant.after().id() + " was granted though nobody was interested since " + interest);
    }

    // ---- the order

    /** Who surely was before whom while the batch was decided. */
    private final class Order {
        private final Policy policy;
        private final Instant now;
        private final Map<String, Holder> before;
        private final Map<String, Integer> granted = new HashMap<>();
        private final boolean fair;

        Order(Policy policy, Instant now, Map<String, Holder> before, List<Given> given) {
            this.policy = policy;
            this.now = now;
            this.before = before;
            fair = policy.queue().order() == Policy.Queueing.Order.FAIR;
            given.forEach(grant -> granted.merge(
                    grant.after().sharer(), grant.after().request().count(), Integer::sum));
        }

        /** Whether nothing in the batch could change it. */
        boolean isExact() {
            return !fair;
        }

        private long level(Allocation allocation, boolean atEnd) {
            var holder = (atEnd ? holders : before).get(allocation.sharer());
            var since = holder != null && holder.servedAt().isAfter(allocation.createdAt())
                    ? holder.servedAt()
                    : allocation.createdAt();
            return allocation.request().priority()
                    + Math.floorDiv(
                            Duration.between(since, now).toMillis(),
                            policy.queue().aging().toMillis());
        }

        private double share(Allocation allocation, boolean atEnd) {
            var holder = holders.get(allocation.sharer());
            if (holder == null) {
                return 0;
            }
            int counted = atEnd ? holder.held() : holder.held() - granted.getOrDefault(allocation.sharer(), 0);
            return holder.usedAt(now, policy.queue().halfLife()) + counted;
        }

        private static int byRank(Allocation one, Allocation other) {
            int byRank = Long.compare(one.rank(), other.rank());
            return byRank == 0 ? Long.compare(one.arrival(), other.arrival()) : byRank;
        }

        boolean surely(Allocation one, Allocation other) {
            if (!fair) {
                return byRank(one, other) < 0;
            }
            long worst = level(one, true);
            long best = level(other, false);
            if (worst != best) {
                return worst > best;
            }
            return share(one, true) + 1e-6 < share(other, false);
        }

        Comparator<Allocation> asItIs() {
            return fair
                    ? Comparator.<Allocation>comparingLong(each -> -level(each, true))
                            .thenComparingDouble(each -> share(each, true))
                            .thenComparing(Order::byRank)
                    : Order::byRank;
        }
    }

    // ---- what was decided

    /** The pool as it is after a batch, and what the batch gave. */
    private final class View {
        private final Policy policy;
        private final Instant now;
        private final Order order;
        /** Who came, or came back, within this very batch. */
        private final Set<AllocationId> late;

        /** Callers who keep asking, for whom something may have been kept; where the order is exact, the first of each need. */
        private final List<Allocation> asking;

        private final List<Given> given;
        private final List<Allocation> awake;

        View(
                Policy policy,
                Instant now,
                Order order,
                Set<AllocationId> late,
                List<Allocation> asking,
                List<Given> given) {
            this.policy = policy;
            this.now = now;
            this.order = order;
            this.late = late;
            this.asking = order.isExact() ? firstOfEach(asking) : asking;
            this.given = given;
            awake = waiting.values().stream()
                    .filter(each -> isAwake(each, now))
                    .sorted(order.asItIs())
                    .toList();
        }

        private boolean isOverQuota(Allocation allocation) {
            var quota = policy.quota(allocation.principal()).held();
            return quota != null
                    && held.getOrDefault(allocation.principal(), 0)
                                    + allocation.request().count()
                            > quota;
        }

        /** Who has a place before it was granted something, and is surely behind this one. */
        private boolean isBehind(Allocation first, Given grant) {
            return grant.last() || order.surely(first, grant.turn());
        }

        private List<Allocation> firstOfEach(List<Allocation> all) {
            var first = new HashMap<NeedClass, Allocation>();
            all.forEach(place -> first.merge(
                    place.request().need(), place, (known, next) -> order.surely(next, known) ? next : known));
            return List.copyOf(first.values());
        }

        /** What those ask for who are not surely behind this one. */
        private List<NeedClass> askedBefore(Allocation each) {
            return asking.stream()
                    .filter(place -> !order.surely(each, place))
                    .map(place -> place.request().need())
                    .toList();
        }

        private static boolean isWanted(List<NeedClass> needs, Environment environment) {
            return needs.stream().anyMatch(need -> need.wants(environment));
        }

        /** Who may have gathered; exactly one, of whom that is sure, or nobody of whom it is. */
        private @Nullable Allocation gatherer() {
            Allocation sure = null;
            int possible = 0;
            int looked = 0;
            for (var each : awake) {
                if (sure != null && order.surely(sure, each)) {
                    if (order.isExact()) {
                        break;
                    }
                    continue;
                }
                if (isBlocked(each)) {
                    continue;
                }
                if (++looked > LOOKED_AT) {
                    return null;
                }
                var could = new HashSet<Environment>();
                var surelyFree = new HashSet<Environment>();
                add(each, free.values(), could);
                surelyFree.addAll(could);
                for (var grant : given) {
                    if (isBehind(each, grant)) {
                        add(each, grant.environments(), surelyFree);
                        add(each, grant.environments(), could);
                    } else if (!order.surely(grant.turn(), each)) {
                        add(each, grant.environments(), could);
                    }
                }
                if (could.isEmpty() || (isOverQuota(each) && !hasGained(each.principal()))) {
                    continue;
                }
                possible++;
                var asked = askedBefore(each);
                boolean surelyCould = !isOverQuota(each)
                        && !late.contains(each.id())
                        && surelyFree.stream().anyMatch(environment -> !isWanted(asked, environment));
                if (surelyCould && sure == null) {
                    sure = each;
                }
            }
            return possible == 1 ? sure : null;
        }

        private boolean hasGained(String principal) {
            return given.stream().anyMatch(grant -> grant.after().principal().equals(principal));
        }

        private static void add(Allocation each, Collection<Environment> from, Set<Environment> to) {
            from.stream().filter(environment -> wants(each, environment)).forEach(to::add);
        }

        void nobodyTookWhatIsGathered() {
            if (awake.isEmpty()) {
                return;
            }
            var first = gatherer();
            if (first == null) {
                return;
            }
            gatherings++;
            var behind = given.stream().filter(grant -> isBehind(first, grant)).toList();
            for (var grant : behind) {
                if (!grant.isLoan()) {
                    invariants.check(
                            !isDiminished(first, grant),
                            "P6",
                            () -> grant.after() + " was granted what " + first + " counts on");
                }
            }
            for (var grant : behind) {
                if (grant.isLoan()
                        && grant.environments().stream().anyMatch(environment -> wants(first, environment))) {
                    loans++;
                    loan(first, grant, behind);
                }
            }
        }

        /** Whether the first one could have more of what it needs if this had not been granted. */
        private boolean isDiminished(Allocation first, Given grant) {
            boolean wanted = grant.environments().stream().anyMatch(environment -> wants(first, environment));
            return wanted
                    && (!first.request().need().isSpecial()
                            || reach(first, free.values()) < reach(first, with(free.values(), grant.environments())));
        }

        /** Whoever has on loan what the first one counts on gives it back before the last one is there that is missing. */
        private void loan(Allocation first, Given grant, List<Given> behind) {
            var need = first.request().need();
            if (need.isSpecial()) {
                invariants.check(
                        !isDiminished(first, grant),
                        "P6",
                        () -> grant.after() + " was lent what " + first + " counts on, of which nothing is lent");
                return;
            }
            var taken = new HashSet<Environment>();
            behind.forEach(each -> taken.addAll(each.environments()));
            int missing = need.count();
            var returns = new ArrayList<Instant>();
            for (var environment : environments.values()) {
                if (environment.isRetiring() || !need.wants(environment)) {
                    continue;
                }
                switch (environment.state()) {
                    case EnvironmentState.Available _, EnvironmentState.Cleaning _, EnvironmentState.Checking _ ->
                        missing--;
                    case EnvironmentState.Allocated(var _, var backAt) -> {
                        if (taken.contains(environment)) {
                            missing--;
                        } else if (backAt != null) {
                            returns.add(backAt);
                        }
                    }
                    case EnvironmentState.Withheld _, EnvironmentState.Dirty _, EnvironmentState.Retired _ -> {}
                }
            }
            returns.sort(null);
            var all = missing < 1 || missing > returns.size() ? null : returns.get(missing - 1);
            var length = grant.after().request().duration() == null
                    ? policy.session()
                    : grant.after().request().duration();
            var back = length == null ? null : now.plus(length).plus(longestUpkeep());
            invariants.check(
                    all != null && back != null && !back.isAfter(all),
                    "P6",
                    () -> grant.after() + " was lent until " + back + " what " + first + " may have all of at " + all);
        }

        private Duration longestUpkeep() {
            return policy.steps().stream()
                    .filter(step -> step != Step.ISSUE)
                    .map(step -> policy.limits(step)
                            .timeout()
                            .multipliedBy(policy.limits(step).attempts()))
                    .reduce(Duration.ZERO, Duration::plus);
        }

        void nobodyTookWhatIsKept(List<Allocation> keepers) {
            for (var keeper : keepers) {
                if (!places.containsKey(keeper.id())
                        || isOverQuota(keeper)
                        || reach(keeper, free.values()) >= keeper.request().count()) {
                    continue;
                }
                var behind = given.stream()
                        .filter(grant -> !grant.isLoan() && isBehind(keeper, grant))
                        .toList();
                var others = Stream.concat(awake.stream(), asking.stream())
                        .filter(other -> !other.id().equals(keeper.id()) && !order.surely(keeper, other))
                        .map(other -> other.request().need())
                        .distinct()
                        .toList();
                for (var grant : behind) {
                    var own = with(free.values(), grant.environments()).stream()
                            .filter(environment -> !isWanted(others, environment))
                            .toList();
                    invariants.check(
                            reach(keeper, own) < keeper.request().count() || hasGained(keeper.principal()),
                            "P6",
                            () -> grant.after() + " was granted what is kept for " + keeper);
                }
            }
        }

        /** Nothing is free that would do for somebody, and that nobody before counts on. */
        void nothingIsIdle() {
            var before = new ArrayList<NeedClass>();
            boolean gathers = false;
            int looked = 0;
            for (var each : awake) {
                if (isOverQuota(each) || isBlocked(each) || ++looked > LOOKED_AT) {
                    continue;
                }
                var asked = askedBefore(each);
                var own = free.values().stream()
                        .filter(environment -> wants(each, environment)
                                && !isWanted(asked, environment)
                                && !isWanted(before, environment))
                        .toList();
                invariants.check(
                        reach(each, own) < each.request().count(),
                        "P6",
                        () -> each + " is not served, though there is " + own);
                if (!gathers && free.values().stream().anyMatch(environment -> wants(each, environment))) {
                    before.add(each.request().need());
                    gathers = !own.isEmpty();
                }
            }
        }
    }

    private static boolean isAwake(Allocation allocation, Instant now) {
        return allocation.state() instanceof Pending pending
                && pending.interestUntil() != null
                && pending.interestUntil().isAfter(now);
    }

    private static boolean wants(Allocation allocation, Environment environment) {
        return allocation.request().need().wants(environment)
                && !(allocation.state() instanceof Pending pending
                        && pending.setbacks().avoid().contains(environment.name()));
    }

    private boolean isBlocked(Allocation allocation) {
        Predicate<Environment> lendable = environment -> !environment.isRetiring()
                && !(environment.state() instanceof EnvironmentState.Dirty)
                && !(environment.state() instanceof EnvironmentState.Retired);
        int enough = allocation.request().count();
        if (!allocation.request().need().isSpecial()) {
            for (var environment : environments.values()) {
                if (lendable.test(environment) && wants(allocation, environment) && --enough == 0) {
                    return false;
                }
            }
            return true;
        }
        return reach(allocation, environments.values().stream().filter(lendable).toList()) < enough;
    }

    private static List<Environment> with(Collection<Environment> some, Collection<Environment> more) {
        return Stream.concat(some.stream(), more.stream()).toList();
    }

    /** How much of what it asks for a request could have of these, without counting more than once what goes once. */
    private static int reach(Allocation allocation, Collection<Environment> some) {
        var need = allocation.request().need();
        var those = some.stream().filter(environment -> wants(allocation, environment));
        if (!need.isSpecial()) {
            return (int) those.limit(need.count()).count();
        }
        var wanted = those.toList();
        var units = new ArrayList<List<String>>();
        for (var each : need.needs()) {
            var slots = wanted.stream()
                    .filter(environment -> each.fits(environment.record().shape())
                            && each.allows(
                                    environment.name(), environment.record().account()))
                    .map(environment -> slot(need, environment))
                    .distinct()
                    .toList();
            for (int i = 0; i < each.count(); i++) {
                units.add(slots);
            }
        }
        var takenBy = new HashMap<String, Integer>();
        int found = 0;
        for (int unit = 0; unit < units.size(); unit++) {
            found += place(units, unit, takenBy, new HashSet<>()) ? 1 : 0;
        }
        return found;
    }

    private static String slot(NeedClass need, Environment environment) {
        var account = environment.record().account();
        return need.distinctAccounts() && account != null ? "account " + account : "name " + environment.name();
    }

    private static boolean place(List<List<String>> units, int unit, Map<String, Integer> takenBy, Set<String> tried) {
        for (var slot : units.get(unit)) {
            if (tried.add(slot)) {
                var other = takenBy.get(slot);
                if (other == null || place(units, other, takenBy, tried)) {
                    takenBy.put(slot, unit);
                    return true;
                }
            }
        }
        return false;
    }
}
