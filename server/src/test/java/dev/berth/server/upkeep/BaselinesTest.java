package dev.berth.server.upkeep;

import static dev.berth.server.store.Samples.adopting;
import static dev.berth.server.store.Samples.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.AllocationId;
import dev.berth.core.Caller;
import dev.berth.core.Command;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState.Available;
import dev.berth.core.EnvironmentState.Dirty;
import dev.berth.core.Event;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Request;
import dev.berth.core.Sealed;
import dev.berth.core.Shape;
import dev.berth.core.Step;
import dev.berth.providers.Inventory;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.Task;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A kind that compares with a baseline, on a real ledger and store. */
class BaselinesTest {
    private static final PoolName POOL = new PoolName("pool");
    private static final EnvironmentName NAME = new EnvironmentName("a");
    private static final Instant NOON = Instant.parse("2026-07-01T12:00:00Z");

    private final Store store = SqliteStore.inMemory();
    private Instant now = NOON;
    private int batches;
    private final Ledger ledger = new Ledger(store, () -> now, () -> "p/" + ++batches, 100);
    private final TreeSet<String> there = new TreeSet<>(Set.of("admin"));
    /** Of a type that was not listed when baselines were kept. */
    private final TreeSet<String> queues = new TreeSet<>();

    private final List<String> done = new ArrayList<>();
    private boolean denied;
    private boolean enormous;
    private @Nullable Boolean accountIdle;
    private final Upkeep upkeep = new Upkeep(
            ledger,
            pool -> new Lister(),
            new Upkeep.Keeping(
                    (allocation, environment, epoch, access) -> new Sealed("none"),
                    new Baselines(store, ledger, () -> now)),
            Runnable::run,
            new Upkeep.Process("p", () -> 0));

    /** Has things of one type; cleaning removes what does not belong there. */
    private final class Lister implements Provider {
        @Override
        public Set<Step> steps() {
            return Set.of(Step.CLEAN, Step.VERIFY);
        }

        @Override
        public boolean keepsBaseline() {
            return true;
        }

        @Override
        public StepResult run(Step step, Task task) {
            done.add(step.name().toLowerCase(java.util.Locale.ROOT));
            accountIdle = task.accountIdle().getAsBoolean();
            var baseline = task.baseline();
            if (step == Step.CLEAN) {
                there.removeIf(thing -> baseline == null
                        || !baseline.things()
                                .getOrDefault("role", new TreeSet<>())
                                .contains(thing));
                return StepResult.Done.plain();
            }
            if (denied) {
                return new StepResult.Failed("not allowed to list", null);
            }
            var found = enormous
                    ? Inventory.of(Map.of("role", List.of("x".repeat(4 << 20))))
                    : Inventory.of(Map.of("role", there, "queue", queues));
            boolean agrees = baseline == null
                    || (baseline.without(found).isEmpty()
                            && !found.without(baseline).things().containsKey("role"));
            return agrees
                    ? new StepResult.Done(null, null, Duration.ZERO, found)
                    : new StepResult.Failed("something is left", null, found);
        }

        @Override
        public @Nullable Map<String, Object> standingCredentials(String environment, @Nullable String profile) {
            return null;
        }

        @Override
        public boolean fence(String claim) {
            return true;
        }
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void register(boolean adopt) {
        var cleaning = policy(Set.of(Step.CLEAN, Step.VERIFY));
        call(new Command.Enact(adopt ? adopting(cleaning) : cleaning));
        call(new Command.Register(List.of(new Registration(NAME, "thing", "111", Shape.PLAIN, "{}", "1"))));
        work();
    }

    private void call(Command command) {
        var answer = ledger.submit(POOL, command);
        settle();
        assertThat(answer).isCompleted();
    }

    private void settle() {
        while (ledger.step()) {
            // until nothing waits
        }
    }

    /** Does what is due, and what is due again after a while. */
    private void work() {
        for (int i = 0; i < 12; i++) {
            upkeep.tick(POOL);
            settle();
            now = now.plus(Duration.ofMinutes(1));
        }
    }

    private void lendAndTakeBack() {
        var id = AllocationId.create(1, now, new Random(1));
        call(new Command.Ask(
                id,
                "ann",
                new Request(
                        "job",
                        NeedClass.of(List.of(Need.any(1)), false),
                        null,
                        null,
                        Duration.ZERO,
                        0,
                        "{}",
                        null,
                        "digest"),
                Duration.ZERO,
                null,
                false));
        call(new Command.Release(id, new Caller("ann", false), null));
        work();
    }

    private Environment environment() {
        return store.environment(NAME).orElseThrow();
    }

    private List<String> events() {
        return store.history(NAME, 100).stream()
                .map(Store.StoredEvent::event)
                .filter(event -> event.type() == Event.Type.BASELINE_KEPT)
                .map(event -> event.data().get("version"))
                .collect(Collectors.toList());
    }

    @Test
    void whatIsThereWhenItIsRegisteredBelongsToItAndStays() {
        register(true);
        assertThat(environment().state()).isInstanceOf(Available.class);
        assertThat(done).containsExactly("verify");
        var first = store.baseline("thing", null).orElseThrow();
        assertThat(first.content()).isEqualTo("{\"role\":[\"admin\"]}");
        assertThat(first.version()).isEqualTo(1);
        assertThat(first.by()).isEqualTo("verification");
        assertThat(events()).containsExactly("1");

        there.add("left");
        lendAndTakeBack();
        assertThat(there).containsExactly("admin");
        assertThat(environment().state()).isInstanceOf(Available.class);
        assertThat(accountIdle).as("nobody else is in the account").isTrue();
        assertThat(store.finding("thing")).isEmpty();
    }

    @Test
    void whatAKindListsOnlySinceTheBaselineWasKeptBelongsToItFromThenOn() {
        register(true);
        queues.add("old");
        lendAndTakeBack();
        assertThat(environment().state()).isInstanceOf(Available.class);
        var next = store.baseline("thing", null).orElseThrow();
        assertThat(next.version()).isEqualTo(2);
        assertThat(next.by()).isEqualTo("verification");
        assertThat(next.content()).isEqualTo("{\"queue\":[\"old\"],\"role\":[\"admin\"]}");
        assertThat(store.finding("thing")).isEmpty();
        assertThat(events()).containsExactlyInAnyOrder("1", "2");
        lendAndTakeBack();
        assertThat(store.baseline("thing", null).orElseThrow().version()).isEqualTo(2);
    }

    @Test
    void whatCouldNotBeListedAtRegistrationIsNeverCleaned() {
        denied = true;
        register(true);
        assertThat(environment().state()).isInstanceOf(Dirty.class);
        assertThat(there).containsExactly("admin");
        assertThat(done).containsOnly("verify");
        assertThat(store.baseline("thing", null)).isEmpty();

        call(new Command.Act(NAME, Command.Action.CLEAN, null, "olga"));
        work();
        assertThat(there).containsExactly("admin");

        denied = false;
        call(new Command.Act(NAME, Command.Action.VERIFY, null, "olga"));
        work();
        assertThat(environment().state()).isInstanceOf(Available.class);
        assertThat(store.baseline("thing", null)).isPresent();
    }

    @Test
    void wherePoolsCleanWhatTheyRegisterTheBaselineIsWhatIsLeft() {
        there.add("old");
        register(false);
        assertThat(done).containsExactly("clean", "verify");
        assertThat(store.baseline("thing", null).orElseThrow().content()).isEqualTo("{}");
    }

    @Test
    void whatIsMissingIsKeptAsFoundUntilSomebodyAcceptsIt() {
        register(true);
        there.clear();
        lendAndTakeBack();
        assertThat(environment().state()).isInstanceOf(Dirty.class);
        assertThat(store.finding("thing").orElseThrow().content()).isEqualTo("{}");

        assertThat(store.acceptFinding("thing", "olga", now)).isPresent();
        call(new Command.Act(NAME, Command.Action.VERIFY, null, "olga"));
        work();
        assertThat(environment().state()).isInstanceOf(Available.class);
    }

    @Test
    void whatIsAsItShouldBeAgainIsNothingToAccept() {
        register(true);
        there.clear();
        lendAndTakeBack();
        assertThat(store.finding("thing")).isPresent();
        there.add("admin");
        call(new Command.Act(NAME, Command.Action.VERIFY, null, "olga"));
        work();
        assertThat(environment().state()).isInstanceOf(Available.class);
        assertThat(store.finding("thing")).isEmpty();
    }

    /** What is left of whoever had it would become what belongs to it. */
    @Test
    void withoutABaselineNothingThatWasLentAgreesByItself() {
        register(true);
        call(new Command.Register(
                List.of(new Registration(new EnvironmentName("b"), "another", "111", Shape.PLAIN, "{}", "1"))));
        call(new Command.Restored(1)); // whether it was lent, the store has forgotten
        work();
        assertThat(store.baseline("another", null)).isEmpty();
        assertThat(store.finding("another")).isPresent();
        assertThat(store.environment(new EnvironmentName("b")).orElseThrow().state())
                .isInstanceOf(Dirty.class);
    }

    @Test
    void aListingThatIsTooLargeIsNoBaseline() {
        enormous = true;
        register(true);
        assertThat(store.baseline("thing", null)).isEmpty();
        assertThat(environment().state()).isInstanceOf(Dirty.class);
        assertThat(((Dirty) environment().state()).reason()).contains("more than the 4 MiB");
    }
}
