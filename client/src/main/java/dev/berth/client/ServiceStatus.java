package dev.berth.client;

import org.jspecify.annotations.Nullable;

/**
 * What the service says about itself to anybody.
 *
 * @param apiLevel the newest level of the API that it knows
 * @param version its version, or null where not told
 * @param json the answer as it came
 */
public record ServiceStatus(int apiLevel, @Nullable String version, String json) {}
