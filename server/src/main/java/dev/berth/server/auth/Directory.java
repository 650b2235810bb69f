package dev.berth.server.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The principals there are: those of the configuration in force, and the built-in one. Immutable; a new one comes with a new configuration. */
public final class Directory {
    private final Map<String, Principal> byName = new HashMap<>();
    private final Map<String, Listed> byHash = new HashMap<>();

    private Directory(List<Listed> listed) {
        for (var one : listed) {
            byName.put(one.principal().name(), one.principal());
            if (one.tokenHash() != null) {
                byHash.put(one.tokenHash(), one);
            }
        }
        byName.put(Principal.ADMIN.name(), Principal.ADMIN);
    }

    /** Those that the configuration lists, and the built-in one. */
    public static Directory of(List<Listed> listed) {
        return new Directory(listed);
    }

    /**
     * A principal of the configuration.
     *
     * @param tokenHash {@link BearerToken#hash} of its token; null when it has none
     */
    public record Listed(Principal principal, @Nullable String tokenHash) {}

    public Optional<Principal> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** Whether the configuration lists nobody. */
    boolean isBare() {
        return byName.size() == 1;
    }

    /** Whose configured token has this hash. */
    Optional<Principal> byTokenHash(String hash) {
        var listed = byHash.get(hash);
        return listed != null && listed.tokenHash() != null && same(hash, listed.tokenHash())
                ? find(listed.principal().name())
                : Optional.empty();
    }

    /** In constant time. */
    static boolean same(String one, String other) {
        return MessageDigest.isEqual(
                one.getBytes(StandardCharsets.US_ASCII), other.getBytes(StandardCharsets.US_ASCII));
    }
}
