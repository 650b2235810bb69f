package dev.berth.core;

import dev.berth.core.AllocationState.Granting;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.AllocationState.Polling;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Says what of a pool's queue and of its free environments a slice has to have, so that whatever the batch could use is there and
 * little else. A store asks it in the order of its methods, while it loads.
 */
public final class Search {
    /** So many heads of one line at most: more are served by the batch that follows. */
    public static final int MOST_HEADS = 256;
    /** So many requests with special needs may wait in a pool. */
    public static final int MOST_SPECIAL = 100;
    /** So many different needs may wait in a pool. */
    public static final int MOST_NEEDS = 256;
    /** So many special requests that cannot be served yet are looked at more closely in one batch. */
    private static final int MOST_HOPES = 16;

    private final Pool pool;
    private final Map<String, ShapeCount> shapes;
    private final Fit fit;
    private final Map<String, Holder> holders;
    private final Order order;
    private final int mostHeads;
    /** Environments that are not free and may be in this batch, by the digest of their shape. */
    private final Map<String, Integer> named = new HashMap<>();
    /** How many of these each principal has, and may have no more before anybody is served. */
    private final Map<String, Integer> givenBack = new HashMap<>();
    /** Environments that are free, and may be so no more before anybody is served in this batch; by the digest of their shape. */
    private final Map<String, Integer> leaving = new HashMap<>();
    /** How many environments of the pool that is. */
    private int touched;

    /**
     * @param shapes by digest, as the slice will have them
     * @param fit of the same shapes
     * @param environments all that was loaded for the batch itself: whatever of it comes free can be lent in the same batch
     * @param holders those of the lines, by name
     */
    public Search(
            Pool pool,
            Map<String, ShapeCount> shapes,
            Fit fit,
            Collection<Environment> environments,
            Map<String, Holder> holders,
            Instant now,
            int mostHeads) {
        this.pool = pool;
        this.shapes = shapes;
        this.fit = fit;
        this.holders = holders;
        this.order = new Order(pool.policy(), now, name -> {
            var holder = holders.get(name);
            return holder == null ? Holder.unknown(name, now) : holder;
        });
        this.mostHeads = mostHeads;
        for (var environment : environments) {
            if (environment.pool() == pool.number()) {
                touched++;
                (environment.isFree() ? leaving : named)
                        .merge(environment.record().shape().digest(), 1, Integer::sum);
                var tenant = environment.tenant();
                if (tenant != null && environment.state() instanceof EnvironmentState.Allocated) {
                    givenBack.merge(tenant.principal(), 1, Integer::sum);
                }
            }
        }
    }

    /** The heads of a line. */
    public record Heads(Line.Key line, int limit) {}

    /** How many of each line can be served by what is free or may come free; those too that can never be. */
    public List<Heads> heads(Collection<Line> lines) {
        var heads = new ArrayList<Heads>();
        boolean anything = !named.isEmpty() || shapes.values().stream().anyMatch(shape -> shape.free() > 0);
        for (var line : lines) {
            int limit = line.waiting() == 0 ? 0 : limit(line, anything);
            if (limit > 0) {
                heads.add(new Heads(line.key(), Math.min(limit, line.waiting())));
            }
        }
        return heads;
    }

    private int limit(Line line, boolean anything) {
        var need = line.need();
        if (!pool.listed()) {
            return mostHeads;
        }
        if (need == null) {
            return anything ? MOST_SPECIAL : MOST_HOPES; // the first may have become impossible
        }
        int total = 0;
        int lendable = 0;
        int now = 0;
        for (var digest : fit.order(need).getFirst()) {
            var count = shape(digest);
            int soon = named.getOrDefault(digest, 0);
            total += count.total();
            lendable += count.lendable() + soon;
            now += count.free() + soon;
        }
        if (total < need.count()) {
            return mostHeads;
        }
        if (now == 0 || lendable < need.count() || isOverQuota(line.key().holder())) {
            return 0;
        }
        // A few more than can be served: some may avoid what is free.
        return isMixed() ? mostHeads : Math.min(mostHeads, now / need.count() + AllocationState.Setbacks.MOST);
    }

    private ShapeCount shape(String digest) {
        return Objects.requireNonNull(shapes.get(digest));
    }

    /** Whether some of a line may be over their quota, and others not. */
    private boolean isMixed() {
        var policy = pool.policy();
        return policy.queue().order() == Policy.Queueing.Order.FAIR
                && policy.queue().shareBy() != null
                && (policy.quota().held() != null
                        || policy.quotas().values().stream().anyMatch(quota -> quota.held() != null));
    }

    private boolean isOverQuota(String sharer) {
        var holder = holders.get(sharer);
        return holder != null && pool.policy().bars(sharer, holder.held() - givenBack.getOrDefault(sharer, 0));
    }

    /**
     * Free environments of a shape, those first that were given back first.
     *
     * @param account of this account alone; null for whichever
     * @param accounts so many different accounts, with as many of each as {@code limit} says, instead of that order; 0 for no such wish
     */
    public record Free(String shape, @Nullable String account, int accounts, int limit) {}

    /** What of the free environments is wanted: best-fit shapes first, until there are enough whatever others take. */
    public List<Free> free(Collection<Command.Ask> asks, Collection<Allocation> loaded) {
        var demand = new Demand();
        asks.forEach(ask -> demand.add(ask.request().need(), 0));
        for (var allocation : loaded) {
            int setbacks = switch (allocation.state()) {
                case Pending pending -> pending.setbacks().avoid().size();
                case Granting granting -> granting.setbacks().avoid().size() + 1; // may come back to the queue
                case Polling _ -> 0;
                case AllocationState.Active _, AllocationState.Ended _ -> -1;
            };
            if (setbacks < 0 || allocation.id().poolNumber() != pool.number()) {
                continue;
            }
            if (lacks(allocation.request().need())) {
                demand.gather(allocation.request().need());
            } else {
                demand.add(allocation.request().need(), setbacks);
            }
        }
        return demand.free();
    }

    /** Whether there cannot be enough in this batch: what it gathers is known by its need, not by name. */
    private boolean lacks(NeedClass need) {
        return !need.isSpecial() && now(fit.order(need).getFirst()) < need.count();
    }

    private static int add(int one, int other) {
        return (int) Math.min(1_000_000, (long) one + other);
    }

    /** What the requests of a batch could take, at the most. */
    private final class Demand {
        private final Set<NeedClass> needs = new LinkedHashSet<>();
        private final Map<String, Integer> byShape = new HashMap<>();
        /** Shapes that may be had as a loan only. */
        private final Set<String> gathered = new HashSet<>();

        private int whole = Stream.of(leaving, named)
                .flatMap(each -> each.values().stream())
                .mapToInt(Integer::intValue)
                .sum();
        private int avoided;
        private final boolean isolates = pool.policy().isolates();

        /** One request. */
        void add(NeedClass need, int setbacks) {
            needs.add(need);
            whole = Search.add(whole, need.count());
            avoided = Math.max(avoided, setbacks);
            var fitting = fit.order(need);
            var digests = fitting.size() == 1
                    ? fitting.getFirst()
                    : fitting.stream().flatMap(List::stream).distinct().toList();
            digests.forEach(digest -> byShape.merge(digest, need.count(), Search::add));
        }

        /** One that takes nothing, and may count on all that it could use. */
        void gather(NeedClass need) {
            gathered.addAll(fit.order(need).getFirst());
        }

        private int of(String shape) {
            int others = leaving.getOrDefault(shape, 0) + named.getOrDefault(shape, 0) + avoided;
            return Search.add(others, byShape.getOrDefault(shape, 0));
        }

        List<Free> free() {
            var found = new LinkedHashSet<Free>();
            for (var need : needs) {
                var fitting = fit.order(need);
                for (int i = 0; i < fitting.size(); i++) {
                    if (need.isSpecial()) {
                        special(need.needs().get(i), fitting.get(i), need.distinctAccounts(), found);
                    } else {
                        simple(fitting.get(i), found);
                    }
                }
            }
            return List.copyOf(found);
        }

        /** A shape of which there is enough for all that could take of it is the last that is looked at. */
        private void simple(List<String> fitting, Set<Free> found) {
            int enough = Search.add(whole, avoided);
            for (var digest : fitting) {
                int free = shape(digest).free();
                int demand = of(digest);
                if (free > 0) {
                    ofShape(digest, Math.min(demand, free), found);
                }
                if (isolates || gathered.contains(digest)) {
                    continue;
                }
                enough -= free;
                if (enough <= 0 || free >= demand) {
                    return;
                }
            }
        }

        private void ofShape(String digest, int limit, Set<Free> found) {
            found.add(new Free(digest, null, 0, limit));
            if (isolates) { // whatever is lent may take one account of this shape with it
                found.add(new Free(digest, null, Search.add(whole, avoided), limit));
            }
        }

        private void special(Need need, List<String> fitting, boolean distinct, Set<Free> found) {
            int demand = Search.add(whole, avoided);
            Set<String> accounts = need.constraints().get(Need.ACCOUNT);
            int enough = demand;
            for (var digest : fitting) {
                int limit = Math.min(demand, shape(digest).free());
                if (limit == 0) {
                    continue;
                }
                if (accounts != null) {
                    accounts.forEach(account -> found.add(new Free(digest, account, 0, limit)));
                } else if (distinct) {
                    found.add(new Free(digest, null, demand, limit));
                } else if (enough > 0 && !need.constraints().containsKey(Need.NAME)) { // those named are loaded by name
                    ofShape(digest, limit, found);
                    enough -= isolates || gathered.contains(digest)
                            ? 0
                            : shape(digest).free();
                }
            }
        }
    }

    /** Names that are asked for: these environments are wanted, whatever their state. */
    public Set<EnvironmentName> names(Collection<Command.Ask> asks, Collection<Allocation> loaded) {
        var names = new LinkedHashSet<EnvironmentName>();
        special(asks, loaded)
                .forEach((need, _) -> need.needs().forEach(each -> {
                    var named = each.constraints().get(Need.NAME);
                    if (named != null) {
                        named.stream()
                                .filter(EnvironmentName::isValid)
                                .forEach(name -> names.add(new EnvironmentName(name)));
                    }
                }));
        return names;
    }

    /**
     * Environments that can serve a need some time.
     *
     * @param shapes digests of those that fit
     * @param distinct whether so many of different accounts are wanted too, one of each
     * @param limit so many lendable ones, and so many others beside, are enough
     */
    public record Census(Need need, List<String> shapes, boolean distinct, int limit) {}

    /** For special needs: enough candidates to tell whether they can be served at all, and without a person's doing. */
    public List<Census> census(Collection<Command.Ask> asks, Collection<Allocation> loaded) {
        var found = new LinkedHashMap<Need, Census>();
        int hopes = 0;
        for (var special : special(asks, loaded).entrySet()) {
            var need = special.getKey();
            boolean isAsked = special.getValue();
            if (!isAsked && !isEnoughFree(need) && ++hopes > MOST_HOPES) {
                continue;
            }
            // Where one need names environments, the others have to be told by name too: they may want the same one.
            boolean byName = need.distinctAccounts() || need.needs().stream().anyMatch(Need::isPinned);
            for (int i = 0; byName && i < need.needs().size(); i++) {
                var each = need.needs().get(i);
                var fitting = fit.order(need).get(i);
                found.merge(
                        each,
                        new Census(
                                each,
                                fitting,
                                need.distinctAccounts(),
                                // so many of them may be gone at the end of the batch
                                need.count() + AllocationState.Setbacks.MOST + touched),
                        (one, other) -> new Census(
                                each,
                                fitting,
                                one.distinct() || other.distinct(),
                                Math.max(one.limit(), other.limit())));
            }
        }
        return List.copyOf(found.values());
    }

    /** Whether, by shapes alone, each of the needs could be served in this batch. */
    private boolean isEnoughFree(NeedClass need) {
        for (int i = 0; i < need.needs().size(); i++) {
            if (now(fit.order(need).get(i)) < need.needs().get(i).count()) {
                return false;
            }
        }
        return true;
    }

    /** How many of these shapes are free or may come free in this batch. */
    private int now(List<String> fitting) {
        int now = 0;
        for (var digest : fitting) {
            now += shape(digest).free() + named.getOrDefault(digest, 0);
        }
        return now;
    }

    /** The special needs with whether they are asked for now; of those that wait the first ones first. */
    private Map<NeedClass, Boolean> special(Collection<Command.Ask> asks, Collection<Allocation> loaded) {
        var special = new LinkedHashMap<NeedClass, Boolean>();
        asks.stream()
                .map(ask -> ask.request().need())
                .filter(NeedClass::isSpecial)
                .forEach(need -> special.put(need, true));
        loaded.stream()
                .filter(allocation -> !allocation.hasEnded() && !(allocation.state() instanceof AllocationState.Active))
                .filter(allocation -> allocation.id().poolNumber() == pool.number()
                        && allocation.request().need().isSpecial())
                .sorted(order)
                .map(allocation -> allocation.request().need())
                .forEach(need -> special.putIfAbsent(need, false));
        return special;
    }

    /**
     * When allocated environments of these shapes are back: the earliest instants, of those that do not drain.
     *
     * @param shapes digests
     */
    public record Returns(NeedClass need, List<String> shapes, int limit) {}

    /** For those who may come to gather: until when others may have what they gather. */
    public List<Returns> returns(Collection<Command.Ask> asks, Collection<Allocation> loaded) {
        var found = new LinkedHashMap<NeedClass, Returns>();
        asks.stream().map(ask -> ask.request().need()).forEach(need -> gathers(need, found));
        loaded.stream()
                .filter(allocation -> allocation.state() instanceof Pending || allocation.state() instanceof Granting)
                .forEach(allocation -> gathers(allocation.request().need(), found));
        return List.copyOf(found.values());
    }

    private void gathers(NeedClass need, Map<NeedClass, Returns> found) {
        if (need.isSpecial() || need.count() == 1 || found.containsKey(need)) {
            return;
        }
        found.put(need, new Returns(need, fit.order(need).getFirst(), need.count()));
    }
}
