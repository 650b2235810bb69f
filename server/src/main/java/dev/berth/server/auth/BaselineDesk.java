package dev.berth.server.auth;

import dev.berth.core.Answer;
import dev.berth.core.Command;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Event;
import dev.berth.core.Refusal;
import dev.berth.providers.Inventory;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * What belongs to environments, for operators. Every method throws {@link dev.berth.server.ledger.LedgerException}.
 */
public final class BaselineDesk {
    private static final TypeReference<Map<String, List<String>>> CONTENT = new TypeReference<>() {};

    private final Ledger ledger;
    private final Store store;
    private final TimeSource time;
    private final JsonMapper json = JsonMapper.builder().build();

    public BaselineDesk(Ledger ledger, Store store, TimeSource time) {
        this.ledger = ledger;
        this.store = store;
        this.time = time;
    }

    /**
     * A baseline.
     *
     * @param by a principal's name, or {@code verification}
     */
    public record Baseline(int version, Instant at, String by, Inventory inventory) {
        /** What belongs there: lines by type. */
        public Map<String, ? extends Collection<String>> things() {
            return inventory.things();
        }
    }

    /** What the last verification found, where it did not agree. */
    public record Finding(Instant at, Inventory inventory) {
        /** What was found beyond a baseline: lines by type. */
        public Map<String, ? extends Collection<String>> beyond(@Nullable Baseline baseline) {
            return baseline == null
                    ? inventory.things()
                    : inventory.without(baseline.inventory()).things();
        }

        /** What of a baseline was not found: lines by type. */
        public Map<String, ? extends Collection<String>> missing(@Nullable Baseline baseline) {
            return baseline == null
                    ? Map.of()
                    : baseline.inventory().without(inventory).things();
        }
    }

    /** The baseline of this version; empty where there is none. */
    public Optional<Baseline> find(Environment environment, @Nullable Integer version) {
        return Reads.of(() -> store.baseline(environment.record().identity(), version))
                .map(this::baseline);
    }

    private Baseline baseline(Store.Baseline kept) {
        return new Baseline(kept.version(), kept.at(), kept.by(), inventory(kept.content()));
    }

    private Inventory inventory(String content) {
        return Inventory.of(json.readValue(content, CONTENT));
    }

    /** What may be accepted as the next one; empty where nothing may. */
    public Optional<Finding> finding(Environment environment) {
        return Reads.of(() -> store.finding(environment.record().identity()))
                .map(found -> new Finding(found.at(), inventory(found.content())));
    }

    /** How accepting ended. */
    public sealed interface Acceptance {
        /** What was found is the baseline now, and it is being verified. */
        record Accepted(Baseline baseline) implements Acceptance {}

        /** No verification found anything that would be another baseline. */
        record Nothing() implements Acceptance {}

        /** Not now. */
        record Refused(Answer.Refused why) implements Acceptance {}
    }

    /** Makes what the last verification found the next baseline, and has the environment verified. */
    public Acceptance accept(Principal operator, Environment environment) {
        if (environment.state() instanceof EnvironmentState.Allocated) {
            return new Acceptance.Refused(new Answer.Refused(
                    Refusal.ENVIRONMENT_ALLOCATED,
                    "Environment %s is held: end its allocation first".formatted(environment.name()),
                    null));
        }
        var accepted =
                Reads.of(() -> store.acceptFinding(environment.record().identity(), operator.name(), time.now()));
        if (accepted.isEmpty()) {
            return new Acceptance.Nothing();
        }
        var baseline = baseline(accepted.get());
        var pool = Reads.of(() -> ledger.poolOf(environment.pool()));
        if (pool.isPresent()) {
            var _ = ledger.submit(
                    pool.get(),
                    new Command.Note(
                            Event.Type.BASELINE_KEPT,
                            environment.name(),
                            operator.name(),
                            Map.of(
                                    "version", String.valueOf(baseline.version()),
                                    "things",
                                            String.valueOf(baseline.inventory().size()))));
            ledger.call(
                    pool.get(),
                    new Command.Act(
                            environment.name(), Command.Action.VERIFY, null, operator.name(), operator.address()));
        }
        return new Acceptance.Accepted(baseline);
    }
}
