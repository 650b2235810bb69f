package dev.berth.server.config;

import java.util.Map;

/**
 * The secrets of one environment, resolved.
 *
 * @param own those of the record, by name
 * @param profiles those of its access profiles that speak of secrets, by the profile's name and their own
 */
record EnvironmentSecrets(Map<String, Secret> own, Map<String, Map<String, Secret>> profiles) {
    static final EnvironmentSecrets NONE = new EnvironmentSecrets(Map.of(), Map.of());

    EnvironmentSecrets {
        own = Map.copyOf(own);
        profiles = Map.copyOf(profiles);
    }

    /** Whether there are none, whatever the profile. */
    boolean isEmpty() {
        return own.isEmpty() && profiles.values().stream().allMatch(Map::isEmpty);
    }
}
