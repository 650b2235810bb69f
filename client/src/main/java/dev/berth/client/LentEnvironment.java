package dev.berth.client;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One environment of an allocation, with the access to it.
 *
 * @param name its unique name
 * @param pool its pool
 * @param account its account, or null where its kind has none
 * @param region its region, or null where its kind has none
 * @param epoch the number of its grant
 * @param capabilities what is said about it
 * @param credentials secrets to get in with; empty where there are none or they are not shown
 * @param connection how to reach it; empty where that needs no telling
 * @param env variables that its provider names for a wrapped command
 */
public record LentEnvironment(
        String name,
        @Nullable String pool,
        @Nullable String account,
        @Nullable String region,
        long epoch,
        Map<String, Object> capabilities,
        Map<String, Object> credentials,
        Map<String, Object> connection,
        Map<String, String> env) {

    /** Tells which environment it is; never its access. */
    @Override
    public String toString() {
        return "LentEnvironment[" + name + ", epoch " + epoch + "]";
    }
}
