package dev.berth.server.upkeep;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.policy;
import static dev.berth.server.store.Samples.record;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.berth.core.Command;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.PoolName;
import dev.berth.core.Sealed;
import dev.berth.core.Step;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.Task;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import dev.berth.server.store.StoreException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class UpkeepTest {
    private static final PoolName POOL = new PoolName("pool");
    private static final int MOST_WAITING = 4;

    private final Store store = SqliteStore.inMemory();
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private int batches;
    private int runs;
    private boolean away;
    private final Ledger ledger = new Ledger(store, () -> NOON, () -> "p/" + ++batches, MOST_WAITING);
    private final Upkeep upkeep = new Upkeep(
            ledger,
            pool -> verifier(),
            new Upkeep.Keeping(
                    (allocation, environment, epoch, access) -> new Sealed("none"),
                    new Baselines(store, ledger, () -> NOON)),
            Runnable::run,
            new Upkeep.Process("p", () -> 0));

    private Provider verifier() {
        if (away) {
            throw new StoreException("no connection");
        }
        return new Verifier();
    }

    /** Agrees at once. */
    private final class Verifier implements Provider {
        @Override
        public Set<Step> steps() {
            return Set.of(Step.VERIFY);
        }

        @Override
        public StepResult run(Step step, Task task) {
            runs++;
            return new StepResult.Done(null, null, Duration.ZERO);
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

    @BeforeEach
    void oneStepIsDue() {
        var enacted = ledger.submit(POOL, new Command.Enact(policy(Set.of(Step.VERIFY))));
        var registered = ledger.submit(POOL, new Command.Register(List.of(record("a"))));
        settle();
        assertThat(enacted).isCompleted();
        assertThat(registered).isCompleted();
        log.start();
        ((Logger) LoggerFactory.getLogger(Upkeep.class)).addAppender(log);
    }

    @AfterEach
    void close() {
        ((Logger) LoggerFactory.getLogger(Upkeep.class)).detachAppender(log);
        store.close();
    }

    private void settle() {
        while (ledger.step()) {
            // until nothing waits
        }
    }

    /** Lets the claim through; the step then runs at once, and its report waits. */
    private void runTheStep() {
        upkeep.tick(POOL);
        ledger.step();
        assertThat(runs).isEqualTo(1);
        assertThat(upkeep.size()).isEqualTo(1);
    }

    private EnvironmentState.Name state() {
        return store.environment(new EnvironmentName("a")).orElseThrow().state().name();
    }

    @Test
    void aResultIsReportedOnceHoweverSlowTheLedgerIs() {
        runTheStep();
        upkeep.renew();
        upkeep.renew();
        settle();
        assertThat(upkeep.size()).isZero();
        assertThat(state()).isEqualTo(EnvironmentState.Name.AVAILABLE);
        assertThat(log.list).extracting(ILoggingEvent::getFormattedMessage).isEmpty();
    }

    /** Of a pool that the configuration has no more: how it was is asked of the store. */
    @Test
    void aStepWhoseProviderTheStoreCannotTellIsTriedAgain() {
        away = true;
        upkeep.tick(POOL);
        settle();
        assertThat(runs).isZero();
        assertThat(upkeep.size()).as("its claim is not renewed for ever").isZero();
        assertThat(state()).isEqualTo(EnvironmentState.Name.CLEANING);
    }

    @Test
    void aResultThatTheLedgerCouldNotTakeIsReportedAgain() {
        upkeep.tick(POOL);
        // The claim is answered within the step that carries it out: the ledger is full again by the time of the
        // report.
        ledger.addListener((pool, decision) -> {
            for (int i = 0; runs == 0 && i < MOST_WAITING; i++) {
                var _ = ledger.submit(new PoolName("other"), new Command.Tick());
            }
        });
        ledger.step();
        assertThat(runs).isEqualTo(1);
        settle();
        assertThat(upkeep.size()).as("its report was refused").isEqualTo(1);
        upkeep.renew();
        settle();
        assertThat(upkeep.size()).isZero();
        assertThat(runs).isEqualTo(1);
        assertThat(state()).isEqualTo(EnvironmentState.Name.AVAILABLE);
    }
}
