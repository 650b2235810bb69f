package dev.berth.server.upkeep;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.ask;
import static dev.berth.server.store.Samples.id;
import static dev.berth.server.store.Samples.policy;
import static dev.berth.server.store.Samples.record;
import static dev.berth.server.store.Samples.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Caller;
import dev.berth.core.Command;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.PoolName;
import dev.berth.core.Sealed;
import dev.berth.core.Shape;
import dev.berth.core.Step;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.Task;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which steps are told of the access profile that was asked for. */
class ProfileTest {
    private static final PoolName POOL = new PoolName("pool");

    private final Store store = SqliteStore.inMemory();
    private final List<String> told = new ArrayList<>();
    private int batches;
    private final Ledger ledger = new Ledger(store, () -> NOON, () -> "p/" + ++batches, 100);
    private final Upkeep upkeep = new Upkeep(
            ledger,
            pool -> new Listener(),
            new Upkeep.Keeping(
                    (allocation, environment, epoch, access) -> new Sealed("none"),
                    new Baselines(store, ledger, () -> NOON)),
            Runnable::run,
            new Upkeep.Process("p", () -> 0));

    private final class Listener implements Provider {
        @Override
        public Set<Step> steps() {
            return Set.of(Step.values());
        }

        @Override
        public StepResult run(Step step, Task task) {
            told.add(step + " "
                    + (task.holder() == null ? "nobody" : task.holder().profile()));
            return StepResult.Done.plain();
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

    @Test
    void whatIssuesAndWhatRevokesAreToldOfTheProfileOfTheGrant() {
        var shape = Shape.of(Map.of(), Map.of(), List.of("guest"));
        var _ = ledger.submit(POOL, new Command.Enact(policy(Set.of(Step.values()))));
        var _ = ledger.submit(POOL, new Command.Register(List.of(record("a", "a", null, shape))));
        work();
        told.clear();

        lend("guest");
        lend(null);

        assertThat(told)
                .containsExactly(
                        "ISSUE guest",
                        "REVOKE guest",
                        "CLEAN null",
                        "VERIFY null",
                        "ISSUE null",
                        "REVOKE null",
                        "CLEAN null",
                        "VERIFY null");
    }

    private void lend(@Nullable String profile) {
        var need = new Need(1, Collections.emptySortedMap(), Collections.emptySortedMap(), profile);
        var id = id(store.pool(POOL).orElseThrow());
        var _ = ledger.submit(POOL, ask(id, request(NeedClass.of(List.of(need), false), Duration.ZERO, null)));
        work();
        var _ = ledger.submit(POOL, new Command.Release(id, new Caller("ann", false), null));
        work();
    }

    /** Until nothing is to be done. */
    private void work() {
        settle();
        int before;
        do {
            before = told.size();
            upkeep.tick(POOL);
            settle();
        } while (told.size() > before);
    }

    private void settle() {
        while (ledger.step()) {
            // until nothing waits
        }
    }
}
