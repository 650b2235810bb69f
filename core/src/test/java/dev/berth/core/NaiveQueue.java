package dev.berth.core;

import dev.berth.core.NaiveModel.Loan;
import dev.berth.core.NaiveModel.Thing;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who is served, as docs/waiting.md tells it, by looking at everybody and everything. Where the rules may choose among environments that
 * are equally right, their choice is taken once it was seen to be a right one. What they keep for somebody without saying which one it
 * is, they may have chosen too: of the others, then, one who is surely served must be, and one who is surely not must not be.
 */
final class NaiveQueue {
    private final NaiveModel model;
    private final List<Use> log = new ArrayList<>();
    private final Map<String, Instant> served = new HashMap<>();

    private @Nullable Loan gatherer;
    private @Nullable Instant lentUntil;
    /** Whether it cannot be told who gathers. */
    private boolean foggy;
    /** Whether it cannot be told if somebody took what was kept for another, so that the queue was served again. */
    private boolean unsure;
    /** As the batch found it: another order is one from the next batch on. */
    private Duration agingAtFirst = Duration.ofDays(1);

    private final List<Kept> kept = new ArrayList<>();
    /** For whom there was not enough: those behind them, with the same need, are not looked at more closely. */
    private final Set<NeedClass> lacking = new HashSet<>();

    NaiveQueue(NaiveModel model) {
        this.model = model;
    }

    /** Environments for somebody. */
    record Choice(List<String> names, boolean loan) {}

    /** Who held how many from when on, and until when. */
    private static final class Use {
        final Loan loan;
        final int count;
        final Instant from;

        @Nullable
        Instant to;

        Use(Loan loan, int count, Instant from) {
            this.loan = loan;
            this.count = count;
            this.from = from;
        }
    }

    /** So many of these are kept for somebody; which of them is not known. None for certain where {@code size} is 0. */
    private static final class Kept {
        final Loan owner;
        final Set<String> among;
        int size;

        Kept(Loan owner, Set<String> among, int size) {
            this.owner = owner;
            this.among = among;
            this.size = size;
        }
    }

    // ---- the order

    private boolean isFair() {
        return model.policy().queue().order() == Policy.Queueing.Order.FAIR;
    }

    private boolean ranksBefore(Loan one, Loan other) {
        return one.rank == other.rank ? one.arrival < other.arrival : one.rank < other.rank;
    }

    private long level(Loan loan) {
        var since = served.getOrDefault(loan.sharer, loan.createdAt);
        var from = since.isAfter(loan.createdAt) ? since : loan.createdAt;
        return loan.priority + Duration.between(from, model.now()).toMillis() / agingAtFirst.toMillis();
    }

    /** Environment-minutes, each worth half as much after every half-life; and one minute ahead of what is held. */
    private double share(Loan loan) {
        double perMinute =
                Math.log(2) * 60_000 / model.policy().queue().halfLife().toMillis();
        double share = 0;
        for (var use : log) {
            if (use.loan.sharer.equals(loan.sharer)) {
                double oldest = minutesAgo(use.from);
                double youngest = use.to == null ? 0 : minutesAgo(use.to);
                share += use.count * (Math.exp(-perMinute * youngest) - Math.exp(-perMinute * oldest)) / perMinute;
                share += use.to == null ? use.count : 0;
            }
        }
        return share;
    }

    private double minutesAgo(Instant then) {
        return Duration.between(then, model.now()).toMillis() / 60_000.0;
    }

    private boolean isBefore(Loan one, Loan other) {
        if (isFair()) {
            if (level(one) != level(other)) {
                return level(one) > level(other);
            }
            double lead = share(one) - share(other);
            if (Math.abs(lead) < 1e-7) { // different ways of adding it up cannot tell: as the rules rounded it
                lead = rounded(one) - rounded(other);
            }
            if (lead != 0) {
                return lead < 0;
            }
        }
        return ranksBefore(one, other);
    }

    private double rounded(Loan loan) {
        var holder = model.actual.holders.get(new NaiveStore.Part(loan.id.poolNumber(), loan.sharer));
        int held = log.stream()
                .filter(use -> use.to == null && use.loan.sharer.equals(loan.sharer))
                .mapToInt(use -> use.count)
                .sum();
        return held
                + (holder == null
                        ? 0
                        : holder.usedAt(model.now(), model.policy().queue().halfLife()));
    }

    /** Whether both are of one sharer, and wait for the same: then the rank alone decides. */
    private boolean isSameLine(Loan one, Loan other) {
        return (!isFair() || one.sharer.equals(other.sharer))
                && one.need().isSpecial() == other.need().isSpecial()
                && (one.need().isSpecial() || (one.need().equals(other.need()) && one.isPlace() == other.isPlace()));
    }

    /** Of those who wait for the same, so many are looked at as could be served, and not whoever would give it back in time. */
    private boolean isFirstOfItsLine(Loan loan) {
        return model.waiting().stream()
                .noneMatch(other -> other != loan && isSameLine(loan, other) && ranksBefore(other, loan));
    }

    private Loan first(List<Loan> left) {
        Loan best = null;
        for (var each : left) {
            boolean heads = left.stream().noneMatch(other -> isSameLine(each, other) && ranksBefore(other, each));
            if (heads && (best == null || isBefore(each, best))) {
                best = each;
            }
        }
        return Objects.requireNonNull(best);
    }

    void granted(Loan loan) {
        log.add(new Use(loan, loan.has.size(), model.now()));
        served.put(loan.sharer, model.now());
    }

    void vacated(Loan loan) {
        for (var use : log) {
            if (use.loan == loan && use.to == null) {
                use.to = model.now();
            }
        }
    }

    // ---- serving

    void begin() {
        unsure = false;
        agingAtFirst = model.policy().queue().aging();
        model.places.values().forEach(place -> place.keptBefore = place.keptUntil);
    }

    void serve() {
        do {
            serveInOrder();
        } while (countsInVain());
    }

    /** Whether something is kept for somebody whose principal got so much since that it may have no more. */
    private boolean countsInVain() {
        return (gatherer != null && isOverQuota(gatherer)) || kept.stream().anyMatch(each -> isOverQuota(each.owner));
    }

    private void serveInOrder() {
        gatherer = null;
        lentUntil = null;
        foggy = false;
        kept.clear();
        var left = new ArrayList<Loan>();
        model.waiting().stream().filter(loan -> loan.interest != null).forEach(left::add);
        model.places.values().stream().filter(place -> place.awake).forEach(left::add);
        while (!left.isEmpty()) {
            var next = first(left);
            left.remove(next);
            serve(next);
        }
        lacking.clear();
    }

    private void serve(Loan next) {
        boolean never = !model.listed || isImpossible(next.need());
        if (never && model.isLeft(next)) {
            return;
        }
        if (never && (isOutOfTime(next) || (next.need().isSpecial() && !hasReallyGone(next)))) {
            var real = model.real(next);
            if (real != null && real.state() instanceof AllocationState.Polling polling) {
                next.keptUntil = polling.keptUntil() == null && polling.misses() == next.misses ? null : next.keptUntil;
            }
            return; // that is noticed when next something is free that could be for one of the special needs
        }
        if (next.isPlace()) {
            if (never) {
                model.places.values().remove(next);
            } else {
                keep(next);
            }
            return;
        }
        if (never) {
            model.end(next, "unsatisfiable");
            return;
        }
        if (!Objects.requireNonNull(next.interest).isAfter(model.now()) || isOverQuota(next)) {
            return;
        }
        var choice = choose(next, next, true);
        if (choice == null) {
            lacking.add(next.need());
            gather(next);
        } else {
            model.grant(next, choice);
        }
    }

    private boolean hasReallyGone(Loan loan) {
        var real = model.actual.find(loan.id);
        return real == null || real.hasEnded();
    }

    /** Of many that wait in a pool that is taken out, some wait or are cared for no more before that is noticed. */
    private boolean isOutOfTime(Loan loan) {
        var real = model.actual.find(loan.id);
        return real != null
                && switch (real.state()) {
                    case AllocationState.Ended ended -> ended.reason() == EndReason.WAIT_TIMEOUT;
                    case AllocationState.Pending pending -> pending.interestUntil() == null;
                    default -> false;
                };
    }

    private void keep(Loan place) {
        var own = left(place, true, false);
        var surely = new TreeSet<>(own);
        surely.removeAll(keptFromHim(place, true));
        boolean sure = !unsure && canServe(place.need(), surely);
        if (isOverQuota(place) || (!unsure && !sure && !canServe(place.need(), own))) {
            place.keptUntil = null; // somebody before it has it: that is no miss
            return;
        }
        var asking = place.asking().multipliedBy(3).plusSeconds(1);
        var most = model.policy().retryAfter();
        var until = model.now().plus(asking.compareTo(most) < 0 ? asking : most);
        var real = model.real(place);
        if (!sure && real != null && real.state() instanceof AllocationState.Polling polling) {
            place.keptUntil = polling.keptUntil() == null && polling.misses() == place.misses
                    ? null
                    : until.equals(polling.keptUntil()) ? until : place.keptBefore;
        } else if (sure && place.keptUntil == null) {
            place.keptUntil = until;
        }
        kept.add(new Kept(place, wanted(place, own), sure ? place.need().count() : 0));
    }

    boolean isOverQuota(Loan loan) {
        var quota = model.policy().quota(loan.principal).held();
        return quota != null && held(loan.principal) + loan.need().count() > quota;
    }

    private int held(String principal) {
        return model.loans.values().stream()
                .filter(other -> other.holds() && other.principal.equals(principal))
                .mapToInt(other -> other.has.size())
                .sum();
    }

    // ---- gathering

    /** One that has just come and waits. */
    void join(Loan loan) {
        boolean first = gatherer == null
                ? kept.stream().anyMatch(each -> isBefore(loan, each.owner))
                : isBefore(loan, gatherer);
        if (first) {
            serve();
        } else if (gatherer == null && !isOverQuota(loan)) {
            gather(loan);
        }
    }

    /** What was kept for those behind one who was served at once is kept no more. */
    void took(Choice choice, @Nullable Loan place) {
        var others = kept.stream()
                .filter(each -> each.owner.isPlace() && each.owner != place)
                .toList();
        boolean may = others.stream().anyMatch(each -> choice.names().stream().anyMatch(each.among::contains));
        boolean must = others.stream()
                .anyMatch(each -> each.among.size() <= each.size
                        && choice.names().stream().anyMatch(each.among::contains));
        unsure |= may && !must;
        if (may || countsInVain()) {
            serve();
        }
    }

    private void gather(Loan next) {
        if (gatherer != null || isBlocked(next)) {
            return;
        }
        var usable = wanted(next, left(next, true, true));
        boolean mayHave;
        boolean surelyHas;
        int size = 0;
        if (next.need().isSpecial()) {
            var surely = new TreeSet<>(usable);
            surely.removeAll(keptFromHim(next, true));
            size = most(next.need(), surely);
            surelyHas = size > 0;
            mayHave = most(next.need(), usable) > 0;
        } else {
            var among = new HashSet<String>();
            kept.forEach(each -> among.addAll(each.among));
            int sure = kept.stream().mapToInt(each -> each.size).sum();
            int most = kept.stream().mapToInt(each -> each.owner.need().count()).sum();
            long elsewhere =
                    among.stream().filter(name -> !usable.contains(name)).count();
            long within = among.stream().filter(usable::contains).count();
            surelyHas = usable.size() > Math.min(most, within);
            mayHave = usable.size() > Math.max(0, sure - elsewhere);
        }
        if (!mayHave) {
            return;
        }
        if (foggy || !surelyHas) {
            foggy = true;
            kept.add(new Kept(next, usable, 0));
        } else if (next.need().isSpecial()) {
            gatherer = next;
            kept.add(new Kept(next, usable, size)); // what it has so far is for the rules to choose
        } else {
            gatherer = next;
            lentUntil = lastReturn(next);
        }
    }

    /** When the last of those is back that are still missing; null where nobody can say. */
    private @Nullable Instant lastReturn(Loan loan) {
        int missing = loan.need().count();
        var returns = new ArrayList<Instant>();
        for (var thing : model.things.values()) {
            if (!thing.isLendable() || loan.avoid.contains(thing.name) || !wants(loan.need(), thing)) {
                continue;
            }
            if (!thing.state.equals("allocated")) {
                missing--;
            } else if (thing.backAt != null) {
                returns.add(thing.backAt);
            }
        }
        returns.sort(Comparator.naturalOrder());
        return missing < 1 || missing > returns.size() ? null : returns.get(missing - 1);
    }

    private boolean isBackInTime(Loan loan) {
        var length = model.length(loan);
        if (length == null || lentUntil == null) {
            return false;
        }
        var back = model.now().plus(length);
        for (var step : model.policy().steps()) {
            var limits = model.policy().limits(step);
            back = back.plus(limits.timeout().multipliedBy(limits.attempts()));
            back = step == Step.ISSUE ? back.plusSeconds(120) : back;
        }
        return !back.isAfter(lentUntil);
    }

    // ---- choosing

    /**
     * What is given, if the rules do; an {@link AssertionError} where they should and do not.
     *
     * @param turn whose turn it is: the place of the taker, or the taker
     */
    @Nullable
    Choice choose(Loan turn, Loan taker, boolean hasPlace) {
        var need = taker.need();
        var own = left(turn, hasPlace, false);
        var all = left(turn, hasPlace, true);
        var doubtful = keptFromHim(turn, hasPlace);
        var surely = new TreeSet<>(own);
        surely.removeAll(doubtful);
        // in a fair order one may be before others, but not the first of its line: it comes after that one
        boolean must = canServe(need, surely) && !(isFair() && lacking.contains(need));
        var real = real(taker);
        boolean lends = gatherer != null && isBackInTime(taker);
        if (real != null && !hasWaitedFor(real, turn, taker, hasPlace)) {
            boolean serves = isServedBy(need, real, taker) && leavesWhatIsKept(turn, taker, hasPlace, real);
            boolean right = real.loan() ? (lends || foggy) && !must : own.containsAll(real.names());
            if (serves && right && all.containsAll(real.names())) {
                if (doubtful.isEmpty()) {
                    fitsBest(taker, real, real.loan() ? all : own);
                }
                taken(turn, hasPlace, real);
                return real;
            }
        }
        if (real == null && model.isServedLater(taker)) {
            return null;
        }
        boolean late = model.isReconfigured() || model.isRegistering(); // what is there now is looked at once more
        if (must && !unsure && !late) {
            throw new AssertionError("%s should have %d of %s and has %s"
                    .formatted(taker.id, need.count(), surely, real == null ? "nothing" : real));
        }
        if (real == null && lends) {
            var lendable = new TreeSet<>(all);
            lendable.removeAll(doubtful);
            var gathers = Objects.requireNonNull(gatherer);
            // What changed in the batch itself may count twice: the rules are on the safe side then.
            boolean known = gathers.avoid.isEmpty()
                    && model.things.values().stream()
                            .noneMatch(thing -> wants(gathers.need(), thing)
                                    && model.actual.lastChanged.contains(new EnvironmentName(thing.name)));
            if (known && isFirstOfItsLine(turn) && canServe(need, lendable)) {
                throw new AssertionError("%s should be lent %d of %s until %s and is not"
                        .formatted(taker.id, need.count(), lendable, lentUntil));
            }
        }
        return null;
    }

    /** What it has of the rules in this batch; null for nothing. */
    private @Nullable Choice real(Loan loan) {
        var real = loan.isPlace() ? null : model.real(loan);
        if (real == null || real.state().grants().isEmpty()) {
            return null;
        }
        boolean loaned = real.state() instanceof AllocationState.Active active
                ? active.loan()
                : ((AllocationState.Granting) real.state()).loan();
        return new Choice(
                real.state().grants().stream()
                        .map(grant -> grant.environment().value())
                        .toList(),
                loaned);
    }

    /** What is free and not avoided, and, but for a loan, not counted on by whoever gathers before it. */
    private Set<String> left(Loan who, boolean hasPlace, boolean asLoan) {
        var left = new TreeSet<String>();
        var first = gatherer;
        boolean behind = first != null && first != who && !(hasPlace && isBefore(who, first));
        for (var thing : model.things.values()) {
            boolean counted = behind
                    && !asLoan
                    && !first.need().isSpecial()
                    && wants(first.need(), thing)
                    && !first.avoid.contains(thing.name);
            if (thing.isFree() && !who.avoid.contains(thing.name) && !counted) {
                left.add(thing.name);
            }
        }
        return left;
    }

    private boolean binds(Kept each, Loan who, boolean hasPlace) {
        return each.owner != who && !(hasPlace && isBefore(who, each.owner));
    }

    private Set<String> keptFromHim(Loan who, boolean hasPlace) {
        var names = new TreeSet<String>();
        for (var each : kept) {
            if (binds(each, who, hasPlace)) {
                names.addAll(each.among);
            }
        }
        return names;
    }

    private boolean leavesWhatIsKept(Loan who, Loan taker, boolean hasPlace, Choice choice) {
        for (var each : kept) {
            if (binds(each, who, hasPlace) && (isMissing(each.owner) || !isKeptInVainWith(taker, each.owner))) {
                var rest = new TreeSet<>(each.among);
                rest.removeIf(name -> !model.things.get(name).isFree());
                choice.names().forEach(rest::remove);
                if (most(each.owner.need(), rest) < each.size) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Whether its caller did not come: others are served after it, in the same batch. */
    private boolean isMissing(Loan place) {
        return place.keptUntil != null && !place.keptUntil.isAfter(model.now());
    }

    /** Whether the owner may have nothing more once this one has what it takes: then what was kept went to others in the end. */
    private boolean isKeptInVainWith(Loan taker, Loan owner) {
        var quota = model.policy().quota(owner.principal).held();
        return quota != null
                && owner.principal.equals(taker.principal)
                && held(owner.principal) + taker.need().count() + owner.need().count() > quota;
    }

    /**
     * Whether it has what was kept for a caller that did not come, and only since that missed it: had it been served before, that caller
     * might have had nothing more, which is no miss.
     */
    private boolean hasWaitedFor(Choice choice, Loan who, Loan taker, boolean hasPlace) {
        return kept.stream()
                .anyMatch(each -> isMissing(each.owner)
                        && binds(each, who, hasPlace)
                        && isKeptInVainWith(taker, each.owner)
                        && choice.names().stream().anyMatch(each.among::contains)
                        && hasReallyMissed(each.owner));
    }

    private boolean hasReallyMissed(Loan place) {
        var real = model.real(place);
        return real == null || ((AllocationState.Polling) real.state()).misses() > place.misses;
    }

    /** Whether somebody for whom enough is kept had too little, were this one not free. */
    boolean isSurelyKept(String name) {
        return kept.stream()
                .filter(each -> each.among.contains(name) && model.places.containsValue(each.owner))
                .anyMatch(each -> {
                    var free = new TreeSet<>(each.among);
                    free.removeIf(other -> !model.things.get(other).isFree());
                    var rest = new TreeSet<>(free);
                    rest.remove(name);
                    return most(each.owner.need(), free) >= each.size && most(each.owner.need(), rest) < each.size;
                });
    }

    /** Whether the rules may have chosen to keep it for somebody. */
    boolean mayBeKept(String name) {
        return kept.stream().anyMatch(each -> each.among.contains(name));
    }

    /** Whoever may take what is kept leaves less of it. */
    private void taken(Loan who, boolean hasPlace, Choice choice) {
        for (var each : kept) {
            if (!binds(each, who, hasPlace)) {
                long taken =
                        choice.names().stream().filter(each.among::contains).count();
                each.size = Math.max(0, each.size - (int) taken);
            }
        }
    }

    private boolean isServedBy(NeedClass need, Choice choice, Loan taker) {
        var asked = new ArrayList<String>();
        need.needs().forEach(each -> {
            for (int i = 0; i < each.count(); i++) {
                asked.add(String.valueOf(each.access()));
            }
        });
        var profiles = Objects.requireNonNull(model.actual.find(taker.id)).state().grants().stream()
                .map(grant -> String.valueOf(grant.profile()))
                .sorted()
                .toList();
        return choice.names().size() == need.count()
                && canServe(need, new HashSet<>(choice.names()))
                && asked.stream().sorted().toList().equals(profiles);
    }

    /** As few facts that were not asked for as can be; of those alike, what was given back first. */
    private void fitsBest(Loan taker, Choice choice, Set<String> among) {
        var need = taker.need().needs().getFirst();
        if (taker.need().isSpecial()) {
            return; // any assignment that serves is right
        }
        var usable = wanted(taker, among);
        int least = usable.stream()
                .map(model.things::get)
                .mapToInt(thing -> need.surplus(thing.shape))
                .sorted()
                .limit(need.count())
                .sum();
        int has = choice.names().stream()
                .mapToInt(name -> need.surplus(model.things.get(name).shape))
                .sum();
        if (has != least) {
            throw new AssertionError("%s has %s, which is not the best fit of %s".formatted(taker.id, choice, usable));
        }
        for (var name : choice.names()) {
            for (var other : usable) {
                var mine = model.things.get(name);
                var spared = model.things.get(other);
                if (!choice.names().contains(other)
                        && spared.shape.equals(mine.shape)
                        && mine.reshapedIn < model.batches()
                        && spared.freedIn < mine.freedIn) {
                    throw new AssertionError(
                            "%s has %s, and %s was given back before".formatted(taker.id, name, other));
                }
            }
        }
    }

    // ---- what can be

    boolean isImpossible(NeedClass need) {
        var names = new TreeSet<String>();
        model.things.values().stream().filter(thing -> !thing.isGone()).forEach(thing -> names.add(thing.name));
        return !canServe(need, names);
    }

    private boolean isBlocked(Loan loan) {
        var names = new TreeSet<String>();
        model.things.values().stream()
                .filter(thing -> thing.isLendable() && !loan.avoid.contains(thing.name))
                .forEach(thing -> names.add(thing.name));
        return !canServe(loan.need(), names);
    }

    private Set<String> wanted(Loan loan, Collection<String> names) {
        var wanted = new TreeSet<String>();
        for (var name : names) {
            if (wants(loan.need(), model.things.get(name))) {
                wanted.add(name);
            }
        }
        return wanted;
    }

    private static boolean wants(NeedClass need, Thing thing) {
        return need.needs().stream().anyMatch(each -> serves(each, thing));
    }

    private static boolean serves(Need need, Thing thing) {
        return need.fits(thing.shape) && need.allows(new EnvironmentName(thing.name), thing.account);
    }

    private boolean canServe(NeedClass need, Set<String> names) {
        return most(need, names) == need.count();
    }

    /** How many of the units can be served at once: goes through every way to do it, as sets of what is taken. */
    private int most(NeedClass need, Set<String> names) {
        var slots = new HashMap<String, Integer>();
        var ways = new HashSet<Long>(Set.of(0L));
        for (var each : need.needs()) {
            for (int unit = 0; unit < each.count(); unit++) {
                var next = new HashSet<>(ways);
                for (var name : names) {
                    var thing = model.things.get(name);
                    if (serves(each, thing)) {
                        var place = need.distinctAccounts() && thing.account != null
                                ? "account " + thing.account
                                : "name " + name;
                        long bit = 1L << slots.computeIfAbsent(place, _ -> slots.size());
                        ways.stream().filter(way -> (way & bit) == 0).forEach(way -> next.add(way | bit));
                    }
                }
                ways = next;
            }
        }
        return ways.stream().mapToInt(Long::bitCount).max().orElse(0);
    }
}
