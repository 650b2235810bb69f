package dev.berth.providers;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A kind of environment: makes the {@link Provider} of a pool out of what the configuration says of it. */
public interface Kind {

    /** The name that a pool's {@code provider} says. */
    String name();

    /**
     * Whether what is in an environment when it is registered belongs to it, where its pool does not say: it becomes the baseline, which
     * is never deleted. Otherwise a new environment is cleaned first.
     */
    default boolean adopts() {
        return false;
    }

    /**
     * Makes the provider of one pool.
     *
     * @param pool the pool's name
     * @param settings the pool's own settings of this kind, as JSON values (of kind {@code command} the value of the key {@code
     *     command} in the pool); empty when there are none
     * @param environments what each environment's record says, by name
     * @throws InvalidSettings naming every mistake at once, by field
     */
    Provider create(String pool, Map<String, Object> settings, Map<String, Record> environments) throws InvalidSettings;

    /**
     * What a kind is told of one environment's record.
     *
     * @param facts its public facts as JSON values; {@code access} among them has its access profiles by name
     * @param secrets its resolved secrets
     */
    record Record(Map<String, Object> facts, Secrets secrets) {
        public Record {
            facts = Map.copyOf(facts);
        }

        @Override
        public String toString() {
            return "Record[" + facts + "]";
        }
    }

    /**
     * The resolved secrets of one environment; never stored, printed or logged.
     *
     * @param own those of the record, by name
     * @param profiles for each access profile, those that its holder is given in their place: the record's again where the profile
     *     does not speak of secrets
     */
    record Secrets(Map<String, String> own, Map<String, Map<String, String>> profiles) {
        public static final Secrets NONE = new Secrets(Map.of(), Map.of());

        public Secrets {
            own = Map.copyOf(own);
            profiles = Map.copyOf(profiles);
        }

        /** Whether there are none, whatever the profile. */
        public boolean isEmpty() {
            return own.isEmpty() && profiles.values().stream().allMatch(Map::isEmpty);
        }

        /**
         * Those that a holder is given.
         *
         * @param profile null for the default one; one that is not there has none
         */
        public Map<String, String> of(@Nullable String profile) {
            return profile == null ? own : profiles.getOrDefault(profile, Map.of());
        }

        @Override
        public String toString() {
            return "Secrets[…]";
        }
    }

    /**
     * One mistake.
     *
     * @param field path of the key inside the settings ({@code clean.run}), or {@code environments.NAME.secrets} and the like
     * @param message what is wrong and what would be right
     */
    record Mistake(String field, String message) {}

    /** The settings are not usable: all mistakes at once. */
    final class InvalidSettings extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient List<Mistake> mistakes;

        public InvalidSettings(List<Mistake> mistakes) {
            super(mistakes.toString());
            this.mistakes = List.copyOf(mistakes);
        }

        public List<Mistake> mistakes() {
            return mistakes;
        }
    }
}
