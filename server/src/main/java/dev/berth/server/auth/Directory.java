package dev.berth.server.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The principals there are: those of the configuration in force, and the built-in one. Immutable; a new one comes with a new configuration. */
public final class Directory {
    private final Map<String, Principal> byName = new HashMap<>();
    private final Map<String, Shown> byHash = new HashMap<>();
    private final List<Listed> callersOfAws = new ArrayList<>();

    private Directory(List<Listed> listed) {
        for (var one : listed) {
            byName.put(one.principal().name(), one.principal());
            if (one.aws() != null) {
                callersOfAws.add(one);
            }
            for (var hash : one.tokenHashes()) {
                byHash.put(hash, new Shown(hash, one.principal()));
            }
        }
        byName.put(Principal.ADMIN.name(), Principal.ADMIN);
    }

    /** Those that the configuration lists, and the built-in one. */
    public static Directory of(List<Listed> listed) {
        return new Directory(listed);
    }

    /** A token's hash, and whose it is. */
    private record Shown(String hash, Principal principal) {}

    /**
     * A principal of the configuration.
     *
     * @param tokenHashes {@link BearerToken#hash} of each of its tokens
     * @param aws which callers of AWS it is; null for none
     */
    public record Listed(
            Principal principal,
            List<String> tokenHashes,
            @Nullable AwsPattern aws) {
        public Listed {
            tokenHashes = List.copyOf(tokenHashes);
        }

        /** One that AWS knows nothing of. */
        public Listed(Principal principal, List<String> tokenHashes) {
            this(principal, tokenHashes, null);
        }

        /** One with a single token. */
        public Listed(Principal principal, String tokenHash) {
            this(principal, List.of(tokenHash));
        }
    }

    public Optional<Principal> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** Whether the configuration lists nobody. */
    boolean isBare() {
        return byName.size() == 1;
    }

    /** Whether any principal is one that AWS knows. */
    boolean knowsCallersOfAws() {
        return !callersOfAws.isEmpty();
    }

    /** The first that it may be, in the order in which they are listed. */
    Optional<Principal> byAwsCaller(AwsCaller caller) {
        for (var one : callersOfAws) {
            if (one.aws() != null && one.aws().matches(caller)) {
                return Optional.of(one.principal());
            }
        }
        return Optional.empty();
    }

    /** Whose configured token has this hash. */
    Optional<Principal> byTokenHash(String hash) {
        var shown = byHash.get(hash);
        return shown != null && same(hash, shown.hash())
                ? find(shown.principal().name())
                : Optional.empty();
    }

    /** In constant time. */
    static boolean same(String one, String other) {
        return MessageDigest.isEqual(
                one.getBytes(StandardCharsets.US_ASCII), other.getBytes(StandardCharsets.US_ASCII));
    }
}
