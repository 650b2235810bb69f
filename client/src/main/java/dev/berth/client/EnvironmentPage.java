package dev.berth.client;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of the list of environments.
 *
 * @param environments the environments
 * @param next the cursor of the next part, or null at the end
 * @param json the answer as it came
 */
public record EnvironmentPage(
        List<Environment> environments, @Nullable String next, String json) {

    /** Takes a copy of the list. */
    public EnvironmentPage {
        environments = List.copyOf(environments);
    }
}
