package dev.berth.server.store;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.coloured;
import static dev.berth.server.store.Samples.id;
import static dev.berth.server.store.Samples.policy;
import static dev.berth.server.store.Samples.record;
import static dev.berth.server.store.Samples.wanting;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Answer;
import dev.berth.core.Caller;
import dev.berth.core.ClaimId;
import dev.berth.core.Command;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Holder;
import dev.berth.core.Line;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Request;
import dev.berth.core.Rules;
import dev.berth.core.Shape;
import dev.berth.core.ShapeCount;
import dev.berth.core.Slice;
import dev.berth.core.Step;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Decides at random on a pool in a store, keeps all that was written in maps, and compares the store with them. */
final class StoreWalk {
    private static final PoolName POOL = new PoolName("walk");
    private static final List<String> PRINCIPALS = List.of("ann", "bob", "eve");
    private static final List<String> COLOURS = List.of("red", "green", "blue");

    private final Store store;
    private final Random random;
    private final Map<AllocationId, Allocation> live = new LinkedHashMap<>();
    private final Map<AllocationId, Allocation> ended = new LinkedHashMap<>();
    private final Map<EnvironmentName, Environment> environments = new TreeMap<>();
    private final List<Answer.Assignment> steps = new ArrayList<>();
    private Instant now = NOON;
    private int claims;
    private int turn;

    StoreWalk(Store store, long seed) {
        this.store = store;
        this.random = new Random(seed);
        try (var transaction = store.begin()) {
            transaction.create(POOL, anyPolicy(), now);
            transaction.commit();
        }
        batch(List.of(register(14)));
    }

    /** What was met on the way, so that a test sees that it was. */
    record Seen(int granted, int waiting, int polling, int lines) {}

    Seen run(int batches) {
        var seen = new Seen(0, 0, 0, 0);
        for (int i = 0; i < batches; i++) {
            now = now.plusMillis(random.nextInt(random.nextInt(10) == 0 ? 40_000 : 1_500));
            var commands = new ArrayList<Command>();
            for (int many = 1 + random.nextInt(5); many > 0; many--) {
                commands.add(command());
            }
            if (commands.stream().anyMatch(StoreWalk::asksAlone)) {
                var alone = commands.stream()
                        .filter(StoreWalk::asksAlone)
                        .findFirst()
                        .orElseThrow();
                commands.removeIf(Command.Ask.class::isInstance);
                commands.add(alone);
            }
            batch(commands);
            neighbours();
            if (i % 5 == 4) {
                compare();
            }
            var pool = pool();
            seen = new Seen(
                    seen.granted
                            + (int) live.values().stream()
                                    .filter(each -> each.state() instanceof AllocationState.Active)
                                    .count(),
                    seen.waiting + pool.waiting(),
                    seen.polling + pool.polling(),
                    Math.max(seen.lines, lines().size()));
        }
        return seen;
    }

    private static boolean asksAlone(Command command) {
        return command instanceof Command.Ask ask && ask.request().need().distinctAccounts();
    }

    private Pool pool() {
        return store.pool(POOL).orElseThrow();
    }

    // ---- deciding

    private void batch(List<Command> commands) {
        boolean again = once(commands);
        for (int rounds = 0; again; rounds++) {
            assertThat(rounds).as("batches that are to follow at once").isLessThan(200);
            again = once(List.of(new Command.Tick()));
        }
    }

    private boolean once(List<Command> commands) {
        try (var transaction = store.begin()) {
            var pool = transaction.lock(POOL).orElseThrow();
            var needs = Slice.Needs.of(commands);
            var slice = transaction.load(pool, needs, now);
            check(slice, needs);
            var decision = Rules.decide(slice, commands, now);
            transaction.write(decision, pool);
            transaction.commit();
            note(decision);
            return decision.again();
        }
    }

    private void note(Decision decision) {
        for (var change : decision.environments()) {
            if (change.before() != null) {
                environments.remove(change.before().name());
            }
            environments.put(change.after().name(), change.after());
        }
        decision.forgotten().forEach(place -> live.remove(place.id()));
        for (var change : decision.allocations()) {
            live.remove(change.after().id());
            (change.after().hasEnded() ? ended : live).put(change.after().id(), change.after());
        }
        for (var answer : decision.answers()) {
            if (answer instanceof Answer.Claimed(var begun, var _)) {
                steps.addAll(begun);
            }
        }
    }

    // ---- what happens

    private <T> T any(List<T> those) {
        return those.get(random.nextInt(those.size()));
    }

    private Command command() {
        return switch (random.nextInt(16)) {
            case 0, 1, 2, 3, 4 -> ask();
            case 5, 6 -> new Command.Release(anyId(), any(callers()), random.nextBoolean() ? "passed" : null);
            case 7 -> new Command.Attend(anyId(), any(callers()), Duration.ofSeconds(random.nextInt(20)));
            case 8 -> new Command.Leave(anyId(), any(callers()), random.nextBoolean());
            case 9 -> new Command.Prioritise(anyId(), new Caller("op", true), random.nextInt(5) - 2);
            case 10 -> new Command.Hold(anyId(), any(callers()), Duration.ofMinutes(1), "failed", Set.of("eve"));
            case 11, 12, 13 -> report();
            case 14 -> new Command.ClaimWork("p", claimIds());
            default -> administration();
        };
    }

    private static List<Caller> callers() {
        return PRINCIPALS.stream().map(name -> new Caller(name, true)).toList();
    }

    private AllocationId anyId() {
        return live.isEmpty() ? id(pool(), now) : any(List.copyOf(live.keySet()));
    }

    private List<ClaimId> claimIds() {
        return List.of(new ClaimId("c-" + ++claims), new ClaimId("c-" + ++claims), new ClaimId("c-" + ++claims));
    }

    private Command report() {
        if (steps.isEmpty()) {
            return new Command.ClaimWork("p", claimIds());
        }
        var step = steps.remove(random.nextInt(steps.size()));
        Command.Result result = random.nextInt(6) == 0
                ? new Command.Result.Failed("it failed", null)
                : new Command.Result.Done(null, null, Duration.ZERO);
        return new Command.Report(
                step.environment().name(), step.claim().id(), step.environment().epoch(), result);
    }

    private Command ask() {
        var wait = random.nextInt(3) == 0 ? Duration.ZERO : Duration.ofSeconds(10 + random.nextInt(200));
        var request = new Request(
                "job " + random.nextInt(3),
                anyNeed(),
                random.nextInt(3) == 0 ? null : Duration.ofSeconds(1 + random.nextInt(60)),
                null,
                wait,
                random.nextInt(3) - 1,
                "{}",
                null,
                "digest");
        return new Command.Ask(
                id(pool(), now),
                any(PRINCIPALS),
                request,
                Duration.ofSeconds(random.nextInt(30)),
                random.nextBoolean() ? "team-" + random.nextInt(3) : null,
                true);
    }

    private NeedClass anyNeed() {
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> wanting(1 + random.nextInt(3), any(COLOURS));
            case 3, 4 -> NeedClass.of(List.of(Need.any(1 + random.nextInt(3))), false);
            case 5 -> NeedClass.of(List.of(Need.any(2 + random.nextInt(3))), true);
            case 6 -> NeedClass.of(List.of(pinned(Need.ACCOUNT, "a-" + random.nextInt(4))), false);
            default ->
                NeedClass.of(
                        List.of(pinned(Need.NAME, "e-" + random.nextInt(14)), Need.any(1 + random.nextInt(2))), false);
        };
    }

    private static Need pinned(String attribute, String value) {
        return new Need(
                1, Collections.emptySortedMap(), new TreeMap<>(Map.of(attribute, new TreeSet<>(Set.of(value)))), null);
    }

    private Command administration() {
        var name = new EnvironmentName("e-" + random.nextInt(18));
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> new Command.Act(name, any(List.of(Command.Action.values())), "because", "op");
            case 3 -> new Command.Deregister(List.of(name));
            case 4, 5 -> register(18);
            default -> new Command.Enact(anyPolicy());
        };
    }

    private Command.Register register(int most) {
        turn++;
        var records = new ArrayList<Registration>();
        for (int i = random.nextInt(4); i < most; i += 1 + random.nextInt(turn == 1 ? 1 : 4)) {
            var account = random.nextInt(4) == 0 ? null : "a-" + random.nextInt(4);
            var plain = record("e-" + i, "identity " + i, account, coloured(any(COLOURS)));
            records.add(new Registration(
                    plain.name(), plain.identity(), account, anyShape(plain), "{}", "digest " + random.nextInt(9)));
        }
        return new Command.Register(records);
    }

    private Shape anyShape(Registration plain) {
        return random.nextInt(5) == 0 ? Shape.PLAIN : plain.shape();
    }

    private Policy anyPolicy() {
        var queue = new Policy.Queueing(
                60,
                Duration.ofHours(1),
                any(List.of(Policy.Queueing.Order.values())),
                random.nextInt(3) == 0 ? "team" : null,
                Duration.ofMinutes(5),
                Duration.ofMinutes(1),
                Duration.ofSeconds(20),
                5);
        var quota = random.nextInt(3) == 0
                ? new Policy.Quota(3 + random.nextInt(3), 4 + random.nextInt(9))
                : Policy.Quota.NONE;
        var plain = policy(random.nextBoolean() ? Set.of() : Set.of(Step.ISSUE, Step.CLEAN), queue, quota);
        return Samples.with(plain, plain.adopt(), new Policy.Hold(Duration.ofMinutes(2), 4), random.nextInt(3) == 0);
    }

    // ---- comparing

    private void check(Slice slice, Slice.Needs needs) {
        assertThat(slice.shapes()).isEqualTo(shapes());
        assertThat(slice.lines()).isEqualTo(lines());
        slice.allocations().forEach((id, found) -> assertThat(found).isEqualTo(known(id)));
        slice.environments().forEach((name, found) -> assertThat(found).isEqualTo(environments.get(name)));
        assertThat(slice.environments().keySet()).containsAll(slice.free()).containsAll(slice.due());
        assertThat(slice.free())
                .doesNotHaveDuplicates()
                .allMatch(name -> slice.environments().get(name).isFree());
        if (slice.pool().policy().isolates()) {
            var accounts = slice.environments().values().stream()
                    .map(found -> found.record().account())
                    .collect(Collectors.toSet());
            environments.values().stream()
                    .filter(each -> each.record().account() != null
                            && accounts.contains(each.record().account())
                            && !(each.state() instanceof EnvironmentState.Retired))
                    .forEach(each -> assertThat(slice.environments()).containsKey(each.name()));
        }
        assertThat(slice.queue()).doesNotHaveDuplicates();
        var queue = slice.queue().stream().map(this::known).toList();
        for (var key : slice.lines().keySet()) {
            var heads = queue.stream().filter(each -> each.line().equals(key)).toList();
            assertThat(heads).isEqualTo(waiting(key).subList(0, heads.size()));
        }
        assertThat(slice.places()).isEqualTo(places(needs.places()));
        for (var ask : needs.asks()) {
            checkHolder(slice, ask.principal());
            checkHolder(slice, slice.pool().policy().sharer(ask.principal(), ask.label()));
        }
        for (var allocation : slice.allocations().values()) {
            checkHolder(slice, allocation.principal());
            checkHolder(slice, allocation.sharer());
            allocation.state().grants().stream()
                    .filter(_ -> !allocation.hasEnded())
                    .forEach(grant -> assertThat(slice.environments()).containsKey(grant.environment()));
        }
        slice.returns()
                .forEach((need, found) -> assertThat(found)
                        .isEqualTo(returns(need).stream().limit(need.count()).toList()));
    }

    /** Where one of an account is lent at a time, nothing is free beside one that is out, or withheld for nothing. */
    private void neighbours() {
        boolean isolates = pool().policy().isolates();
        for (var environment : environments.values()) {
            var out = environments.values().stream()
                    .filter(other -> isolates
                            && other.record().account() != null
                            && other.record()
                                    .account()
                                    .equals(environment.record().account())
                            && (other.state() instanceof EnvironmentState.Allocated
                                    || other.state() instanceof EnvironmentState.Cleaning
                                    || other.state() instanceof EnvironmentState.Dirty
                                    || (other.state() instanceof EnvironmentState.Checking(var _, var because)
                                            && because != null)))
                    .map(Environment::name)
                    .toList();
            if (environment.state() instanceof EnvironmentState.Available) {
                assertThat(out).as("out beside %s, which is free", environment).isEmpty();
            } else if (environment.state() instanceof EnvironmentState.Withheld withheld) {
                assertThat(out).as("out beside %s", environment).contains(withheld.by());
            }
        }
    }

    private void checkHolder(Slice slice, String name) {
        if (name.isEmpty()) {
            return; // nobody
        }
        var found = slice.holders().get(name);
        var held = held(name);
        var queued = queued(name);
        if (found == null) {
            assertThat(held + queued).as(name).isZero();
        } else {
            assertThat(List.of(found.held(), found.queued())).as(name).isEqualTo(List.of(held, queued));
        }
    }

    private @Nullable Allocation known(AllocationId id) {
        return live.getOrDefault(id, ended.get(id));
    }

    /** All that is written is read back, and all that is counted is right. */
    private void compare() {
        int pool = pool().number();
        for (var allocation : live.values()) {
            if (allocation.state() instanceof AllocationState.Polling) {
                assertThat(store.allocation(allocation.id())).isEmpty();
            } else {
                assertThat(store.allocation(allocation.id())).contains(allocation);
            }
        }
        assertThat(store.allocations(new Store.AllocationQuery(POOL, null, null, null, null, 10_000))
                        .items())
                .containsExactlyInAnyOrderElementsOf(live.values().stream()
                        .filter(each -> !(each.state() instanceof AllocationState.Polling))
                        .toList());
        environments
                .values()
                .forEach(each -> assertThat(store.environment(each.name())).contains(each));
        assertThat(store.shapes(pool)).containsExactlyInAnyOrderElementsOf(shapes().values());
        assertThat(store.queue(pool)).extracting(Store.Waiting::id).isEqualTo(pending());
        for (var holder : store.holders(pool)) {
            assertThat(holder.held()).as(holder.name()).isEqualTo(held(holder.name()));
            assertThat(holder.queued()).as(holder.name()).isEqualTo(queued(holder.name()));
        }
        assertThat(store.holders(pool))
                .extracting(Holder::name)
                .containsAll(PRINCIPALS.stream()
                        .filter(name -> held(name) + queued(name) > 0)
                        .toList());
        assertThat(store.busy(pool, 1_000).stream()
                        .filter(each -> each.loan() != null || each.withheld())
                        .count())
                .isEqualTo(shapes().values().stream().mapToInt(ShapeCount::held).sum());
        assertThat(pool().waiting()).isEqualTo(pending().size());
        assertThat(pool().polling()).isEqualTo((int) live.values().stream()
                .filter(each -> each.state() instanceof AllocationState.Polling)
                .count());
    }

    private List<AllocationId> pending() {
        return live.values().stream()
                .filter(each -> each.state() instanceof AllocationState.Pending)
                .sorted(Comparator.comparingLong(Allocation::rank).thenComparingLong(Allocation::arrival))
                .map(Allocation::id)
                .toList();
    }

    private Map<String, ShapeCount> shapes() {
        var counts = new HashMap<String, ShapeCount>();
        for (var environment : environments.values()) {
            if (!(environment.state() instanceof EnvironmentState.Retired)) {
                var shape = environment.record().shape();
                var was = counts.getOrDefault(shape.digest(), ShapeCount.none(shape));
                counts.put(shape.digest(), plus(was, environment));
            }
        }
        return counts;
    }

    private static ShapeCount plus(ShapeCount was, Environment environment) {
        var shape = was.shape();
        if (environment.isRetiring()) {
            return new ShapeCount(shape, was.free(), was.held(), was.upkeep(), was.dirty(), was.draining() + 1);
        }
        return switch (environment.state()) {
            case EnvironmentState.Available _ ->
                new ShapeCount(shape, was.free() + 1, was.held(), was.upkeep(), was.dirty(), was.draining());
            case EnvironmentState.Withheld withheld
            when withheld.untilMended() ->
                new ShapeCount(shape, was.free(), was.held(), was.upkeep(), was.dirty() + 1, was.draining());
            case EnvironmentState.Withheld _, EnvironmentState.Allocated _ ->
                new ShapeCount(shape, was.free(), was.held() + 1, was.upkeep(), was.dirty(), was.draining());
            case EnvironmentState.Cleaning _, EnvironmentState.Checking _ ->
                new ShapeCount(shape, was.free(), was.held(), was.upkeep() + 1, was.dirty(), was.draining());
            case EnvironmentState.Dirty _ ->
                new ShapeCount(shape, was.free(), was.held(), was.upkeep(), was.dirty() + 1, was.draining());
            case EnvironmentState.Retired _ -> was;
        };
    }

    private Map<Line.Key, Line> lines() {
        var lines = new HashMap<Line.Key, Line>();
        for (var allocation : live.values()) {
            if (allocation.isAwake()) {
                var key = allocation.line();
                var need = key.need().isEmpty() ? null : allocation.request().need();
                lines.merge(key, new Line(key, need, 1), (line, _) -> new Line(key, need, line.waiting() + 1));
            }
        }
        return lines;
    }

    private List<Allocation> waiting(Line.Key line) {
        return live.values().stream()
                .filter(each -> each.isAwake() && each.line().equals(line))
                .sorted(Comparator.comparingLong(Allocation::rank).thenComparingLong(Allocation::arrival))
                .toList();
    }

    private Map<Slice.Place, AllocationId> places(Set<Slice.Place> wanted) {
        var places = new HashMap<Slice.Place, AllocationId>();
        for (var allocation : live.values()) {
            if (allocation.state() instanceof AllocationState.Polling && wanted.contains(Slice.Place.of(allocation))) {
                places.put(Slice.Place.of(allocation), allocation.id());
            }
        }
        return places;
    }

    private int held(String name) {
        return live.values().stream()
                .filter(each -> each.principal().equals(name) || each.sharer().equals(name))
                .filter(each -> each.state() instanceof AllocationState.Active
                        || each.state() instanceof AllocationState.Granting)
                .mapToInt(each -> each.request().count())
                .sum();
    }

    private int queued(String name) {
        return (int) live.values().stream()
                .filter(each -> each.principal().equals(name) || each.sharer().equals(name))
                .filter(each -> each.state() instanceof AllocationState.Pending)
                .count();
    }

    private List<Instant> returns(NeedClass need) {
        var returns = new ArrayList<Instant>();
        for (var environment : environments.values()) {
            if (environment.state() instanceof EnvironmentState.Allocated(var _, var backAt)
                    && backAt != null
                    && !environment.isRetiring()
                    && need.needs().getFirst().fits(environment.record().shape())) {
                returns.add(backAt);
            }
        }
        return returns.stream().sorted().toList();
    }
}
