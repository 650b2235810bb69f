package dev.berth.server.store;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.allocation;
import static dev.berth.server.store.Samples.ask;
import static dev.berth.server.store.Samples.asleep;
import static dev.berth.server.store.Samples.environment;
import static dev.berth.server.store.Samples.free;
import static dev.berth.server.store.Samples.id;
import static dev.berth.server.store.Samples.pending;
import static dev.berth.server.store.Samples.policy;
import static dev.berth.server.store.Samples.record;
import static dev.berth.server.store.Samples.request;
import static dev.berth.server.store.Samples.wanting;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState;
import dev.berth.core.Answer;
import dev.berth.core.Caller;
import dev.berth.core.Command;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.ForecastPool;
import dev.berth.core.Holder;
import dev.berth.core.Line;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Refusal;
import dev.berth.core.Request;
import dev.berth.core.Rules;
import dev.berth.core.Shape;
import dev.berth.core.ShapeCount;
import dev.berth.core.Slice;
import dev.berth.core.Step;
import dev.berth.core.Value;
import dev.berth.core.Work;
import dev.berth.server.store.Samples.Draft;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the ledger relies on where requests wait, and choose, whatever the database. */
abstract class WaitingContract {
    Store store;

    /** A new, empty store. */
    abstract Store open();

    @BeforeEach
    void fresh() {
        store = open();
    }

    @AfterEach
    void close() {
        store.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void whatIsCountedAndLoadedIsRightWhateverHappens(long seed) {
        var seen = new StoreWalk(store, seed).run(200);
        assertThat(seen.granted()).isPositive();
        assertThat(seen.waiting()).isPositive();
        assertThat(seen.polling()).isPositive();
        assertThat(seen.lines()).isGreaterThan(4);
    }

    // ---- what is selected by

    private static Value text(String value) {
        return new Value.Text(value);
    }

    static Stream<NeedClass> needs() {
        var kinds = new TreeMap<String, Value>();
        kinds.put("text", text("a \"quoted\" ☃\n"));
        kinds.put("any", Value.Text.ANY);
        kinds.put("number", new Value.Number(new BigDecimal("10000000000000000000000.50")));
        kinds.put("large", new Value.Number(new BigDecimal("1E+3")));
        kinds.put("zero", new Value.Number(BigDecimal.ZERO));
        kinds.put("yes", new Value.Flag(true));
        kinds.put("no", new Value.Flag(false));
        kinds.put("nothing", new Value.Nothing());
        kinds.put("one of", new Value.Many(List.of(text("1"), new Value.Number(BigDecimal.ONE), new Value.Nothing())));
        kinds.put("none of", new Value.Many(List.of()));
        kinds.put("fields", Value.of(Map.of("inner", Value.of(Map.of("deep", new Value.Many(List.of(text("x"))))))));
        kinds.put("no fields", Value.of(Map.of()));
        var constraints = new TreeMap<String, SortedSet<String>>();
        constraints.put("region", new TreeSet<>(Set.of("us-east-1", "eu ☃")));
        constraints.put(Need.ACCOUNT, new TreeSet<>(Set.of("111111111111")));
        var full = new Need(2, kinds, constraints, "readonly");
        return Stream.of(
                NeedClass.ONE,
                NeedClass.of(List.of(Need.any(3)), true),
                NeedClass.of(List.of(full), false),
                NeedClass.of(List.of(full, Need.any(7)), true));
    }

    @ParameterizedTest
    @MethodSource("needs")
    void whatIsAskedForIsReadBackAsItWasWritten(NeedClass need) {
        var pool = create("pool", policy());
        var waiting = allocation(pool, 1, request(need, Duration.ofSeconds(60), null), pending());
        new Draft(pool).counts(0, 1).add(waiting).write(store);
        var found = store.allocation(waiting.id()).orElseThrow().request().need();
        assertThat(found.needs()).isEqualTo(need.needs());
        assertThat(found.distinctAccounts()).isEqualTo(need.distinctAccounts());
        assertThat(found.digest()).isEqualTo(need.digest());
        assertThat(store.queue(pool.number())).extracting(Store.Waiting::need).containsExactly(need);
        assertThat(load(pool, List.of()).lines())
                .containsOnly(Map.entry(waiting.line(), new Line(waiting.line(), need.isSpecial() ? null : need, 1)));
    }

    @ParameterizedTest
    @MethodSource("needs")
    void whatCanBeSelectedByIsReadBackAsItWasWritten(NeedClass need) {
        var pool = create("pool", policy());
        var capabilities = need.needs().getFirst().capabilities();
        var shape = Shape.of(capabilities, Map.of("region", "eu ☃"), List.of("readonly", "admin"));
        var environment =
                new Environment(pool.number(), record("e", "i", "a", shape), 0, null, null, NOON, 0, null, free());
        new Draft(pool).counts(1, 0).add(environment).write(store);
        var found = store.environment(environment.name()).orElseThrow().record().shape();
        assertThat(found.capabilities()).isEqualTo(shape.capabilities());
        assertThat(found.attributes()).isEqualTo(shape.attributes());
        assertThat(found.profiles()).isEqualTo(shape.profiles());
        assertThat(store.shapes(pool.number())).containsExactly(new ShapeCount(shape, 1, 0, 0, 0, 0));
        var other = new Environment(
                pool.number(), record("e", "i", "a", Shape.PLAIN), 0, null, null, NOON, 0, null, free());
        new Draft(pool).counts(1, 0).change(environment, other).write(store);
        assertThat(store.shapes(pool.number())).containsExactly(new ShapeCount(Shape.PLAIN, 1, 0, 0, 0, 0));
    }

    // ---- who waits

    @Test
    void headsComeInTheOrderOfTheirLinesAndThoseWhoArePassedOverDoNot() {
        var pool = create("pool", policy());
        var red = wanting(1, "red");
        var late = ranked(pool, 1, 900, red, pending());
        var early = ranked(pool, 2, 100, red, pending());
        var same = ranked(pool, 3, 100, red, pending());
        var asleep = ranked(pool, 4, 0, red, asleep());
        var green = ranked(pool, 5, 500, wanting(1, "green"), pending());
        var last = ranked(pool, 6, 1_000, red, pending());
        new Draft(pool)
                .counts(3, 6)
                .add(late, early, same, asleep, green, last)
                .add(coloured(pool, "r1", "red", 1), coloured(pool, "r2", "red", 2), coloured(pool, "g", "green", 3))
                .write(store);
        var slice = load(pool, List.of());
        assertThat(slice.queue().stream().filter(id -> !id.equals(green.id())))
                .containsExactly(early.id(), same.id(), late.id(), last.id());
        assertThat(slice.queue()).contains(green.id());
        assertThat(slice.lines().get(early.line())).isEqualTo(new Line(early.line(), red, 4));
        assertThat(store.queue(pool.number()))
                .extracting(Store.Waiting::id)
                .containsExactly(asleep.id(), early.id(), same.id(), green.id(), late.id(), last.id());
        assertThat(store.queue(pool.number()).getFirst().interestUntil()).isNull();
    }

    private static Allocation ranked(Pool pool, long arrival, long rank, NeedClass need, AllocationState state) {
        var request = request(need, Duration.ofSeconds(60), null);
        return new Allocation(
                id(pool, NOON.plusMillis(arrival)), pool.name(), "ann", request, "", arrival, rank, NOON, null, state);
    }

    private static Environment coloured(Pool pool, String name, String colour, long order) {
        return new Environment(
                pool.number(),
                record(name, "identity of " + name, null, Samples.coloured(colour)),
                0,
                null,
                null,
                NOON,
                order,
                null,
                free());
    }

    @Test
    void aCallerWhoKeepsAskingIsFoundByItsPlaceAndShownToNobody() {
        var pool = create("pool", policy());
        var lent = environment(pool, "lent", Samples.allocated());
        new Draft(pool).counts(0, 0).add(lent).write(store);
        var first = ask(id(pool), request());
        assertThat(decide(pool, NOON, first)).isInstanceOf(Answer.Refused.class);
        var again = ask(id(pool), request());
        assertThat(load(pool, List.of(again)).places())
                .containsOnly(Map.entry(new Slice.Place("ann", "job", NeedClass.ONE), first.id()));
        var otherNeed = ask(id(pool), request(2, Duration.ZERO, null));
        var otherCaller = new Command.Ask(id(pool), "bob", request(), Duration.ZERO, null, false);
        assertThat(load(pool, List.of(otherNeed, otherCaller)).places()).isEmpty();
        assertThat(store.allocation(first.id())).isEmpty();
        assertThat(store.allocations(new Store.AllocationQuery(null, null, null, null, null, 9))
                        .items())
                .isEmpty();
        assertThat(store.allocations(new Store.AllocationQuery(null, "polling", null, null, null, 9))
                        .items())
                .isEmpty();
        assertThat(store.queue(pool.number())).isEmpty();
        var due = store.nextDue(pool.number());
        assertThat(due).isNotNull();
        decide(pool, due, new Command.Tick());
        assertThat(load(pool, List.of(again)).places()).isEmpty();
        assertThat(store.nextDue(pool.number())).isNull();
        assertThat(store.pool(pool.name()).orElseThrow().polling()).isZero();
    }

    @Test
    void whoIsAskedForByNameIsLoadedThoughAnOutageBroughtTheRequest() {
        var pool = create("pool", policy());
        decide(pool, NOON, new Command.Register(List.of(record("board"))));
        var holder = ask(id(pool), request());
        decide(pool, NOON, holder);
        var board = pinned(1, Need.NAME, "board");
        var waiting = ask(id(pool), request(NeedClass.of(List.of(board), false), Duration.ofMinutes(50), null));
        decide(pool, NOON, waiting);
        decide(pool, NOON.plusSeconds(900), new Command.Tick());
        assertThat(store.allocation(waiting.id()).orElseThrow().state()).isInstanceOf(AllocationState.Pending.class);
    }

    // ---- accounts and names

    private static Need pinned(int count, String attribute, String... values) {
        return new Need(
                count,
                Collections.emptySortedMap(),
                new TreeMap<>(Map.of(attribute, new TreeSet<>(List.of(values)))),
                null);
    }

    /** Whoever asks gets it where counting says that it can be had, is refused for good where it never can. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void whatIsLoadedIsEnoughToGrantWhatCanBeGranted(long seed) {
        var random = new Random(seed);
        var met = new HashSet<Class<?>>();
        for (int round = 0; round < 40; round++) {
            var pool = create("pool-" + round, policy());
            var all = new ArrayList<Environment>();
            for (int i = random.nextInt(12); i > 0; i--) {
                var name = "e-" + round + "-" + i;
                var account = random.nextInt(5) == 0 ? null : "a-" + random.nextInt(4);
                var state = switch (random.nextInt(3)) {
                    case 0 -> Samples.allocated();
                    case 1 -> new EnvironmentState.Dirty("d", null);
                    default -> free();
                };
                var record =
                        record(name, "id " + name, account, Samples.coloured(random.nextBoolean() ? "red" : "green"));
                all.add(new Environment(pool.number(), record, 0, null, null, NOON, i, null, state));
            }
            int available = (int) all.stream().filter(Environment::isFree).count();
            new Draft(pool)
                    .pool(withCounts(pool, available, all))
                    .add(all.toArray(Environment[]::new))
                    .write(store);
            var need = switch (random.nextInt(4)) {
                case 0 -> NeedClass.of(List.of(Need.any(2 + random.nextInt(3))), true);
                case 1 -> NeedClass.of(List.of(pinned(1 + random.nextInt(2), Need.ACCOUNT, "a-1", "a-2")), false);
                case 2 ->
                    NeedClass.of(List.of(wanting(1, "red").needs().getFirst(), Need.any(1 + random.nextInt(2))), true);
                default ->
                    NeedClass.of(
                            List.of(pinned(1, Need.NAME, "e-" + round + "-1", "e-" + round + "-2"), Need.any(1)),
                            false);
            };
            var answer = decide(pool, NOON, ask(id(pool), request(need, Duration.ZERO, null)));
            var expected =
                    canServe(need, all.stream().filter(Environment::isFree).toList())
                            ? Answer.Current.class
                            : Answer.Refused.class;
            met.add(expected);
            assertThat(answer).as("%s of %s", need, all).isInstanceOf(expected);
            if (answer instanceof Answer.Refused refused) {
                assertThat(refused.refusal())
                        .as("%s of %s", need, all)
                        .isEqualTo(canServe(need, all) ? Refusal.NO_ENVIRONMENT_AVAILABLE : Refusal.UNSATISFIABLE);
            }
        }
        assertThat(met).hasSize(2);
    }

    private static Pool withCounts(Pool pool, int available, List<Environment> all) {
        int allocated = (int) all.stream()
                .filter(each -> each.state() instanceof EnvironmentState.Allocated)
                .count();
        return new Pool(
                pool.number(),
                pool.name(),
                pool.policy(),
                true,
                0,
                100,
                0,
                new Pool.Counts(available, allocated, 0, 0, 0, all.size() - available - allocated, 0),
                0,
                0,
                0,
                0,
                0,
                pool.breaker(),
                NOON);
    }

    /** Tries everything. */
    private static boolean canServe(NeedClass need, List<Environment> those) {
        var units = need.needs().stream()
                .flatMap(each -> Collections.nCopies(each.count(), each).stream())
                .toList();
        return canServe(units, need.distinctAccounts(), those, new HashSet<>());
    }

    private static boolean canServe(List<Need> units, boolean distinct, List<Environment> those, Set<String> taken) {
        if (units.isEmpty()) {
            return true;
        }
        for (var environment : those) {
            var account = environment.record().account();
            var slot = distinct && account != null ? "account " + account : "name " + environment.name();
            if (units.getFirst().fits(environment.record().shape())
                    && units.getFirst().allows(environment.name(), account)
                    && taken.add(slot)) {
                if (canServe(units.subList(1, units.size()), distinct, those, taken)) {
                    return true;
                }
                taken.remove(slot);
            }
        }
        return false;
    }

    @Test
    void accountsAreFoundHoweverManyEnvironmentsTheFirstOfThemHave() {
        var pool = create("pool", policy());
        var all = new ArrayList<Environment>();
        for (int i = 0; i < 3_000; i++) {
            var account = i < 2_990 ? "a" : "b-" + i;
            all.add(new Environment(
                    pool.number(), record("e-" + i, "id " + i, account), 0, null, null, NOON, i, null, free()));
        }
        new Draft(pool)
                .pool(withCounts(pool, 3_000, all))
                .add(all.toArray(Environment[]::new))
                .write(store);
        var need = NeedClass.of(List.of(Need.any(11)), true);
        var slice = load(pool, List.of(ask(id(pool), request(need, Duration.ZERO, null))));
        assertThat(slice.free()).hasSizeLessThan(500);
        assertThat(slice.census().values().iterator().next()).hasSizeLessThan(500);
        assertThat(decide(pool, NOON, ask(id(pool), request(need, Duration.ZERO, null))))
                .isInstanceOf(Answer.Current.class);
        var tooMany = NeedClass.of(List.of(Need.any(12)), true);
        assertThat(decide(pool, NOON, ask(id(pool), request(tooMany, Duration.ZERO, null))))
                .isInstanceOfSatisfying(
                        Answer.Refused.class,
                        refused -> assertThat(refused.refusal()).isEqualTo(Refusal.UNSATISFIABLE));
    }

    // ---- what comes back, what was

    @Test
    void itIsToldWhatComesBackAndWhenAndForHowLongItWasLent() {
        var pool = create("pool", policy());
        decide(pool, NOON, new Command.Register(List.of(record("a"), record("b"), record("c"), record("d"))));
        var need = request(NeedClass.ONE, Duration.ZERO, null);
        var first = ask(id(pool, NOON), lasting(need, 100));
        var second = ask(id(pool, NOON.plusMillis(1)), lasting(need, 50));
        decide(pool, NOON, first);
        decide(pool, NOON, second);
        var loans = store.busy(pool.number(), 9);
        assertThat(loans).allSatisfy(each -> {
            assertThat(each.shape()).isEqualTo(Shape.PLAIN.digest());
            assertThat(each.since()).isEqualTo(NOON);
        });
        assertThat(loans)
                .extracting(ForecastPool.Busy::loan)
                .containsExactly(
                        new ForecastPool.Loan(second.id(), "job", "ann", "", NOON.plusSeconds(50)),
                        new ForecastPool.Loan(first.id(), "job", "ann", "", NOON.plusSeconds(100)));
        assertThat(store.busy(pool.number(), 1)).containsExactly(loans.getFirst());
        assertThat(load(pool, List.of(ask(id(pool), request(3, Duration.ofSeconds(9), null))))
                        .returns())
                .containsValue(List.of(NOON.plusSeconds(50), NOON.plusSeconds(100)));
        assertThat(store.history(pool.number(), 9)).isEmpty();
        decide(pool, NOON.plusSeconds(5), new Command.Release(first.id(), new Caller("ann", false), null));
        decide(pool, NOON.plusSeconds(9), new Command.Release(second.id(), new Caller("ann", false), null));
        assertThat(store.busy(pool.number(), 9)).isEmpty();
        assertThat(store.history(pool.number(), 9))
                .containsExactly(
                        new Store.Loan(
                                "ann",
                                "",
                                NeedClass.ONE,
                                0,
                                Duration.ofSeconds(50),
                                Duration.ZERO,
                                Duration.ofSeconds(9),
                                NOON.plusSeconds(9)),
                        new Store.Loan(
                                "ann",
                                "",
                                NeedClass.ONE,
                                0,
                                Duration.ofSeconds(100),
                                Duration.ZERO,
                                Duration.ofSeconds(5),
                                NOON.plusSeconds(5)));
        assertThat(store.history(pool.number(), 1)).hasSize(1);
        assertThat(store.holders(pool.number()))
                .singleElement()
                .satisfies(ann -> assertThat(ann.used()).isBetween(0.2, 0.24)); // 14 seconds, in minutes
    }

    @Test
    void whatIsInUpkeepIsBusyAndWhatIsFreeOrDirtyIsNot() {
        var pool = create("pool", policy(Set.of(Step.CLEAN)));
        var work = new Work(Step.CLEAN, 0, 0, NOON.plusSeconds(5), null, List.of(), false);
        new Draft(pool)
                .add(
                        environment(pool, "cleaned", new EnvironmentState.Cleaning(work)),
                        environment(pool, "dirty", new EnvironmentState.Dirty("it is", null)),
                        environment(pool, "free", free()))
                .write(store);
        assertThat(store.busy(pool.number(), 9))
                .containsExactly(new ForecastPool.Busy(
                        new EnvironmentName("cleaned"), Shape.PLAIN.digest(), null, NOON, false, null));
    }

    @Test
    void whoHasNothingAndHadNothingForLongIsForgotten() {
        var pool = create("pool", policy());
        var gone = new Holder("gone", 0, 0, 1.5, NOON, NOON);
        var holds = new Holder("holds", 1, 0, 1.5, NOON, NOON);
        var waits = new Holder("waits", 0, 1, 0, NOON, Instant.EPOCH);
        var recent = new Holder("recent", 0, 0, 1.5, NOON.plusSeconds(9), NOON);
        new Draft(pool).add(gone, holds, waits, recent).write(store);
        assertThat(store.holders(pool.number())).containsExactly(gone, holds, recent, waits);
        assertThat(store.prune(NOON.plusSeconds(1), 10)).isEqualTo(1);
        assertThat(store.holders(pool.number())).containsExactly(holds, recent, waits);
    }

    private static Request lasting(Request request, int seconds) {
        return new Request(
                request.requester(),
                request.need(),
                Duration.ofSeconds(seconds),
                null,
                request.maxWait(),
                0,
                "{}",
                null,
                "d");
    }

    @Test
    void whoHasAllThatItMayIsToldWhenTheFirstOfItIsBack() {
        var quota = policy(Set.of(), Policy.Queueing.DEFAULT, new Policy.Quota(2, null));
        var pool = create("pool", quota);
        decide(pool, NOON, new Command.Register(List.of(record("a"), record("b"), record("c"))));
        decide(pool, NOON, ask(id(pool), lasting(request(), 100)));
        assertThat(load(pool, List.of(ask(id(pool), request()))).givenBack()).isEmpty();
        decide(pool, NOON, ask(id(pool), lasting(request(), 70)));
        decide(pool, NOON, new Command.Ask(id(pool), "bob", lasting(request(), 10), Duration.ZERO, null, false));
        assertThat(load(pool, List.of(ask(id(pool), request()))).givenBack())
                .containsOnly(Map.entry("ann", NOON.plusSeconds(70)));
    }

    // ---- the rules at work

    private Pool create(String name, Policy policy) {
        try (var transaction = store.begin()) {
            var created = transaction.create(new PoolName(name), policy, NOON);
            transaction.commit();
            return created;
        }
    }

    private Slice load(Pool pool, List<Command> commands) {
        try (var transaction = store.begin()) {
            return transaction.load(transaction.lock(pool.name()).orElseThrow(), Slice.Needs.of(commands), NOON);
        }
    }

    private Answer decide(Pool pool, Instant now, Command command) {
        try (var transaction = store.begin()) {
            var locked = transaction.lock(pool.name()).orElseThrow();
            var slice = transaction.load(locked, Slice.Needs.of(List.of(command)), now);
            var decision = Rules.decide(slice, List.of(command), now);
            transaction.write(decision, locked);
            transaction.commit();
            return decision.answers().getFirst();
        }
    }
}
