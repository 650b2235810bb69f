package dev.berth.providers.fixed;

import dev.berth.core.Step;
import dev.berth.providers.Kind;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.Task;
import java.util.ArrayList;
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
        List<Mistake> mistakes = new ArrayList<>();
        settings.keySet().stream()
                .sorted()
                .map(key -> new Mistake(key, "is not known: provider fixed has no settings of its own"))
                .forEach(mistakes::add);
        Map<String, Secrets> secrets = new HashMap<>();
        environments.forEach((name, record) -> {
            check(name, record.facts().get("access"), mistakes);
            if (!record.secrets().isEmpty()) {
                secrets.put(name, record.secrets());
            }
        });
        if (!mistakes.isEmpty()) {
            throw new InvalidSettings(mistakes);
        }
        return new Fixed(Map.copyOf(secrets));
    }

    private static void check(String environment, @Nullable Object profiles, List<Mistake> mistakes) {
        if (!(profiles instanceof Map<?, ?> byName)) {
            return;
        }
        byName.forEach((profile, content) -> {
            if (content instanceof Map<?, ?> fields) {
                fields.keySet().stream()
                        .map(String::valueOf)
                        .filter(key -> !key.equals("connection"))
                        .sorted()
                        .map(key -> new Mistake(
                                "environments.%s.access.%s.%s".formatted(environment, profile, key),
                                "is not known; a profile of provider fixed has connection, secrets"))
                        .forEach(mistakes::add);
            }
        });
    }

    private static final class Fixed implements Provider {
        private final Map<String, Secrets> secrets;

        Fixed(Map<String, Secrets> secrets) {
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
        public @Nullable Map<String, Object> standingCredentials(String environment, @Nullable String profile) {
            Map<String, String> given =
                    secrets.getOrDefault(environment, Secrets.NONE).of(profile);
            return given.isEmpty() ? null : Map.copyOf(given);
        }

        /** It starts nothing, so there is nothing of any claim anywhere. */
        @Override
        public boolean fence(String claim) {
            return true;
        }
    }
}
