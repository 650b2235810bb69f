package dev.berth.core;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a record says of an environment.
 *
 * @param identity the physical thing it is (for AWS account and region): unique in the store
 * @param account the provider account it is in, where upkeep is limited by account; null for none
 * @param shape what it can be selected by
 * @param facts everything that its holder may be told and its provider needs, a JSON object; no secrets. Opaque to the rules
 * @param digest of all of the above, to see a change by
 */
public record Registration(
        EnvironmentName name, String identity, @Nullable String account, Shape shape, String facts, String digest) {
    public Registration {
        Objects.requireNonNull(name);
        Objects.requireNonNull(identity);
        Objects.requireNonNull(shape);
        Objects.requireNonNull(facts);
        Objects.requireNonNull(digest);
    }
}
