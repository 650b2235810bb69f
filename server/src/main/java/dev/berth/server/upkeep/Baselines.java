package dev.berth.server.upkeep;

import dev.berth.core.Command;
import dev.berth.core.Environment;
import dev.berth.core.Event;
import dev.berth.core.PoolName;
import dev.berth.providers.Inventory;
import dev.berth.providers.StepResult;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import dev.berth.server.store.StoreException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/**
 * What belongs to environments, as their providers list it: what is there when one is verified that was never lent becomes its baseline;
 * after that a person alone accepts anything. Every method throws {@link StoreException}.
 */
public final class Baselines {
    /** Who keeps the first one. */
    private static final String VERIFICATION = "verification";

    private static final int LARGEST = 4 << 20;
    private static final TypeReference<Map<String, List<String>>> CONTENT = new TypeReference<>() {};

    private final Store store;
    private final Ledger ledger;
    private final TimeSource time;
    private final ObjectMapper json = JsonMapper.builder().build();

    public Baselines(Store store, Ledger ledger, TimeSource time) {
        this.store = store;
        this.ledger = ledger;
        this.time = time;
    }

    /** Null where there is none yet. */
    @Nullable
    Inventory of(Environment environment) {
        return store.baseline(environment.record().identity(), null)
                .map(kept -> Inventory.of(json.readValue(kept.content(), CONTENT)))
                .orElse(null);
    }

    /** Whether what is in a new environment of the pool is left as it is. */
    boolean adopts(PoolName pool) {
        return store.pool(pool).map(one -> one.policy().adopt()).orElse(true);
    }

    /** Whether nobody has access to another environment of the same account; false where that is not known. */
    boolean isAccountIdle(Environment environment) {
        var account = environment.record().account();
        try {
            return account != null
                    && store.isAccountIdle(account, environment.record().identity());
        } catch (StoreException e) {
            return false;
        }
    }

    /**
     * Keeps what a verification found, before its result counts: the first baseline, or what a person may accept as the next.
     *
     * @param baseline that it compared with; null where there was none
     * @param claimHeld whether the worker may still change anything
     * @return what the verification comes to: without a baseline, agreement is one only for what was never lent
     */
    StepResult kept(
            PoolName pool,
            Environment environment,
            @Nullable Inventory baseline,
            StepResult result,
            BooleanSupplier claimHeld) {
        return switch (result) {
            case StepResult.Done done -> agreed(pool, environment, baseline, done, claimHeld);
            case StepResult.Failed failed -> {
                if (failed.found() != null) {
                    keepFinding(environment, failed.found(), claimHeld);
                }
                yield failed;
            }
            case StepResult.Unavailable unavailable -> unavailable;
        };
    }

    private StepResult agreed(
            PoolName pool,
            Environment environment,
            @Nullable Inventory baseline,
            StepResult.Done done,
            BooleanSupplier claimHeld) {
        var found = done.found();
        if (found == null) {
            throw new IllegalStateException(
                    "a verification that compares with a baseline told nothing of what it found");
        }
        if (baseline == null && environment.epoch() > 0) {
            keepFinding(environment, found, claimHeld);
            return new StepResult.Failed(
                    "it was lent before anybody knew what belongs to it: look at what is there now, and accept it where it is right",
                    done.report(),
                    found);
        }
        if (baseline == null) {
            var content = json.writeValueAsString(found.things());
            if (isTooLarge(content)) {
                return new StepResult.Failed(
                        "there is too much in it: %d things, more than the 4 MiB that a baseline may have"
                                .formatted(found.size()),
                        done.report());
            }
            if (claimHeld.getAsBoolean()) {
                keepFirst(pool, environment, content, found.size());
            }
        } else if (!found.equals(baseline)) {
            keepNext(pool, environment, found, claimHeld);
        }
        if (claimHeld.getAsBoolean()) {
            store.dropFinding(environment.record().identity());
        }
        return done;
    }

    private void keepFirst(PoolName pool, Environment environment, String content, int things) {
        var first = new Store.Baseline(
                environment.record().identity(), 1, environment.name(), time.now(), VERIFICATION, content);
        if (store.addFirstBaseline(first)) {
            tell(pool, environment, 1, things);
        }
    }

    /** What the kind lists only since the baseline was kept. */
    private void keepNext(PoolName pool, Environment environment, Inventory found, BooleanSupplier claimHeld) {
        keepFinding(environment, found, claimHeld);
        if (claimHeld.getAsBoolean()) {
            store.acceptFinding(environment.record().identity(), VERIFICATION, time.now())
                    .ifPresent(kept -> tell(pool, environment, kept.version(), found.size()));
        }
    }

    private void tell(PoolName pool, Environment environment, int version, int things) {
        var _ = ledger.submit(
                pool,
                new Command.Note(
                        Event.Type.BASELINE_KEPT,
                        environment.name(),
                        null,
                        Map.of("version", String.valueOf(version), "things", String.valueOf(things))));
    }

    private void keepFinding(Environment environment, Inventory found, BooleanSupplier claimHeld) {
        var content = json.writeValueAsString(found.things());
        if (!claimHeld.getAsBoolean()) {
            return;
        }
        if (isTooLarge(content)) {
            store.dropFinding(environment.record().identity()); // an older one is not what is there now
        } else {
            store.keepFinding(
                    new Store.Finding(environment.record().identity(), environment.name(), time.now(), content));
        }
    }

    private static boolean isTooLarge(String content) {
        return content.length() > LARGEST || content.getBytes(StandardCharsets.UTF_8).length > LARGEST;
    }
}
