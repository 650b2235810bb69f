package dev.berth.core;

import dev.berth.core.AllocationState.Pending;
import dev.berth.core.AllocationState.Polling;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
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
 * Who is served next, and with what. Nobody later in the order takes what the first unserved request counts on, unless it gives it
 * back before that request could have it anyway.
 */
final class Queue {
    private final Working working;
    private final Lending lending;
    private final Instant now;
    private final Order order;

    /** The first unserved request that something free could serve: it gathers until it has enough. Null while there is none. */
    private @Nullable Allocation gatherer;
    /** What a gatherer with special needs has so far; another one counts on whatever it could use. */
    private Set<EnvironmentName> gathered = Set.of();
    /** What the gatherer counts on may be lent to others until then; null for not at all. */
    private @Nullable Instant lentUntil;
    /** What is kept for callers who keep asking. */
    private final Map<EnvironmentName, Allocation> kept = new HashMap<>();
    /** Needs for which there was not enough, as long as the queue is served in order: there will not be more for those behind. */
    private final Set<NeedClass> exhausted = new HashSet<>();
    /** Needs of which nothing was left to gather, likewise. */
    private final Set<NeedClass> hopeless = new HashSet<>();
    /** What those count on who wait and were not loaded. */
    private final List<NeedClass> behind = new ArrayList<>();
    /** Whether such a one may count on anything, as its needs are special: nothing is lent before it was looked at. */
    private boolean isBlind;

    Queue(Working working, Lending lending) {
        this.working = working;
        this.lending = lending;
        this.now = working.now;
        this.order = new Order(working.policy(), now, working::holder);
    }

    /**
     * Environments for one request.
     *
     * @param loan whether somebody else counts on one of them
     */
    record Pick(List<Chosen> chosen, boolean loan) {}

    /** An environment, and the access profile that is asked for of it; null for the default one. */
    record Chosen(Environment environment, @Nullable String profile) {}

    // ---- serving

    /** Gives what is free to those who wait, in their order; whoever can never be served waits no more. */
    void serve() {
        do {
            serveInOrder();
        } while (countsInVain());
        boolean special = working.lines().stream().anyMatch(line -> line.need() == null);
        if (special && working.hasChanged() && working.count(EnvironmentState.Name.AVAILABLE) > 0) {
            working.leaveUnserved(); // what was looked up for them is as it was before the batch
        }
        if (working.isResized() && working.lines().stream().anyMatch(this::hasMoreThanWasLoaded)) {
            working.leaveUnserved();
        }
    }

    /** Whether there is enough free for one of a line, now that other environments came, and it was not loaded as there was not before. */
    private boolean hasMoreThanWasLoaded(Line line) {
        var need = line.need();
        return need != null
                && fitting(need).mapToInt(ShapeCount::free).sum() >= need.count()
                && fitting(need)
                        .anyMatch(count ->
                                count.free() > working.freeLoaded(count.shape().digest()));
    }

    private void serveInOrder() {
        gatherer = null;
        gathered = Set.of();
        lentUntil = null;
        kept.clear();
        behind.clear();
        isBlind = false;
        var unserved = new HashSet<Line.Key>();
        var heads = new LinkedHashMap<Line.Key, Deque<Allocation>>();
        for (var line : working.lines()) {
            var waiting = new ArrayDeque<>(working.headsOf(line));
            if (waiting.isEmpty() || line.need() == null) {
                noteUnloaded(line);
            }
            if (!waiting.isEmpty()) {
                heads.put(line.key(), waiting);
            }
        }
        for (var next = first(heads.values()); next != null; next = first(heads.values())) {
            var line = next.line();
            if (!serve(next)) {
                unserved.add(line);
            }
            if (Objects.requireNonNull(heads.get(line)).isEmpty() && !unserved.contains(line)) {
                noteUnloaded(working.lineOf(line));
            }
        }
        exhausted.clear();
        hopeless.clear();
    }

    /** Whether something is kept or gathered for somebody whose principal got so much since that it may have no more. */
    private boolean countsInVain() {
        return (gatherer != null && isOverQuota(gatherer))
                || kept.values().stream().anyMatch(this::isOverQuota);
    }

    private @Nullable Allocation first(Collection<Deque<Allocation>> heads) {
        Deque<Allocation> best = null;
        for (var line : heads) {
            if (!line.isEmpty() && (best == null || order.compare(line.getFirst(), best.getFirst()) < 0)) {
                best = line;
            }
        }
        return best == null ? null : best.removeFirst();
    }

    /** Whether it waits no more. */
    private boolean serve(Allocation next) {
        boolean never = !working.listed() || isImpossible(next.request().need());
        if (next.state() instanceof Polling polling) {
            return never ? forget(next) : keep(next, polling);
        }
        if (never) {
            lending.end(next, EndReason.UNSATISFIABLE);
            return true;
        }
        var interest = ((Pending) next.state()).interestUntil();
        if (interest == null || !interest.isAfter(now) || isOverQuota(next)) {
            return false;
        }
        var pick = choose(next, next, true);
        if (pick != null) {
            lending.grant(next, pick, null);
            return true;
        }
        if (avoided(next).isEmpty()) {
            exhausted.add(next.request().need());
        }
        gather(next);
        return false;
    }

    private boolean forget(Allocation place) {
        working.forget(place);
        return true;
    }

    /** What the caller asks for is kept for it, until it comes or its time is over. */
    private boolean keep(Allocation place, Polling polling) {
        var pick = isOverQuota(place) ? null : choose(place, place, true);
        if (pick == null || pick.loan()) {
            if (polling.keptUntil() != null && !isPutOff(place)) { // somebody before it has it now: that is no miss
                working.put(place.in(new Polling(polling.askedAt(), null, polling.misses(), true)));
            }
            return false;
        }
        pick.chosen().stream()
                .flatMap(chosen -> taken(chosen.environment()).stream())
                .forEach(environment -> kept.put(environment.name(), place));
        if (polling.keptUntil() == null) {
            var patience = polling.patience(place.createdAt(), working.policy().retryAfter());
            working.put(place.in(new Polling(polling.askedAt(), now.plus(patience), polling.misses(), true)));
        }
        return false;
    }

    /** Whether it is kept for somebody, or may be for one of those who were not loaded. */
    boolean isKept(Environment environment) {
        return isBlind || kept.containsKey(environment.name()) || isWantedBehind(environment);
    }

    /** Whether only those stand in its way who were not loaded: the batch that follows tells. */
    private boolean isPutOff(Allocation place) {
        return (isBlind || !behind.isEmpty())
                && !isOverQuota(place)
                && assign(
                                place,
                                environment -> taken(environment).stream()
                                        .allMatch(each -> isLeftFor(place, each, true, false)),
                                true)
                        != null;
    }

    /** Whether its principal, or who it shares the pool as, has as much as it may. */
    boolean isOverQuota(Allocation waiting) {
        var quota = working.policy().quota(waiting.principal()).held();
        return quota != null
                && working.holder(waiting.principal()).held()
                                + waiting.request().count()
                        > quota;
    }

    /**
     * Those of a line who were not loaded are served by another batch, if this one made a difference to them. They may come before
     * whoever is left: what they could use is kept for them.
     */
    private void noteUnloaded(Line line) {
        int loaded = working.headsOf(line).size();
        if (line.waiting() <= loaded) {
            return;
        }
        var need = line.need();
        if (!working.listed() || (need != null && isImpossible(need))) {
            working.leaveUnserved();
            return;
        }
        boolean could = need == null
                ? working.count(EnvironmentState.Name.AVAILABLE) > 0
                : fitting(need).anyMatch(count -> count.free() > 0)
                        && fitting(need).mapToInt(ShapeCount::lendable).sum() >= need.count();
        var sharer = line.key().holder();
        if (!could || working.policy().bars(sharer, working.holder(sharer).held())) {
            return;
        }
        if (need != null) {
            behind.add(need);
        } else {
            isBlind |= loaded < Search.MOST_SPECIAL && working.hasChanged();
        }
        if (working.hasChanged()) {
            working.leaveUnserved();
        }
    }

    // ---- gathering

    /** A request that joined the queue in this batch: whether it counts on something from now on. */
    void join(Allocation waiting) {
        boolean first = gatherer == null
                ? kept.values().stream().anyMatch(keeper -> order.compare(waiting, keeper) < 0)
                : order.compare(waiting, gatherer) < 0;
        if (first) {
            serve();
        } else {
            gather(waiting);
        }
    }

    /**
     * Somebody was served at once: what was kept for those behind it is kept no more, nor what its principal may not have any more.
     *
     * @param place where it had kept asking
     */
    void took(Pick pick, @Nullable Allocation place) {
        boolean others = pick.chosen().stream()
                .flatMap(chosen -> taken(chosen.environment()).stream())
                .map(environment -> kept.get(environment.name()))
                .anyMatch(keeper ->
                        keeper != null && (place == null || !keeper.id().equals(place.id())));
        if (others || countsInVain()) {
            serve();
        }
    }

    private void gather(Allocation next) {
        var need = next.request().need();
        if (gatherer != null || hopeless.contains(need) || isOverQuota(next) || !isKnown(need) || isBlocked(next)) {
            return;
        }
        if (need.isSpecial()) {
            var some = assign(next, environment -> mayTake(environment, next, true, false), false);
            if (some != null && !some.isEmpty()) {
                gatherer = next;
                gathered = new HashSet<>(
                        some.stream().map(chosen -> chosen.environment().name()).toList());
            }
        } else if (fitting(need).mapToInt(ShapeCount::free).sum() > freeForOthers(next)) {
            gatherer = next;
            lentUntil = latestReturn(need);
        } else if (avoided(next).isEmpty()) {
            hopeless.add(need);
        }
    }

    /** Whether it was looked at closely enough to tell what could serve it some time: of special needs, only the first are. */
    private boolean isKnown(NeedClass need) {
        boolean byName = need.distinctAccounts() || need.needs().stream().anyMatch(Need::isPinned);
        return !byName || working.slice().census().keySet().containsAll(need.needs());
    }

    /** How many of the free ones that it could use are kept for others, or gave it no access. */
    private long freeForOthers(Allocation next) {
        var others = new HashSet<>(kept.keySet());
        others.addAll(avoided(next));
        return others.stream()
                .map(working::find)
                .filter(environment -> environment != null
                        && environment.pool() == working.poolNumber()
                        && environment.isFree()
                        && next.request().need().wants(environment))
                .count();
    }

    /** When the last of those comes back that are still missing, if none comes back before its time; null where that is not known. */
    private @Nullable Instant latestReturn(NeedClass need) {
        int missing = need.count()
                - fitting(need).mapToInt(count -> count.free() + count.upkeep()).sum();
        var returns = Stream.concat(
                        working.slice().returns().getOrDefault(need, List.of()).stream(),
                        working.returnsOfThisBatch(need).stream())
                .sorted()
                .toList();
        return missing < 1 || missing > returns.size() ? null : returns.get(missing - 1);
    }

    private boolean countsOn(Allocation first, Environment environment) {
        return first.request().need().isSpecial()
                ? gathered.contains(environment.name())
                : first.request().need().wants(environment) && !avoided(first).contains(environment.name());
    }

    // ---- choosing

    /**
     * All that a request needs of what nobody before it counts on; null where there is not enough. Changes nothing.
     *
     * @param who by whose place in the order
     * @param asks who would hold it: another one where its caller kept asking
     * @param hasPlace whether it has a place in the order; else it comes after all that wait
     */
    @Nullable
    Pick choose(Allocation who, Allocation asks, boolean hasPlace) {
        var own = exhausted.contains(who.request().need())
                ? null
                : assign(who, environment -> mayTake(environment, who, hasPlace, false), true);
        if (own != null) {
            return new Pick(own, false);
        }
        if (gatherer == null
                || gatherer.id().equals(who.id())
                || lentUntil == null
                || !lending.isBackBefore(asks, lentUntil)) {
            return null;
        }
        var lent = assign(who, environment -> mayTake(environment, who, hasPlace, true), true);
        return lent == null ? null : new Pick(lent, true);
    }

    private boolean mayTake(Environment environment, Allocation who, boolean hasPlace, boolean asLoan) {
        if (isBlind) {
            return false;
        }
        for (var each : taken(environment)) {
            if (isWantedBehind(each) || !isLeftFor(who, each, hasPlace, asLoan)) {
                return false;
            }
        }
        return true;
    }

    /** What nobody else can have once this is lent: itself, and the free ones that are withheld then. */
    private List<Environment> taken(Environment environment) {
        var others = working.freeBeside(environment);
        if (others.isEmpty()) {
            return List.of(environment);
        }
        var all = new ArrayList<>(others);
        all.add(environment);
        return all;
    }

    /** A loop and no stream: it runs for each environment that might be given. */
    private boolean isWantedBehind(Environment environment) {
        for (var need : behind) {
            if (need.wants(environment)) {
                return true;
            }
        }
        return false;
    }

    /** Whether nobody before it, of those who were looked at, counts on it. */
    private boolean isLeftFor(Allocation who, Environment environment, boolean hasPlace, boolean asLoan) {
        var keeper = kept.get(environment.name());
        if (keeper != null && !keeper.id().equals(who.id()) && !(hasPlace && order.compare(who, keeper) < 0)) {
            return false;
        }
        var first = gatherer;
        return first == null
                || asLoan
                || first.id().equals(who.id())
                || (hasPlace && order.compare(who, first) < 0)
                || !countsOn(first, environment);
    }

    /**
     * Environments for its needs.
     *
     * @param whole whether anything less than all is nothing
     */
    private @Nullable List<Chosen> assign(Allocation who, Predicate<Environment> may, boolean whole) {
        var avoid = avoided(who);
        Predicate<Environment> wanted = environment -> !avoid.contains(environment.name()) && may.test(environment);
        var need = who.request().need();
        return need.isSpecial() ? assignSpecial(need, wanted, whole) : assignSimple(need, wanted);
    }

    private static Set<EnvironmentName> avoided(Allocation who) {
        return who.state() instanceof Pending pending ? pending.setbacks().avoid() : Set.of();
    }

    private @Nullable List<Chosen> assignSimple(NeedClass need, Predicate<Environment> wanted) {
        var chosen = new ArrayList<Chosen>(need.count());
        var accounts = new HashSet<String>();
        for (var shape : working.fits(need).getFirst()) {
            for (var name : working.free(shape)) {
                var environment = working.environment(name);
                var account = working.policy().isolates() ? environment.record().account() : null;
                if (wanted.test(environment) && (account == null || accounts.add(account))) {
                    chosen.add(new Chosen(environment, need.needs().getFirst().access()));
                    if (chosen.size() == need.count()) {
                        return chosen;
                    }
                }
            }
        }
        return null;
    }

    /** Every unit of every need goes to an environment of its own or, where accounts have to differ, to an account of its own. */
    private @Nullable List<Chosen> assignSpecial(NeedClass need, Predicate<Environment> wanted, boolean whole) {
        var slots = new HashMap<String, Integer>();
        var candidates = new ArrayList<int[]>();
        var options = new ArrayList<Map<Integer, Environment>>();
        var profiles = new ArrayList<@Nullable String>();
        for (int i = 0; i < need.needs().size(); i++) {
            var each = need.needs().get(i);
            var bySlot = new LinkedHashMap<Integer, Environment>();
            for (var shape : working.fits(need).get(i)) {
                for (var name : working.free(shape)) {
                    var environment = working.environment(name);
                    var account = environment.record().account();
                    if (bySlot.size() < need.count() && each.allows(name, account) && wanted.test(environment)) {
                        bySlot.putIfAbsent(slot(slots, need, name, account), environment);
                    }
                }
            }
            var own = bySlot.keySet().stream().mapToInt(Integer::intValue).toArray();
            for (int unit = 0; unit < each.count(); unit++) {
                candidates.add(own);
                options.add(bySlot);
                profiles.add(each.access());
            }
        }
        var assigned = Matching.largest(candidates, slots.size());
        var chosen = new ArrayList<Chosen>();
        for (int unit = 0; unit < assigned.length; unit++) {
            var environment =
                    assigned[unit] == Matching.NONE ? null : options.get(unit).get(assigned[unit]);
            if (environment != null) {
                chosen.add(new Chosen(environment, profiles.get(unit)));
            } else if (whole) {
                return null;
            }
        }
        return chosen;
    }

    private int slot(Map<String, Integer> slots, NeedClass need, EnvironmentName name, @Nullable String account) {
        boolean byAccount = need.distinctAccounts() || working.policy().isolates();
        var key = byAccount && account != null ? "account " + account : "name " + name;
        return slots.computeIfAbsent(key, _ -> slots.size());
    }

    // ---- what can be

    /** Whether the pool as configured can never serve it. */
    boolean isImpossible(NeedClass need) {
        return need.isSpecial()
                ? !isEnough(need, Set.of(), false)
                : fitting(need).mapToInt(ShapeCount::total).sum() < need.count();
    }

    /** What the pool would have to have for this: names the field of the request. */
    String whatIsMissing(NeedClass need) {
        for (int i = 0; i < need.needs().size(); i++) {
            var each = need.needs().get(i);
            if (working.fits(need).get(i).isEmpty() && working.total() > 0) {
                return "environments: no environment of pool '%s' %s".formatted(working.poolName(), lacking(each));
            }
        }
        if (need.isSpecial()) {
            return "environments: pool '%s' has no %d environments %sthat could serve all of this at once"
                    .formatted(
                            working.poolName(), need.count(), need.distinctAccounts() ? "in different accounts " : "");
        }
        return "environments: %d asked for, and pool '%s' has %d%s"
                .formatted(
                        need.count(),
                        working.poolName(),
                        fitting(need).mapToInt(ShapeCount::total).sum(),
                        working.shapes() > 1 ? " that could serve" : "");
    }

    private String lacking(Need need) {
        for (var asked : need.capabilities().entrySet()) {
            if (!anyHas(Need.capability(asked.getKey(), asked.getValue()))) {
                return "has capability '%s' as it is asked for".formatted(asked.getKey());
            }
        }
        for (var constraint : need.constraints().entrySet()) {
            if (!anyHas(Need.constraint(constraint.getKey(), constraint.getValue()))) {
                return "has %s %s".formatted(constraint.getKey(), String.join(" or ", constraint.getValue()));
            }
        }
        var access = need.access();
        if (access != null && !anyHas(Need.profile(access))) {
            return "offers access '%s'".formatted(access);
        }
        return "has all that is asked for";
    }

    private boolean anyHas(Need single) {
        return !working.fits(NeedClass.of(List.of(single), false)).getFirst().isEmpty();
    }

    /** Whether nothing but a person can make it possible to serve it. */
    boolean isBlocked(Allocation waiting) {
        var need = waiting.request().need();
        var avoid = avoided(waiting);
        if (need.isSpecial()) {
            return !isEnough(need, avoid, true);
        }
        long avoided = avoid.stream()
                .map(working::find)
                .filter(environment -> environment != null
                        && environment.pool() == working.poolNumber()
                        && need.wants(environment)
                        && isLendable(environment))
                .count();
        return fitting(need).mapToInt(ShapeCount::lendable).sum() - avoided < need.count();
    }

    private static boolean isLendable(Environment environment) {
        return !environment.isRetiring()
                && !(environment.state() instanceof EnvironmentState.Dirty)
                && !(environment.state() instanceof EnvironmentState.Retired);
    }

    private Stream<ShapeCount> fitting(NeedClass need) {
        return working.fits(need).getFirst().stream().map(working::shape);
    }

    private boolean isEnough(NeedClass need, Set<EnvironmentName> avoid, boolean lendable) {
        // All by name or none: one environment must not count twice, as itself and as one of its shape.
        boolean isKnown = working.slice().census().keySet().containsAll(need.needs());
        var slots = new HashMap<String, Integer>();
        var candidates = new ArrayList<int[]>();
        for (int i = 0; i < need.needs().size(); i++) {
            var each = need.needs().get(i);
            var own = (!isKnown
                            ? anyOf(working.fits(need).get(i), avoid, slots, need.count(), lendable)
                            : asTheyAre(
                                            each,
                                            Objects.requireNonNull(
                                                    working.slice().census().get(each)))
                                    .filter(candidate ->
                                            !lendable || (candidate.lendable() && !avoid.contains(candidate.name())))
                                    .map(candidate -> slot(slots, need, candidate.name(), candidate.account())))
                    .mapToInt(Integer::intValue)
                    .distinct()
                    .toArray();
            for (int unit = 0; unit < each.count(); unit++) {
                candidates.add(own);
            }
        }
        for (int slot : Matching.largest(candidates, slots.size())) {
            if (slot == Matching.NONE) {
                return false;
            }
        }
        return true;
    }

    /** The candidates for a need, as this batch has left them. */
    private Stream<Slice.Candidate> asTheyAre(Need need, List<Slice.Candidate> before) {
        return Stream.concat(
                before.stream()
                        .filter(candidate -> Objects.equals(
                                working.find(candidate.name()),
                                working.slice().environments().get(candidate.name()))),
                working.changed().stream()
                        .map(working::environment)
                        .filter(environment -> environment.pool() == working.poolNumber()
                                && !(environment.state() instanceof EnvironmentState.Retired)
                                && need.wants(environment))
                        .map(environment -> new Slice.Candidate(
                                environment.name(), environment.record().account(), isLendable(environment))));
    }

    /** Environments of these shapes are all alike: as many of each as there are, but not more than could be needed. */
    private Stream<Integer> anyOf(
            List<String> shapes, Set<EnvironmentName> avoid, Map<String, Integer> slots, int most, boolean lendable) {
        var found = new ArrayList<Integer>();
        for (var shape : shapes) {
            var count = working.shape(shape);
            int many = Math.min(most, lendable ? count.lendable() - avoided(shape, avoid) : count.total());
            for (int i = 0; i < many; i++) {
                found.add(slots.computeIfAbsent("shape " + shape + " " + i, _ -> slots.size()));
            }
        }
        return found.stream();
    }

    private int avoided(String shape, Set<EnvironmentName> avoid) {
        return (int) avoid.stream()
                .map(working::find)
                .filter(environment -> environment != null
                        && environment.pool() == working.poolNumber()
                        && environment.record().shape().digest().equals(shape)
                        && isLendable(environment))
                .count();
    }
}
