package dev.berth.client;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a configuration changes, or has changed, against the one in force.
 *
 * @param digest the digest of the configuration, or null where not told
 * @param pools the pools whose policy changes
 * @param register environments that appear
 * @param deregister environments that drain and go
 * @param change environments whose record changes
 * @param json the answer as it came
 */
public record ConfigurationChange(
        @Nullable String digest,
        List<String> pools,
        List<String> register,
        List<String> deregister,
        List<String> change,
        String json) {

    /** Takes copies of the lists. */
    public ConfigurationChange {
        pools = List.copyOf(pools);
        register = List.copyOf(register);
        deregister = List.copyOf(deregister);
        change = List.copyOf(change);
    }
}
