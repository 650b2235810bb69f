package dev.berth.server.store;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.allocated;
import static dev.berth.server.store.Samples.allocation;
import static dev.berth.server.store.Samples.ask;
import static dev.berth.server.store.Samples.asleep;
import static dev.berth.server.store.Samples.coloured;
import static dev.berth.server.store.Samples.environment;
import static dev.berth.server.store.Samples.event;
import static dev.berth.server.store.Samples.free;
import static dev.berth.server.store.Samples.id;
import static dev.berth.server.store.Samples.in;
import static dev.berth.server.store.Samples.pending;
import static dev.berth.server.store.Samples.policy;
import static dev.berth.server.store.Samples.record;
import static dev.berth.server.store.Samples.request;
import static dev.berth.server.store.Samples.wanting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Claim;
import dev.berth.core.ClaimId;
import dev.berth.core.Command;
import dev.berth.core.EndReason;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Event;
import dev.berth.core.Grant;
import dev.berth.core.KeyUse;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Request;
import dev.berth.core.Sealed;
import dev.berth.core.Search;
import dev.berth.core.Slice;
import dev.berth.core.Step;
import dev.berth.core.Tenant;
import dev.berth.core.Work;
import dev.berth.server.store.Samples.Draft;
import dev.berth.server.store.Store.AccessKey;
import dev.berth.server.store.Store.AllocationQuery;
import dev.berth.server.store.Store.EnvironmentQuery;
import dev.berth.server.store.Store.StoredEvent;
import dev.berth.server.store.Store.Token;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the ledger relies on, whatever the database. */
abstract class StoreContract {
    private static final Slice.Needs NOTHING = Slice.Needs.of(List.of());
    private static final Claim CLAIM =
            new Claim(new ClaimId("c-2"), "process-2", NOON.plusSeconds(15), NOON.plusSeconds(630));
    private static final Claim EARLIER =
            new Claim(new ClaimId("c-1"), "process-1", NOON.minusSeconds(15), NOON.plusSeconds(300));

    Store store;
    Pool pool;

    /** A new, empty store. */
    abstract Store open();

    @BeforeEach
    void fresh() {
        store = open();
        pool = create("pool");
    }

    @AfterEach
    void close() {
        store.close();
    }

    private Pool create(String name) {
        try (var transaction = store.begin()) {
            var created = transaction.create(new PoolName(name), policy(), NOON);
            transaction.commit();
            return created;
        }
    }

    private Draft draft() {
        return new Draft(pool);
    }

    private Slice load(Slice.Needs needs, Instant now) {
        try (var transaction = store.begin()) {
            return transaction.load(transaction.lock(pool.name()).orElseThrow(), needs, now);
        }
    }

    private static Slice.Needs needs(
            Set<AllocationId> allocations,
            Set<KeyUse.Key> keys,
            Set<EnvironmentName> environments,
            Set<String> identities) {
        return new Slice.Needs(
                allocations, keys, environments, identities, List.of(), Set.of(), Set.of(), null, 0, false, false);
    }

    private static Slice.Needs claiming(int steps) {
        return new Slice.Needs(
                Set.of(), Set.of(), Set.of(), Set.of(), List.of(), Set.of(), Set.of(), null, steps, false, false);
    }

    private static Work work(Step step, Instant dueAt) {
        return new Work(step, 0, 0, dueAt, null, List.of(), false);
    }

    private static Work claimed(Step step, Instant until) {
        return new Work(
                step, 0, 0, NOON, new Claim(new ClaimId("c"), "p", until, NOON.plusSeconds(999)), List.of(), false);
    }

    private static Tenant tenant(AllocationId allocation) {
        return new Tenant(allocation, "job", "ann");
    }

    private static Grant grant(String environment) {
        return new Grant(new EnvironmentName(environment), 1, "{}", null, null);
    }

    private static AllocationState active(String... environments) {
        return new AllocationState.Active(
                Arrays.stream(environments).map(StoreContract::grant).toList(),
                NOON,
                NOON.plusSeconds(600),
                null,
                null,
                false,
                null);
    }

    private static List<String> names(List<EnvironmentName> names) {
        return names.stream().map(EnvironmentName::value).toList();
    }

    // ---- pools

    @Test
    void aNewPoolIsEmptyAndListed() {
        assertThat(store.pool(pool.name())).contains(pool);
        assertThat(store.pools()).containsExactly(pool);
        assertThat(pool).isEqualTo(Pool.create(pool.number(), pool.name(), policy(), NOON));
        assertThat(store.pool(new PoolName("other"))).isEmpty();
    }

    @Test
    void everyColumnOfAPoolIsReadBackAsItWasWritten() {
        var policy = new Policy(
                "command",
                "{\"clean\": [\"rm\"]}",
                Set.of(Step.ISSUE, Step.VERIFY),
                null,
                Duration.ofMillis(12_345),
                Duration.ofSeconds(61),
                Duration.ofSeconds(7),
                true,
                Map.of(Step.CLEAN, new Policy.Limits(Duration.ofSeconds(3), 9)),
                Duration.ofHours(5),
                new Policy.Queueing(
                        17,
                        Duration.ofMinutes(4),
                        Policy.Queueing.Order.FAIR,
                        "team",
                        Duration.ofHours(7),
                        Duration.ofMinutes(8),
                        Duration.ofSeconds(9),
                        10),
                new Policy.Quota(11, 12),
                Map.of("bob", new Policy.Quota(null, 13), "eve", new Policy.Quota(14, null)),
                new Policy.Hold(Duration.ofHours(15), 16),
                3,
                2,
                false);
        var full = new Pool(
                pool.number(),
                pool.name(),
                policy,
                false,
                3,
                11,
                12,
                new Pool.Counts(1, 2, 3, 4, 7, 5, 6),
                7,
                70,
                71,
                8,
                9,
                new Pool.Breaker(10, NOON.plusMillis(13)),
                NOON.plusMillis(14));
        draft().pool(full).write(store);
        assertThat(store.pool(pool.name())).contains(full);

        var bare = new Pool(
                pool.number(),
                pool.name(),
                policy(),
                true,
                0,
                0,
                0,
                new Pool.Counts(0, 0, 0, 0, 0, 0, 0),
                0,
                0,
                0,
                0,
                0,
                new Pool.Breaker(0, null),
                NOON);
        new Draft(full).pool(bare).write(store);
        assertThat(store.pool(pool.name())).contains(bare);
    }

    @Test
    void aPoolIsMadeOnce() {
        assertThatThrownBy(() -> create("pool")).isInstanceOf(IllegalStateException.class);
        assertThat(store.pools()).containsExactly(pool);
    }

    @Test
    void poolsAreListedByName() {
        create("zoo");
        create("ant");
        assertThat(store.pools()).extracting(found -> found.name().value()).containsExactly("ant", "pool", "zoo");
        try (var transaction = store.begin()) {
            assertThat(transaction.pools()).extracting(PoolName::value).containsExactly("ant", "pool", "zoo");
        }
    }

    // ---- what is written is read back

    static Stream<EnvironmentState> environmentStates() {
        var bare = work(Step.CLEAN, NOON);
        var full = new Work(Step.VERIFY, 2, 3, NOON.plusSeconds(5), CLAIM, List.of(EARLIER, CLAIM), false);
        var settling = new Work(Step.REVOKE, 0, 0, NOON.plusSeconds(9), null, List.of(), true);
        return Stream.of(
                new EnvironmentState.Available(null),
                new EnvironmentState.Available(NOON.plusSeconds(3)),
                allocated(),
                new EnvironmentState.Allocated(null, NOON.plusSeconds(7)),
                new EnvironmentState.Allocated(
                        new Work(Step.ISSUE, 1, 1, NOON, CLAIM, List.of(EARLIER), false), NOON.plusSeconds(8)),
                new EnvironmentState.Allocated(settling, null),
                new EnvironmentState.Cleaning(bare),
                new EnvironmentState.Cleaning(full),
                new EnvironmentState.Cleaning(settling),
                new EnvironmentState.Checking(bare, null),
                new EnvironmentState.Checking(full, "it was \"dirty\""),
                new EnvironmentState.Withheld(null, new EnvironmentName("shop-1"), false),
                new EnvironmentState.Withheld(NOON.plusSeconds(4), new EnvironmentName("shop-2"), true),
                new EnvironmentState.Dirty("clean failed", null),
                new EnvironmentState.Dirty("clean failed", "line 1\nline 2 äöü ☃"),
                new EnvironmentState.Retired(null, false),
                new EnvironmentState.Retired("verify failed", true));
    }

    @ParameterizedTest
    @MethodSource("environmentStates")
    void everyStateOfAnEnvironmentIsReadBackAsItWasWritten(EnvironmentState state) {
        var bare = environment(pool, "bare", state);
        var plain = environment(pool, "full", free());
        var full = new Environment(
                pool.number(),
                new Registration(
                        plain.name(), "new identity", "account", coloured("red"), "{\"region\": \"x\"}", "new digest"),
                7,
                Environment.Drain.OPERATOR,
                "a reason",
                NOON.plusMillis(1),
                42,
                new Tenant(id(pool), "job \"7\"", "bob"),
                state);
        draft().add(bare, plain).write(store);
        draft().change(plain, full).write(store);
        assertThat(store.environment(bare.name())).contains(bare);
        assertThat(store.environment(full.name())).contains(full);
        draft().change(full, plain).write(store);
        assertThat(store.environment(full.name())).contains(plain);
    }

    @ParameterizedTest
    @EnumSource(Environment.Drain.class)
    void whyAnEnvironmentDrainsIsReadBack(Environment.Drain drain) {
        var draining = new Environment(pool.number(), record("e"), 1, drain, null, NOON, 1, null, allocated());
        draft().add(draining).write(store);
        assertThat(store.environment(draining.name())).contains(draining);
    }

    @Test
    void anEnvironmentTakesItsRowToAnotherNameAndAnotherPool() {
        var other = create("other");
        var before = environment(pool, "old", new EnvironmentState.Retired(null, false));
        draft().add(before).write(store);
        var after = environment(other, "new", free());
        new Draft(other).change(before, after).write(store);
        assertThat(store.environment(before.name())).isEmpty();
        assertThat(store.environment(after.name())).contains(after);
    }

    static Stream<AllocationState> allocationStates() {
        var avoid = new AllocationState.Setbacks(Set.of(new EnvironmentName("a"), new EnvironmentName("b")));
        var none = AllocationState.Setbacks.NONE;
        var grants = List.of(
                new Grant(new EnvironmentName("a"), 3, "{\"x\": \"\\\"\"}", "readonly", new Sealed("sealed ☃")),
                new Grant(new EnvironmentName("b"), 4, "{}", null, null));
        var hold = new AllocationState.Hold(NOON, NOON.plusSeconds(6), Set.of("eve", "bob ☃"), "failed \"7\"");
        return Stream.of(
                new AllocationState.Pending(NOON, null, NOON, none),
                new AllocationState.Pending(NOON.plusSeconds(1), NOON.plusSeconds(2), NOON.plusSeconds(3), avoid),
                new AllocationState.Pending(NOON.plusSeconds(1), NOON.plusSeconds(4), NOON.plusSeconds(3), none),
                new AllocationState.Granting(grants, NOON.plusSeconds(1), NOON.plusSeconds(2), null, false, avoid),
                new AllocationState.Granting(grants, NOON, NOON, NOON.plusSeconds(3), true, none),
                new AllocationState.Active(grants, NOON, null, null, null, false, null),
                new AllocationState.Active(
                        grants, NOON, NOON.plusSeconds(3), NOON.plusSeconds(4), NOON.plusSeconds(5), true, null),
                new AllocationState.Active(grants, NOON, NOON.plusSeconds(5), NOON.plusSeconds(4), null, true, null),
                new AllocationState.Active(grants, NOON, null, null, null, false, hold),
                new AllocationState.Active(
                        grants,
                        NOON,
                        null,
                        null,
                        null,
                        false,
                        new AllocationState.Hold(NOON, NOON.plusSeconds(7), Set.of(), null)));
    }

    static Stream<AllocationState> endedStates() {
        var grants = List.of(new Grant(new EnvironmentName("a"), 3, "{}", "readonly", null));
        return Stream.concat(
                Arrays.stream(EndReason.values())
                        .map(reason -> new AllocationState.Ended(
                                grants,
                                NOON,
                                NOON.plusSeconds(1),
                                NOON.plusSeconds(2),
                                reason,
                                "passed ☃",
                                Set.of("ann", "bob"))),
                Stream.of(new AllocationState.Ended(
                        List.of(), null, null, NOON, EndReason.WAIT_TIMEOUT, null, Set.of())));
    }

    private Allocation full(AllocationState state) {
        var request = new Request(
                "job \"7\"",
                wanting(2, "red"),
                Duration.ofMinutes(5),
                Duration.ofSeconds(40),
                Duration.ofMillis(1_001),
                -7,
                "{\"a\": \"b\"}",
                "key ☃",
                "digest");
        return new Allocation(
                id(pool),
                pool.name(),
                "bob",
                request,
                "team=a ☃",
                5,
                1_234,
                NOON.minusMillis(1),
                Duration.ofSeconds(41),
                state);
    }

    @ParameterizedTest
    @MethodSource("allocationStates")
    void everyStateThatAnAllocationLivesInIsReadBackAsItWasWritten(AllocationState state) {
        var bare = allocation(pool, 1, state);
        var full = full(state);
        draft().add(bare, full).write(store);
        assertThat(store.allocation(bare.id())).contains(bare);
        assertThat(store.allocation(full.id())).contains(full);
        for (var next : allocationStates().toList()) {
            var after = in(full, next);
            draft().change(full, after).write(store);
            assertThat(store.allocation(full.id())).contains(after);
            draft().change(after, full).write(store);
            assertThat(store.allocation(full.id())).contains(full);
        }
    }

    @ParameterizedTest
    @MethodSource("endedStates")
    void anEndedAllocationIsReadBackAsItWasWrittenAndLivesNoMore(AllocationState state) {
        var live = full(pending());
        var ended = in(live, state);
        draft().add(live).write(store);
        draft().change(live, ended).write(store);
        assertThat(store.allocation(live.id())).contains(ended);
        assertThat(store.allocations(new AllocationQuery(null, null, null, null, null, 9))
                        .items())
                .isEmpty();
        assertThat(store.allocations(new AllocationQuery(null, "ended", null, null, null, 9))
                        .items())
                .containsExactly(ended);
    }

    // ---- all or nothing

    @Test
    void closingWithoutACommitLeavesNothing() {
        try (var transaction = store.begin()) {
            transaction.write(draft().add(environment(pool, "e", free())).decision(), pool);
            transaction.stamp("p/1", NOON);
        }
        assertThat(store.environment(new EnvironmentName("e"))).isEmpty();
        assertThat(store.committed("p/1")).isFalse();
        draft().add(environment(pool, "e", free())).write(store);
        assertThat(store.environment(new EnvironmentName("e"))).isPresent();
    }

    @Test
    void aRowThatIsNotAsItWasDecidedOnFailsTheWholeTransaction() {
        var other = create("other");
        var stored = environment(pool, "e", allocated());
        draft().add(stored).write(store);
        var free = environment(pool, "e", free());
        var later = new Environment(pool.number(), stored.record(), 1, null, null, NOON, 0, null, allocated());
        var elsewhere = environment(other, "e", allocated());
        var missing = environment(pool, "missing", free());
        var gone = allocation(pool, 1, pending());
        var over = in(gone, new AllocationState.Ended(List.of(), null, null, NOON, EndReason.RELEASED, null, Set.of()));
        var bystander = environment(pool, "bystander", free());
        Stream.of(
                        new Draft(pool).add(bystander).change(free, later), // another state
                        new Draft(pool).add(bystander).change(later, stored), // another epoch
                        new Draft(pool).add(bystander).change(elsewhere, elsewhere), // another pool
                        new Draft(pool).add(bystander).change(missing, missing),
                        new Draft(pool).add(bystander).change(gone, gone),
                        new Draft(pool).add(bystander).change(gone, over))
                .forEach(stale -> {
                    assertThatThrownBy(() -> stale.write(store)).isInstanceOf(IllegalStateException.class);
                    assertThat(store.environment(bystander.name())).isEmpty();
                    assertThat(store.environment(stored.name())).contains(stored);
                });
    }

    @Test
    void whatMustBeUniqueIsADefectAndNotAFailureOfTheDatabase() {
        var first = environment(pool, "first", free());
        var ended = allocation(
                pool, 1, new AllocationState.Ended(List.of(), null, null, NOON, EndReason.RELEASED, null, Set.of()));
        draft().add(first).add(event(1, Event.Type.POOL_CONFIGURED)).write(store);
        var live = allocation(pool, 1, pending());
        draft().add(live).write(store);
        var sameIdentity = new Environment(
                pool.number(), record("second", first.record().identity(), null), 0, null, null, NOON, 0, null, free());
        Stream.of(
                        draft().add(first), // the name
                        draft().add(sameIdentity),
                        draft().add(live),
                        draft().add(event(1, Event.Type.POOL_CONFIGURED)))
                .forEach(twice ->
                        assertThatThrownBy(() -> twice.write(store)).isInstanceOf(IllegalStateException.class));
        assertThat(ended.hasEnded()).isTrue();
    }

    @Test
    void anIdentityIsUniqueAmongThoseThatAreNotRetired() {
        var gone = environment(pool, "gone", new EnvironmentState.Retired(null, false));
        var here = new Environment(
                pool.number(), record("here", gone.record().identity(), null), 0, null, null, NOON, 0, null, free());
        draft().add(gone, here).write(store);
        var back = environment(pool, "gone", free());
        assertThatThrownBy(() -> draft().change(gone, back).write(store)).isInstanceOf(IllegalStateException.class);
        assertThat(store.environment(gone.name())).contains(gone);
    }

    @Test
    void aFailedTransactionDoesNotHarmTheNext() {
        assertThatThrownBy(() -> draft().change(allocation(pool, 1, pending()), allocation(pool, 1, pending()))
                        .write(store))
                .isInstanceOf(IllegalStateException.class);
        draft().add(environment(pool, "e", free())).write(store);
        assertThat(store.environment(new EnvironmentName("e"))).isPresent();
    }

    @Test
    void aStampSaysThatItsTransactionWasCommitted() {
        assertThat(store.committed("p/1")).isFalse();
        stamp("p/1");
        stamp("q/1");
        assertThat(store.committed("p/1")).isTrue();
        stamp("p/2");
        assertThat(store.committed("p/2")).isTrue();
        assertThat(store.committed("q/1")).isTrue();
        assertThat(store.committed("p/3")).isFalse();
        assertThat(store.committed("r/1")).isFalse();
    }

    private void stamp(String batch) {
        try (var transaction = store.begin()) {
            transaction.stamp(batch, NOON);
            transaction.commit();
        }
    }

    @Test
    void transactionsTakeTurns() throws Exception {
        var begun = new CountDownLatch(1);
        try (var other = Executors.newVirtualThreadPerTaskExecutor()) {
            var first = store.begin();
            var second = other.submit(() -> {
                begun.countDown();
                try (var transaction = store.begin()) {
                    return transaction.lock(pool.name()).orElseThrow().events();
                }
            });
            assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
            first.write(draft().pool(withEvents(5)).decision(), pool);
            first.commit();
            first.close();
            assertThat(second.get(60, TimeUnit.SECONDS)).isEqualTo(5);
        }
    }

    private Pool withEvents(long events) {
        return new Pool(
                pool.number(),
                pool.name(),
                pool.policy(),
                true,
                0,
                0,
                events,
                pool.counts(),
                0,
                0,
                0,
                0,
                0,
                pool.breaker(),
                pool.touchedAt());
    }

    /** Of stores in which readers do not wait for the writer. */
    final void readDuringAnOpenTransaction() {
        var before = environment(pool, "e", free());
        draft().add(before).write(store);
        try (var transaction = store.begin()) {
            var after = environment(pool, "e", new EnvironmentState.Dirty("r", null));
            transaction.write(draft().change(before, after).decision(), pool);
            assertThat(store.environment(before.name())).contains(before);
            assertThat(store.environments(new EnvironmentQuery(pool.name(), null, null, 9))
                            .items())
                    .containsExactly(before);
            transaction.commit();
            assertThat(store.environment(before.name())).contains(after);
        }
    }

    // ---- slices

    @Test
    void aSliceHasNothingThatWasNotAskedFor() {
        var lent = allocation(pool, 1, active("lent"));
        draft().counts(1, 0)
                .add(environment(pool, "free", free()))
                .add(environment(pool, "lent", allocated()))
                .add(environment(pool, "later", new EnvironmentState.Cleaning(work(Step.CLEAN, NOON))))
                .add(lent)
                .write(store);
        var slice = load(NOTHING, NOON);
        assertThat(slice.pool()).isEqualTo(store.pool(pool.name()).orElseThrow());
        assertThat(slice.allocations()).isEmpty();
        assertThat(slice.environments()).isEmpty();
        assertThat(slice.identities()).isEmpty();
        assertThat(slice.free()).isEmpty();
        assertThat(slice.queue()).isEmpty();
        assertThat(slice.due()).isEmpty();
        assertThat(slice.work()).isEmpty();
        assertThat(slice.keys()).isEmpty();
        assertThat(slice.complete()).isTrue();
    }

    @Test
    void aSliceHasTheAllocationsThatAreNamedWithWhatTheyHold() {
        var other = create("other");
        var lent = allocation(pool, 1, active("a", "b"));
        var over = allocation(pool, 2, pending());
        var foreign = allocation(other, 1, pending());
        var ended = in(
                over, new AllocationState.Ended(List.of(), null, null, NOON, EndReason.WAIT_TIMEOUT, null, Set.of()));
        var a = environment(pool, "a", allocated());
        var b = environment(pool, "b", allocated());
        draft().add(lent, over).add(a, b).write(store);
        draft().change(over, ended).write(store);
        new Draft(other).add(foreign).write(store);
        var slice =
                load(needs(Set.of(lent.id(), over.id(), foreign.id(), id(pool)), Set.of(), Set.of(), Set.of()), NOON);
        assertThat(slice.allocations()).containsOnly(Map.entry(lent.id(), lent), Map.entry(over.id(), ended));
        assertThat(slice.environments()).containsOnly(Map.entry(a.name(), a), Map.entry(b.name(), b));
    }

    @Test
    void aSliceHasTheKeysThatAreNamedWithTheirAllocations() {
        var other = create("other");
        var here = allocation(pool, 1, request(1, Duration.ofSeconds(9), "here"), pending());
        var there = allocation(other, 1, request(1, Duration.ofSeconds(9), "there"), pending());
        var use = new KeyUse(new KeyUse.Key("ann", "here"), here.id(), "digest");
        var foreign = new KeyUse(new KeyUse.Key("ann", "there"), there.id(), "digest");
        draft().add(here).use(use).write(store);
        new Draft(other).add(there).use(foreign).write(store);
        var needs = needs(
                Set.of(),
                Set.of(use.key(), foreign.key(), new KeyUse.Key("bob", "here"), new KeyUse.Key("ann", "new")),
                Set.of(),
                Set.of());
        var slice = load(needs, NOON);
        assertThat(slice.keys()).containsOnly(Map.entry(use.key(), use), Map.entry(foreign.key(), foreign));
        assertThat(slice.allocations()).containsOnly(Map.entry(here.id(), here), Map.entry(there.id(), there));
        draft().free(use.key()).write(store);
        assertThat(load(needs, NOON).keys()).containsOnlyKeys(foreign.key());
    }

    @Test
    void aSliceHasTheEnvironmentsThatAreNamedWithWhoHoldsThem() {
        var other = create("other");
        var lent = allocation(pool, 1, active("a", "b"));
        var a = new Environment(
                pool.number(),
                record("a"),
                1,
                null,
                null,
                NOON,
                0,
                tenant(lent.id()),
                new EnvironmentState.Allocated(work(Step.ISSUE, NOON.plusSeconds(1)), null));
        var b = new Environment(pool.number(), record("b"), 1, null, null, NOON, 0, tenant(lent.id()), allocated());
        var former = new Environment(pool.number(), record("former"), 1, null, null, NOON, 0, tenant(id(pool)), free());
        var elsewhere = environment(other, "elsewhere", free());
        draft().add(a, b, former).add(lent).write(store);
        new Draft(other).add(elsewhere).write(store);
        var slice = load(
                needs(
                        Set.of(),
                        Set.of(),
                        Set.of(a.name(), former.name(), elsewhere.name(), new EnvironmentName("new")),
                        Set.of()),
                NOON);
        assertThat(slice.environments().values()).containsExactlyInAnyOrder(a, b, former, elsewhere);
        assertThat(slice.allocations()).containsOnly(Map.entry(lent.id(), lent));
    }

    @Test
    void aSliceKnowsWhoHasAnIdentity() {
        var retired = environment(pool, "retired", new EnvironmentState.Retired(null, false));
        var live = new Environment(
                pool.number(),
                record("live", retired.record().identity(), null),
                0,
                null,
                null,
                NOON.minusSeconds(1),
                0,
                null,
                free());
        var gone = environment(pool, "gone", new EnvironmentState.Retired(null, false));
        draft().add(retired, live, gone).write(store);
        var slice = load(
                needs(
                        Set.of(),
                        Set.of(),
                        Set.of(),
                        Set.of(retired.record().identity(), gone.record().identity(), "unknown")),
                NOON);
        assertThat(slice.identities())
                .containsOnly(
                        Map.entry(retired.record().identity(), live.name()),
                        Map.entry(gone.record().identity(), gone.name()));
        assertThat(slice.environments()).containsOnlyKeys(live.name(), gone.name());
    }

    @Test
    void aSliceHasAsManyFreeEnvironmentsAsAreAskedForFirstToBeLentFirst() {
        var draining = new Environment(
                pool.number(), record("e0"), 0, null, null, NOON, 0, null, new EnvironmentState.Dirty("d", null));
        draft().counts(4, 0)
                .add(draining)
                .add(environment(pool, "e1", 4, free()))
                .add(environment(pool, "e2", 3, free()))
                .add(environment(pool, "e3", 2, free()))
                .add(environment(pool, "e4", 1, free()))
                .write(store);
        assertThat(names(load(asking(3), NOON).free())).containsExactly("e4", "e3", "e2");
        assertThat(names(load(asking(9), NOON).free())).containsExactly("e4", "e3", "e2", "e1");
        assertThat(load(asking(3), NOON).environments()).hasSize(3);
    }

    private Slice.Needs asking(int count) {
        return Slice.Needs.of(List.of(ask(id(pool), request(count, Duration.ZERO, null))));
    }

    @Test
    void aSliceHasTheHeadsOfTheQueueAndWhatTheyCouldTake() {
        var large = allocation(pool, 2, request(2, Duration.ofSeconds(60), null), pending());
        var first = allocation(pool, 1, pending(NOON.plusSeconds(60), "e1"));
        draft().counts(5, 2)
                .add(large, first)
                .add(IntStream.rangeClosed(1, 5)
                        .mapToObj(i -> environment(pool, "e" + i, i, free()))
                        .toArray(Environment[]::new))
                .write(store);
        var slice = load(NOTHING, NOON);
        assertThat(slice.queue()).containsExactly(first.id(), large.id());
        assertThat(slice.allocations()).containsOnlyKeys(first.id(), large.id());
        assertThat(names(slice.free())).containsExactly("e1", "e2", "e3", "e4");
    }

    @Test
    void aSliceHasFewHeadsHoweverManyWait() {
        var lent = environment(pool, "lent", allocated());
        draft().counts(0, 2_000)
                .add(lent)
                .add(IntStream.rangeClosed(1, 2_000)
                        .mapToObj(i -> allocation(pool, i, pending()))
                        .toArray(Allocation[]::new))
                .write(store);
        assertThat(load(NOTHING, NOON).queue()).isEmpty();
        assertThat(load(needs(Set.of(), Set.of(), Set.of(lent.name()), Set.of()), NOON)
                        .queue())
                .as("one could be served, and the next are looked at too: who is first may avoid it")
                .hasSize(4);
        draft().counts(1_000, 2_000)
                .add(IntStream.range(0, 1_000)
                        .mapToObj(i -> environment(pool, "e" + i, i, free()))
                        .toArray(Environment[]::new))
                .write(store);
        assertThat(load(NOTHING, NOON).queue()).hasSize(Search.MOST_HEADS);
    }

    @Test
    void aSliceHasWhatIsDueAndSaysWhenThatIsNotAll() {
        var due = new AllocationState.Active(List.of(), NOON.minusSeconds(9), NOON, null, null, false, null);
        draft().add(allocation(pool, 1, due))
                .add(allocation(pool, 2, active("none")))
                .add(environment(pool, "due", new EnvironmentState.Available(NOON)))
                .add(environment(pool, "later", new EnvironmentState.Available(NOON.plusMillis(1))))
                .write(store);
        var slice = load(NOTHING, NOON);
        assertThat(slice.allocations()).hasSize(1);
        assertThat(names(slice.due())).containsExactly("due");
        assertThat(slice.complete()).isTrue();

        draft().add(IntStream.range(0, 3_000)
                        .mapToObj(i -> allocation(pool, 10 + i, due))
                        .toArray(Allocation[]::new))
                .write(store);
        slice = load(NOTHING, NOON);
        assertThat(slice.allocations()).hasSizeBetween(100, 1_000);
        assertThat(slice.complete()).isFalse();

        draft().add(IntStream.range(0, 3_000)
                        .mapToObj(i ->
                                environment(pool, "more-" + i, new EnvironmentState.Available(NOON.minusMillis(i))))
                        .toArray(Environment[]::new))
                .write(store);
        slice = load(NOTHING, NOON);
        assertThat(slice.due()).hasSizeBetween(100, 1_000);
        assertThat(slice.due()).contains(new EnvironmentName("more-2999")); // the longest due first
    }

    @Test
    void aSliceHasStepsToClaimIssuingFirstThenThoseOfLostWorkersThenTheLongestDue() {
        draft().add(environment(pool, "clean-2", new EnvironmentState.Cleaning(work(Step.CLEAN, NOON.minusSeconds(2)))))
                .add(environment(
                        pool, "clean-1", new EnvironmentState.Cleaning(work(Step.CLEAN, NOON.minusSeconds(1)))))
                .add(environment(pool, "check", new EnvironmentState.Checking(work(Step.VERIFY, NOON), null)))
                .add(environment(pool, "issue", new EnvironmentState.Allocated(work(Step.ISSUE, NOON), null)))
                .add(environment(pool, "lapsed", new EnvironmentState.Cleaning(claimed(Step.CLEAN, NOON))))
                .add(environment(
                        pool, "under-way", new EnvironmentState.Cleaning(claimed(Step.CLEAN, NOON.plusMillis(1)))))
                .add(environment(pool, "later", new EnvironmentState.Cleaning(work(Step.CLEAN, NOON.plusMillis(1)))))
                .add(environment(
                        pool,
                        "settling",
                        new EnvironmentState.Cleaning(
                                new Work(Step.REVOKE, 0, 0, NOON.minusSeconds(9), null, List.of(), true))))
                .write(store);
        var slice = load(claiming(1), NOON);
        assertThat(names(slice.work())).containsExactly("issue", "lapsed", "clean-2", "clean-1", "check");
        assertThat(slice.environments().keySet()).containsAll(slice.work());
        assertThat(names(slice.due())).containsExactly("settling");
    }

    @Test
    void stepsInABusyAccountDoNotHideThoseBehindThem() {
        var busy = inAccount("busy", "a", new EnvironmentState.Cleaning(claimed(Step.CLEAN, NOON.plusSeconds(9))));
        var waiting = IntStream.range(0, 200)
                .mapToObj(i -> inAccount(
                        "waiting-" + i,
                        "a",
                        new EnvironmentState.Cleaning(work(Step.CLEAN, NOON.minusSeconds(500 - i)))))
                .toArray(Environment[]::new);
        var other = inAccount("other", "b", new EnvironmentState.Cleaning(work(Step.CLEAN, NOON)));
        var issued = inAccount(
                "issued", "c", new EnvironmentState.Allocated(claimed(Step.ISSUE, NOON.plusSeconds(9)), null));
        var beside = inAccount("beside", "c", new EnvironmentState.Cleaning(work(Step.CLEAN, NOON)));
        draft().add(waiting).add(busy, other, issued, beside).write(store);
        var slice = load(claiming(4), NOON);
        assertThat(names(slice.work())).containsExactlyInAnyOrder("other", "beside");
        assertThat(slice.busyAccounts()).containsEntry("b", 0).containsEntry("c", 0);
    }

    private Environment inAccount(String name, String account, EnvironmentState state) {
        return new Environment(pool.number(), record(name, "id " + name, account), 0, null, null, NOON, 0, null, state);
    }

    @Test
    void aSliceHasEveryClaimWhereClaimsAreVoided() {
        var other = create("other");
        draft().add(environment(
                        pool, "claimed", new EnvironmentState.Cleaning(claimed(Step.CLEAN, NOON.plusSeconds(9)))))
                .add(environment(pool, "unclaimed", new EnvironmentState.Cleaning(work(Step.CLEAN, NOON))))
                .write(store);
        new Draft(other)
                .add(environment(
                        other, "elsewhere", new EnvironmentState.Cleaning(claimed(Step.CLEAN, NOON.plusSeconds(9)))))
                .write(store);
        var slice = load(Slice.Needs.of(List.of(new Command.VoidClaims("p"))), NOON);
        assertThat(slice.environments()).containsOnlyKeys(new EnvironmentName("claimed"));
    }

    @Test
    void afterAnOutageASliceHasEveryAllocationThatLives() {
        draft().counts(0, 500)
                .add(environment(pool, "lent", allocated()))
                .add(IntStream.rangeClosed(1, 500)
                        .mapToObj(i -> allocation(pool, i, pending()))
                        .toArray(Allocation[]::new))
                .write(store);
        assertThat(load(NOTHING, NOON.plusSeconds(2)).allocations()).isEmpty();
        assertThat(load(NOTHING, NOON.plusSeconds(59)).allocations()).hasSize(500);
        assertThat(load(NOTHING, NOON.plusSeconds(600)).allocations()).hasSize(500);
    }

    // ---- reads

    @Test
    void itIsKnownWhenSomethingIsDue() {
        assertThat(store.nextDue(pool.number())).isNull();
        assertThat(store.nextWork(pool.number())).isNull();
        draft().add(allocation(pool, 1, pending()))
                .add(environment(pool, "e", new EnvironmentState.Available(NOON.plusSeconds(70))))
                .add(environment(pool, "clean", new EnvironmentState.Cleaning(work(Step.CLEAN, NOON.plusSeconds(3)))))
                .write(store);
        assertThat(store.nextDue(pool.number())).isEqualTo(NOON.plusSeconds(60));
        assertThat(store.nextWork(pool.number())).isEqualTo(NOON.plusSeconds(3));
        draft().add(environment(pool, "check", new EnvironmentState.Available(NOON.plusSeconds(50))))
                .add(environment(
                        pool, "issue", new EnvironmentState.Allocated(claimed(Step.ISSUE, NOON.plusSeconds(2)), null)))
                .write(store);
        assertThat(store.nextDue(pool.number())).isEqualTo(NOON.plusSeconds(50));
        assertThat(store.nextWork(pool.number())).isEqualTo(NOON.plusSeconds(2));
        assertThat(store.nextDue(pool.number() + 1)).isNull();
    }

    @Test
    void itIsKnownSinceWhenRequestsWait() {
        assertThat(store.oldestWaiting(pool.number())).isNull();
        var late =
                new Allocation(id(pool), pool.name(), "ann", request(), "", 9, 0, NOON.plusSeconds(9), null, pending());
        draft().add(late, allocation(pool, 3, asleep()), allocation(pool, 1, active()))
                .write(store);
        assertThat(store.oldestWaiting(pool.number())).isEqualTo(NOON);
    }

    @Test
    void allocationsComeInPagesNewestFirst() {
        var other = create("other");
        var all = IntStream.rangeClosed(1, 5)
                .mapToObj(i -> allocation(pool, i, i == 3 ? active() : pending()))
                .toArray(Allocation[]::new);
        var foreign = new Allocation(
                id(other),
                other.name(),
                "bob",
                new Request("theirs", NeedClass.ONE, null, null, Duration.ZERO, 0, "{}", null, "d"),
                "",
                1,
                1,
                NOON,
                null,
                pending());
        draft().add(all).write(store);
        new Draft(other).add(foreign).write(store);

        var seen = new ArrayList<Allocation>();
        @Nullable String cursor = null;
        do {
            var page = store.allocations(new AllocationQuery(pool.name(), null, null, null, cursor, 2));
            assertThat(page.items()).hasSizeLessThanOrEqualTo(2);
            seen.addAll(page.items());
            cursor = page.next();
        } while (cursor != null);
        assertThat(seen).containsExactly(all[4], all[3], all[2], all[1], all[0]);

        assertThat(store.allocations(new AllocationQuery(null, null, null, null, null, 9))
                        .items())
                .hasSize(6);
        assertThat(store.allocations(new AllocationQuery(null, "active", null, null, null, 9))
                        .items())
                .containsExactly(all[2]);
        assertThat(store.allocations(new AllocationQuery(null, null, "theirs", null, null, 9))
                        .items())
                .containsExactly(foreign);
        assertThat(store.allocations(new AllocationQuery(null, null, null, "bob", null, 9))
                        .items())
                .containsExactly(foreign);
        assertThat(store.allocations(new AllocationQuery(new PoolName("none"), null, null, null, null, 9))
                        .items())
                .isEmpty();
        assertThat(store.allocations(new AllocationQuery(pool.name(), null, null, null, null, 5))
                        .next())
                .isNull();
    }

    @Test
    void environmentsComeInPagesByName() {
        var other = create("other");
        draft().add(environment(pool, "c", free()))
                .add(environment(pool, "a", new EnvironmentState.Dirty("d", null)))
                .add(environment(pool, "d", free()))
                .add(environment(pool, "r", new EnvironmentState.Retired(null, false)))
                .write(store);
        new Draft(other).add(environment(other, "b", free())).write(store);
        var first = store.environments(new EnvironmentQuery(null, null, null, 3));
        assertThat(first.items()).extracting(found -> found.name().value()).containsExactly("a", "b", "c");
        var second = store.environments(new EnvironmentQuery(null, null, first.next(), 3));
        assertThat(second.items()).extracting(found -> found.name().value()).containsExactly("d");
        assertThat(second.next()).isNull();
        assertThat(store.environments(new EnvironmentQuery(pool.name(), null, null, 9))
                        .items())
                .extracting(found -> found.name().value())
                .containsExactly("a", "c", "d");
        assertThat(store.environments(new EnvironmentQuery(pool.name(), EnvironmentState.Name.DIRTY, null, 9))
                        .items())
                .extracting(found -> found.name().value())
                .containsExactly("a");
        assertThat(store.environments(new EnvironmentQuery(null, EnvironmentState.Name.RETIRED, null, 9))
                        .items())
                .extracting(found -> found.name().value())
                .containsExactly("r");
        assertThat(store.environments(new EnvironmentQuery(new PoolName("none"), null, null, 9))
                        .items())
                .isEmpty();
    }

    @Test
    void statisticsTellWaitsAndHowMuchWasLent() {
        var none = store.statistics(pool.number(), NOON, NOON.plusSeconds(100));
        assertThat(none).isEqualTo(new Store.Statistics(null, null, null, 0));
        var live = new Allocation[10];
        var over = new Allocation[10];
        for (int i = 0; i < 10; i++) {
            var granted = NOON.plusSeconds(i + 1);
            live[i] = allocation(
                    pool, i, new AllocationState.Active(List.of(grant("e")), granted, null, null, null, false, null));
            over[i] = i == 9
                    ? live[9]
                    : in(
                            live[i],
                            new AllocationState.Ended(
                                    List.of(),
                                    granted,
                                    null,
                                    granted.plusSeconds(5),
                                    EndReason.RELEASED,
                                    null,
                                    Set.of()));
        }
        draft().counts(2, 0).add(live).write(store);
        var end = draft().counts(2, 0);
        for (int i = 0; i < 9; i++) {
            end.change(live[i], over[i]);
        }
        end.write(store);
        var statistics = store.statistics(pool.number(), NOON, NOON.plusSeconds(100));
        assertThat(statistics.p50()).isEqualTo(Duration.ofSeconds(5));
        assertThat(statistics.p90()).isEqualTo(Duration.ofSeconds(9));
        assertThat(statistics.p99()).isEqualTo(Duration.ofSeconds(10));
        assertThat(statistics.utilisation()).isEqualTo((9 * 5 + 90) / 200.0);
        assertThat(store.statistics(pool.number(), NOON.plusSeconds(9), NOON.plusSeconds(100))
                        .p50())
                .isEqualTo(Duration.ofSeconds(10));
    }

    // ---- events

    private Event happened(long number, Instant at, @Nullable String environment, Map<String, String> data) {
        return new Event(
                number,
                at,
                Event.Type.STEP_DONE,
                null,
                environment == null ? null : new EnvironmentName(environment),
                null,
                data);
    }

    @ParameterizedTest
    @EnumSource(Event.Type.class)
    void everyEventIsReadBackAsItWasWritten(Event.Type type) {
        var full = new Event(
                1,
                NOON,
                type,
                id(pool),
                new EnvironmentName("e"),
                "ann",
                Map.of("reason", "it \"failed\" ☃", "empty", ""));
        var bare = event(2, type);
        draft().pool(withEvents(2)).add(full, bare).write(store);
        assertThat(store.events(Map.of(), 9))
                .containsExactly(
                        new StoredEvent(pool.number(), pool.name(), full),
                        new StoredEvent(pool.number(), pool.name(), bare));
    }

    @Test
    void eventsAreReadOnFromWhereOneWas() {
        var other = create("other");
        draft().pool(withEvents(3))
                .add(happened(1, NOON, null, Map.of()))
                .add(happened(2, NOON.plusSeconds(2), null, Map.of()))
                .add(happened(3, NOON.plusSeconds(4), null, Map.of()))
                .write(store);
        new Draft(other)
                .add(happened(1, NOON.plusSeconds(1), null, Map.of()))
                .add(happened(2, NOON.plusSeconds(3), null, Map.of()))
                .write(store);
        assertThat(numbers(store.events(Map.of(), 9)))
                .containsExactly("pool 1", "other 1", "pool 2", "other 2", "pool 3");
        assertThat(numbers(store.events(Map.of(pool.number(), 1L, other.number(), 2L), 9)))
                .containsExactly("pool 2", "pool 3");
        assertThat(numbers(store.events(Map.of(pool.number(), 1L), 2))).containsExactly("other 1", "pool 2");
        assertThat(store.events(Map.of(pool.number(), 3L, other.number(), 2L), 9))
                .isEmpty();
    }

    @Test
    void noEventIsPassedOverWhereTheClockWentBack() {
        draft().pool(withEvents(3))
                .add(happened(1, NOON, null, Map.of()))
                .add(happened(2, NOON.minusSeconds(86_400), null, Map.of()))
                .add(happened(3, NOON.plusSeconds(4), null, Map.of()))
                .write(store);
        assertThat(numbers(store.events(Map.of(), 9))).containsExactly("pool 1", "pool 2", "pool 3");
        assertThat(numbers(store.events(Map.of(), 1))).containsExactly("pool 1");
    }

    private static List<String> numbers(List<StoredEvent> events) {
        return events.stream()
                .map(stored -> stored.name().value() + " " + stored.event().number())
                .toList();
    }

    @Test
    void theHistoryOfAnEnvironmentHasWhatWasAboutSeveralToo() {
        draft().pool(withEvents(3))
                .add(
                        environment(pool, "a", new EnvironmentState.Available(null)),
                        environment(pool, "b", new EnvironmentState.Available(null)))
                .add(happened(1, NOON, "a", Map.of()))
                .add(happened(2, NOON, null, Map.of("environments", "a,b")))
                .add(happened(3, NOON, "b", Map.of()))
                .write(store);
        draft().pool(withEvents(4)).add(happened(4, NOON, "a", Map.of())).write(store);
        assertThat(numbers(store.history(new EnvironmentName("a"), 9))).containsExactly("pool 4", "pool 2", "pool 1");
        assertThat(numbers(store.history(new EnvironmentName("a"), 2))).containsExactly("pool 4", "pool 2");
        assertThat(store.history(new EnvironmentName("c"), 9)).isEmpty();
    }

    // ---- keeping house

    @Test
    void whatIsOldIsRemovedAndItsKeysAreFree() {
        var old = allocation(pool, 1, request(1, Duration.ZERO, "old"), pending());
        var recent = allocation(pool, 2, request(1, Duration.ZERO, "recent"), pending());
        var live = allocation(pool, 3, request(1, Duration.ZERO, "live"), pending());
        var uses = Stream.of(old, recent, live)
                .map(from -> new KeyUse(
                        new KeyUse.Key("ann", String.valueOf(from.request().key())), from.id(), "d"))
                .toList();
        draft().pool(withEvents(3))
                .add(old, recent, live)
                .use(uses.get(0))
                .use(uses.get(1))
                .use(uses.get(2))
                .add(environment(pool, "e", new EnvironmentState.Available(null)))
                .add(happened(1, NOON, "e", Map.of()))
                .add(happened(2, NOON.plusSeconds(1), "e", Map.of()))
                .add(happened(3, NOON.plusSeconds(100), "e", Map.of()))
                .write(store);
        new Draft(withEvents(3))
                .change(old, ended(old, NOON.plusSeconds(1)))
                .change(recent, ended(recent, NOON.plusSeconds(100)))
                .write(store);
        assertThat(store.oldestEvents()).containsExactly(Map.entry(pool.number(), 1L));

        assertThat(store.prune(NOON.plusSeconds(50), 100)).isEqualTo(3);
        assertThat(store.prune(NOON.plusSeconds(50), 100)).isZero();
        assertThat(store.allocation(old.id())).isEmpty();
        assertThat(store.allocation(recent.id())).isPresent();
        assertThat(store.allocation(live.id())).isPresent();
        assertThat(load(
                                needs(
                                        Set.of(),
                                        Set.of(
                                                uses.get(0).key(),
                                                uses.get(1).key(),
                                                uses.get(2).key()),
                                        Set.of(),
                                        Set.of()),
                                NOON)
                        .keys())
                .containsOnlyKeys(uses.get(1).key(), uses.get(2).key());
        assertThat(numbers(store.events(Map.of(), 9))).containsExactly("pool 3");
        assertThat(numbers(store.history(new EnvironmentName("e"), 9))).containsExactly("pool 3");
        assertThat(store.oldestEvents()).containsExactly(Map.entry(pool.number(), 3L));

        assertThat(store.prune(NOON.plusSeconds(500), 100)).isEqualTo(2);
        assertThat(store.oldestEvents()).containsExactly(Map.entry(pool.number(), 4L));
    }

    private static Allocation ended(Allocation live, Instant at) {
        return in(live, new AllocationState.Ended(List.of(), null, null, at, EndReason.RELEASED, null, Set.of()));
    }

    @Test
    void aKeyThatIsUsedAgainOutlivesItsFirstAllocation() {
        var first = allocation(pool, 1, request(1, Duration.ZERO, "key"), pending());
        var second = allocation(pool, 2, request(1, Duration.ZERO, "key"), pending());
        var key = new KeyUse.Key("ann", "key");
        draft().add(first).use(new KeyUse(key, first.id(), "d")).write(store);
        draft().change(first, ended(first, NOON)).free(key).write(store);
        draft().add(second).use(new KeyUse(key, second.id(), "d")).write(store);
        assertThat(store.prune(NOON.plusSeconds(9), 100)).isEqualTo(1);
        var keys = load(needs(Set.of(), Set.of(key), Set.of(), Set.of()), NOON).keys();
        assertThat(keys.get(key)).isEqualTo(new KeyUse(key, second.id(), "d"));
    }

    @Test
    void noMoreIsRemovedAtOnceThanIsAllowed() {
        var other = create("other");
        var events = IntStream.rangeClosed(1, 10)
                .mapToObj(i -> happened(i, NOON, null, Map.of()))
                .toArray(Event[]::new);
        var live = IntStream.rangeClosed(1, 10)
                .mapToObj(i -> allocation(pool, i, pending()))
                .toArray(Allocation[]::new);
        draft().add(live).add(events).write(store);
        var end = draft();
        for (var allocation : live) {
            end.change(allocation, ended(allocation, NOON));
        }
        end.write(store);
        new Draft(other).add(events).write(store);
        int removed = 0;
        for (int last = -1; last != 0; removed += last) {
            last = store.prune(NOON.plusSeconds(1), 4);
            assertThat(last).isLessThanOrEqualTo(4);
        }
        assertThat(removed).isEqualTo(30);
    }

    // ---- tokens and configuration

    @Test
    void tokensAreKeptByTheirHash() {
        var forever = new Token("t1", "ann", "hash-1", NOON, null, null);
        var limited = new Token("t2", "bob", "hash-2", NOON.plusSeconds(1), NOON.plusSeconds(2), NOON.plusSeconds(3));
        store.addToken(forever);
        store.addToken(limited);
        assertThat(store.tokenByHash("hash-1")).contains(forever);
        assertThat(store.tokenByHash("hash-2")).contains(limited);
        assertThat(store.tokenByHash("hash-3")).isEmpty();
        assertThat(store.tokens()).containsExactly(forever, limited);
        store.tokenUsed("t1", NOON.plusSeconds(9));
        assertThat(store.tokenByHash("hash-1"))
                .contains(new Token("t1", "ann", "hash-1", NOON, null, NOON.plusSeconds(9)));
        assertThatThrownBy(() -> store.addToken(new Token("t3", "eve", "hash-1", NOON, null, null)))
                .isInstanceOf(IllegalStateException.class);
        assertThat(store.removeToken("t1")).isTrue();
        assertThat(store.removeToken("t1")).isFalse();
        assertThat(store.tokens()).containsExactly(limited);
    }

    @Test
    void accessKeysAreKeptByTheirId() {
        var forever = new AccessKey("KEY1", "ann", new Sealed("sealed-1"), NOON, null, null);
        var limited = new AccessKey(
                "KEY2", "bob", new Sealed("sealed-2"), NOON.plusSeconds(1), NOON.plusSeconds(2), NOON.plusSeconds(3));
        store.addAccessKey(forever);
        store.addAccessKey(limited);
        assertThat(store.accessKey("KEY1")).contains(forever);
        assertThat(store.accessKey("KEY2")).contains(limited);
        assertThat(store.accessKey("key1")).isEmpty();
        assertThat(store.accessKeys()).containsExactly(forever, limited);
        store.accessKeyUsed("KEY1", NOON.plusSeconds(9));
        assertThat(store.accessKey("KEY1"))
                .contains(new AccessKey("KEY1", "ann", new Sealed("sealed-1"), NOON, null, NOON.plusSeconds(9)));
        assertThatThrownBy(() -> store.addAccessKey(new AccessKey("KEY2", "eve", new Sealed("x"), NOON, null, null)))
                .isInstanceOf(IllegalStateException.class);
        assertThat(store.removeAccessKey("KEY1")).isTrue();
        assertThat(store.removeAccessKey("KEY1")).isFalse();
        assertThat(store.accessKeys()).containsExactly(limited);
    }

    @Test
    void theFirstBaselineStaysAndWhatWasFoundBecomesTheNextWhenItIsAccepted() {
        var name = new EnvironmentName("a");
        var first = new Store.Baseline("thing", 1, name, NOON, "verification", "{\"role\":[\"admin\"]}");
        assertThat(store.baseline("thing", null)).isEmpty();
        assertThat(store.addFirstBaseline(first)).isTrue();
        assertThat(store.addFirstBaseline(new Store.Baseline("thing", 1, name, NOON, "verification", "{}")))
                .isFalse();
        assertThat(store.baseline("thing", null)).contains(first);
        assertThat(store.acceptFinding("thing", "olga", NOON)).isEmpty();

        store.keepFinding(new Store.Finding("thing", name, NOON, "{\"role\":[\"old\"]}"));
        var found = new Store.Finding("thing", name, NOON.plusSeconds(1), "{\"role\":[\"new\"]}");
        store.keepFinding(found);
        assertThat(store.finding("thing")).contains(found);
        var next = new Store.Baseline("thing", 2, name, NOON.plusSeconds(2), "olga", found.content());
        assertThat(store.acceptFinding("thing", "olga", NOON.plusSeconds(2))).contains(next);
        assertThat(store.finding("thing")).isEmpty();
        assertThat(store.acceptFinding("thing", "olga", NOON)).isEmpty();
        assertThat(store.baseline("thing", null)).contains(next);
        assertThat(store.baseline("thing", 1)).contains(first);
        assertThat(store.baseline("thing", 3)).isEmpty();
        assertThat(store.baseline("other", null)).isEmpty();
    }

    @Test
    void tenVersionsOfABaselineAreKept() {
        var name = new EnvironmentName("a");
        for (int i = 1; i <= 12; i++) {
            store.keepFinding(new Store.Finding("thing", name, NOON, "{}"));
            store.acceptFinding("thing", "olga", NOON);
        }
        assertThat(store.baseline("thing", 2)).isEmpty();
        assertThat(store.baseline("thing", 3)).isPresent();
        assertThat(store.baseline("thing", null)).map(Store.Baseline::version).contains(12);
    }

    static Stream<Arguments> whoHasAccess() {
        return Stream.of(
                Arguments.of(free(), false),
                Arguments.of(allocated(), true),
                Arguments.of(new EnvironmentState.Cleaning(work(Step.REVOKE, NOON)), true),
                Arguments.of(new EnvironmentState.Cleaning(work(Step.CLEAN, NOON)), false),
                Arguments.of(new EnvironmentState.Checking(work(Step.VERIFY, NOON), null), false),
                Arguments.of(new EnvironmentState.Dirty("verify failed: a bucket", null), false),
                Arguments.of(new EnvironmentState.Dirty("revoke failed: not allowed", null), true),
                Arguments.of(new EnvironmentState.Checking(work(Step.VERIFY, NOON), "revoke failed: no"), true),
                Arguments.of(new EnvironmentState.Retired("revoke failed: not allowed", false), true),
                Arguments.of(new EnvironmentState.Retired(null, false), false));
    }

    @ParameterizedTest
    @MethodSource("whoHasAccess")
    void anAccountIsIdleWhereNobodyHasAccessToAnotherEnvironmentOfIt(EnvironmentState state, boolean access) {
        var elsewhere = create("elsewhere");
        new Draft(elsewhere)
                .add(new Environment(
                        elsewhere.number(), record("b", "thing b", "111"), 1, null, null, NOON, 0, null, state))
                .write(store);
        assertThat(store.isAccountIdle("111", "thing a")).isEqualTo(!access);
        assertThat(store.isAccountIdle("111", "thing b")).as("it is itself").isTrue();
        assertThat(store.isAccountIdle("222", "thing a")).isTrue();
    }

    @Test
    void theConfigurationInForceIsTheLastThatWasPutThere() {
        assertThat(store.configuration()).isEmpty();
        assertThat(store.wasInForce("d1")).isFalse();
        var first = store.putInForce("text ☃\n", "d1", NOON);
        var second = store.putInForce("other", "d2", NOON.plusSeconds(1));
        assertThat(second.sequence()).isGreaterThan(first.sequence());
        assertThat(store.configuration()).contains(second);
        assertThat(store.wasInForce("d1")).isTrue();
        var again = store.putInForce("text ☃\n", "d1", NOON.plusSeconds(2));
        assertThat(store.configuration()).contains(again);
        assertThat(again)
                .isEqualTo(new Store.ConfigurationInForce(
                        again.sequence(), first.text(), first.digest(), NOON.plusSeconds(2)));
    }

    @Test
    void anOpenStoreIsUsable() {
        assertThat(store.isUsable()).isTrue();
    }
}
