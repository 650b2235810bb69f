package dev.berth.server.upkeep;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.policy;
import static dev.berth.server.store.Samples.record;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Command;
import dev.berth.core.NeedClass;
import dev.berth.core.PoolName;
import dev.berth.core.Request;
import dev.berth.core.Sealed;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    private static final PoolName POOL = new PoolName("pool");

    private final Store store = SqliteStore.inMemory();
    private int batches;
    private Instant now = NOON;
    private boolean nudged;
    private final Ledger ledger = new Ledger(store, () -> now, () -> "p/" + ++batches, 100);
    private final Upkeep upkeep = new Upkeep(
            ledger,
            pool -> {
                throw new IllegalStateException("this pool has no steps");
            },
            new Upkeep.Keeping(
                    (allocation, environment, epoch, access) -> new Sealed("none"),
                    new Baselines(store, ledger, () -> now)),
            Runnable::run,
            new Upkeep.Process("p", () -> 0));
    private final Schedule schedule = new Schedule(ledger, store, upkeep, () -> now, () -> nudged = true);

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void everySessionEndsWhenItIsDueHoweverManyOthersEndBefore() {
        ledger.addListener(schedule);
        var _ = ledger.submit(POOL, new Command.Enact(policy()));
        var _ = ledger.submit(POOL, new Command.Register(List.of(record("a"), record("b"), record("c"), record("d"))));
        settle();
        var lent = new ArrayList<AllocationId>();
        for (long seconds : new long[] {10, 13, 16, 31}) {
            lent.add(lend(Duration.ofSeconds(seconds)));
        }
        runUntil(NOON.plusSeconds(40));
        assertThat(lent).allSatisfy(id -> {
            var ended =
                    (AllocationState.Ended) store.allocation(id).orElseThrow().state();
            assertThat(Duration.between(ended.expiresAt(), ended.endedAt()))
                    .isBetween(Duration.ZERO, Duration.ofMillis(10));
        });
    }

    private AllocationId lend(Duration duration) {
        var id = AllocationId.create(ledger.numberOf(POOL).orElseThrow(), now, new Random(duration.toMillis()));
        var request = new Request("job", NeedClass.ONE, duration, null, Duration.ZERO, 0, "{}", null, "");
        var _ = ledger.submit(POOL, new Command.Ask(id, "ann", request, Duration.ZERO, null, false));
        settle();
        return id;
    }

    /** As the service does: runs it when it said, or when it is nudged. */
    private void runUntil(Instant end) {
        while (now.isBefore(end)) {
            nudged = false;
            var next = schedule.run();
            settle();
            if (!nudged) {
                now = next.isAfter(now) ? next : now.plusMillis(1);
            }
        }
    }

    private void settle() {
        while (ledger.step()) {
            // until nothing waits
        }
    }
}
