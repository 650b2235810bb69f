package dev.berth.server.auth;

import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import dev.berth.server.store.Store.Token;
import dev.berth.server.store.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says who sent a request. */
public final class Authenticator {
    private static final Logger LOG = LoggerFactory.getLogger(Authenticator.class);
    private static final int MOST_CACHED = 10_000;
    /** A token that another process revoked works for so long at most. */
    private static final Duration CACHED_FOR = Duration.ofSeconds(5);

    private static final Duration NOTED_EVERY = Duration.ofMinutes(1);

    private final Store store;
    private final Supplier<Directory> directory;
    private final TimeSource time;
    private final Map<String, Known> known = new ConcurrentHashMap<>();
    private final AtomicLong revocations = new AtomicLong();

    /**
     * @param directory the principals of now, asked for every request
     */
    public Authenticator(Store store, Supplier<Directory> directory, TimeSource time) {
        this.store = store;
        this.directory = directory;
        this.time = time;
    }

    /**
     * Who sent this header; empty where nobody did whom we know.
     *
     * @param authorization null where the request has none
     * @throws dev.berth.server.ledger.LedgerException where the store cannot say
     */
    public Optional<Principal> authenticate(@Nullable String authorization) {
        var secret = BearerToken.of(authorization);
        if (secret == null) {
            return Optional.empty();
        }
        var hash = BearerToken.hash(secret);
        var now = directory.get();
        var configured = now.byTokenHash(hash);
        if (configured.isPresent() || !BearerToken.isOurs(secret)) {
            return configured;
        }
        return token(hash).flatMap(token -> now.find(token.principal()));
    }

    /**
     * The public id of the token in this header; empty where it has none that was created here.
     *
     * @param authorization of a caller who was let in; null where the request has none
     */
    public Optional<String> tokenId(@Nullable String authorization) {
        var secret = BearerToken.of(authorization);
        return secret == null || !BearerToken.isOurs(secret)
                ? Optional.empty()
                : token(BearerToken.hash(secret)).map(Token::id);
    }

    private Optional<Token> token(String hash) {
        var now = time.now();
        var cached = known.get(hash);
        if (cached == null || cached.readAt.plus(CACHED_FOR).isBefore(now)) {
            cached = read(hash, now, cached);
        }
        if (cached == null || (cached.token.expiresAt() != null && !now.isBefore(cached.token.expiresAt()))) {
            return Optional.empty();
        }
        noteUse(cached, now);
        return Optional.of(cached.token);
    }

    private @Nullable Known read(String hash, Instant now, @Nullable Known before) {
        long revocationsBefore = revocations.get();
        var found = Reads.of(() -> store.tokenByHash(hash)).filter(token -> Directory.same(hash, token.hash()));
        if (found.isEmpty()) {
            known.remove(hash);
            return null;
        }
        var fresh = new Known(found.get(), now, before == null ? new AtomicReference<>() : before.notedAt);
        if (known.size() >= MOST_CACHED) {
            known.clear();
        }
        known.put(hash, fresh);
        if (revocations.get() != revocationsBefore) {
            known.remove(hash); // it may have been revoked after it was read
        }
        return fresh;
    }

    private void noteUse(Known used, Instant now) {
        var last = used.notedAt.get();
        var before = last == null ? used.token.lastUsedAt() : last;
        boolean isDue = before == null || !now.isBefore(before.plus(NOTED_EVERY));
        if (!isDue || !used.notedAt.compareAndSet(last, now)) {
            return;
        }
        try {
            store.tokenUsed(used.token.id(), now);
        } catch (StoreException e) {
            LOG.debug("the use of a token was not noted: {}", e.toString());
        }
    }

    /** A token was revoked: none is trusted without asking the store. */
    void forget() {
        revocations.incrementAndGet();
        known.clear();
    }

    private record Known(Token token, Instant readAt, AtomicReference<@Nullable Instant> notedAt) {}
}
