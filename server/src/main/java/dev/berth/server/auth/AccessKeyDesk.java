package dev.berth.server.auth;

import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import dev.berth.server.store.Store.AccessKey;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Makes, lists and revokes the access keys that sign requests. Whoever calls has made sure that an admin asks. */
public final class AccessKeyDesk {
    /** Of capital letters and digits, as AWS's are: tools check that. Not AWS's own prefixes, so that nobody takes them for one. */
    private static final String PREFIX = "BERTH";

    private static final String DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private static final int ID_DIGITS = 15;
    /** As many as AWS's have: 238 bits. */
    private static final int SECRET_DIGITS = 40;

    private final Store store;
    private final AccessVault vault;
    private final Supplier<Directory> directory;
    private final TimeSource time;
    private final RandomGenerator random;
    private final IssuedCache<AccessKey> keys;

    /**
     * @param directory the principals of now
     * @param random a {@link java.security.SecureRandom} in production
     */
    public AccessKeyDesk(
            Store store, AccessVault vault, Supplier<Directory> directory, TimeSource time, RandomGenerator random) {
        this.store = store;
        this.vault = vault;
        this.directory = directory;
        this.time = time;
        this.random = random;
        this.keys = new IssuedCache<>(store::accessKey, store::accessKeyUsed, time);
    }

    /** A new access key; its secret is told this once. */
    public record Created(TokenDesk.Known key, String secret) {
        @Override
        public String toString() {
            return "Created[" + key + "]";
        }
    }

    /**
     * Makes an access key; empty where there is no such principal.
     *
     * @param expires after how long it stops working; null for never
     */
    public Optional<Created> create(String principal, @Nullable Duration expires) {
        if (directory.get().find(principal).isEmpty()) {
            return Optional.empty();
        }
        var id = PREFIX + BearerToken.text(random, DIGITS, ID_DIGITS);
        var secret = BearerToken.text(random, SECRET_DIGITS);
        var now = time.now();
        var key = new AccessKey(
                id, principal, vault.sealKey(id, secret), now, expires == null ? null : now.plus(expires), null);
        return Optional.of(Reads.of(() -> {
            store.addAccessKey(key);
            return new Created(TokenDesk.Known.of(key), secret);
        }));
    }

    /** Without their secrets, the oldest first. */
    public List<TokenDesk.Known> list() {
        return Reads.of(store::accessKeys).stream().map(TokenDesk.Known::of).toList();
    }

    /** Ends an access key at once. Returns whether there was one. */
    public boolean revoke(String id) {
        boolean removed = Reads.of(() -> store.removeAccessKey(id));
        keys.forget();
        return removed;
    }

    /** Whether {@link #create} could have made it, so that anything else need not be looked for in the store. */
    public static boolean isOurs(String id) {
        return id.length() == PREFIX.length() + ID_DIGITS && id.startsWith(PREFIX);
    }

    /** Null where there is none, or it has expired. */
    IssuedCache.@Nullable Known<AccessKey> find(String id) {
        return isOurs(id) ? keys.find(id) : null;
    }

    /** Whose it is; empty where that principal is there no more. */
    Optional<Principal> principal(AccessKey key) {
        return directory.get().find(key.principal());
    }

    /** Only to check a signature with; null where it can be read no more. */
    @Nullable
    String secret(AccessKey key) {
        return vault.openKey(key.id(), key.secret());
    }

    /** Somebody signed a request with it. */
    void used(IssuedCache.Known<AccessKey> key) {
        keys.used(key);
    }
}
