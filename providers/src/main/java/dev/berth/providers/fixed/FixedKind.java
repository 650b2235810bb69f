package dev.berth.providers.fixed;

import dev.berth.core.Step;
import dev.berth.providers.Kind;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.Task;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Things that clean themselves: connection details and secret references come from the configuration, and there is no step to run.
 * Such a secret cannot be taken back, which is why the configuration wants {@code revocable: false} on a pool that has one.
 */
public final class FixedKind implements Kind {

    @Override
    public String name() {
        return "fixed";
    }

    @Override
    public Provider create(String pool, Map<String, Object> settings, Map<String, Record> environments)
            throws InvalidSettings {
        List<Mistake> mistakes = settings.keySet().stream()
                .sorted()
                .map(key -> new Mistake(key, "is not known: provider fixed has no settings of its own"))
                .toList();
        if (!mistakes.isEmpty()) {
            throw new InvalidSettings(mistakes);
        }
        Map<String, Map<String, String>> secrets = new HashMap<>();
        environments.forEach((name, record) -> secrets.put(name, record.secrets()));
        return new Fixed(Map.copyOf(secrets));
    }

    private static final class Fixed implements Provider {
        private final Map<String, Map<String, String>> secrets;

        Fixed(Map<String, Map<String, String>> secrets) {
            this.secrets = secrets;
        }

        @Override
        public Set<Step> steps() {
            return Set.of();
        }

        @Override
        public StepResult run(Step step, Task task) {
            throw new IllegalArgumentException("provider fixed has no step " + step);
        }

        @Override
        public @Nullable Map<String, Object> standingCredentials(String environment) {
            Map<String, String> own = secrets.getOrDefault(environment, Map.of());
            return own.isEmpty() ? null : Map.copyOf(own);
        }

        /** It starts nothing, so there is nothing of any claim anywhere. */
        @Override
        public boolean fence(String claim) {
            return true;
        }
    }
}
