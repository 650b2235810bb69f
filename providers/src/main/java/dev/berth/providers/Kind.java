package dev.berth.providers;

import java.util.List;
import java.util.Map;

/** A kind of environment: makes the {@link Provider} of a pool out of what the configuration says of it. */
public interface Kind {

    /** The name that a pool's {@code provider} says. */
    String name();

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
     * @param facts its public facts as JSON values
     * @param secrets its resolved secrets by name; never stored, printed or logged
     */
    record Record(Map<String, Object> facts, Map<String, String> secrets) {
        public Record {
            facts = Map.copyOf(facts);
            secrets = Map.copyOf(secrets);
        }

        @Override
        public String toString() {
            return "Record[" + facts + "]";
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
