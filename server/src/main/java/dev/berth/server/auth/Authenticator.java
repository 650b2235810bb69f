package dev.berth.server.auth;

import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import dev.berth.server.store.Store.Token;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Says who sent a request with a bearer token. */
public final class Authenticator {
    private final Supplier<Directory> directory;
    private final IssuedCache<Token> tokens;

    /**
     * @param directory the principals of now, asked for every request
     */
    public Authenticator(Store store, Supplier<Directory> directory, TimeSource time) {
        this.directory = directory;
        this.tokens = new IssuedCache<>(
                hash -> store.tokenByHash(hash).filter(token -> Directory.same(hash, token.hash())),
                store::tokenUsed,
                time);
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
        var token = tokens.find(hash);
        if (token == null) {
            return Optional.empty();
        }
        tokens.used(token);
        return now.find(token.issued().principal());
    }

    /**
     * The public id of the token in this header; empty where it has none that was created here.
     *
     * @param authorization of a caller who was let in; null where the request has none
     */
    public Optional<String> tokenId(@Nullable String authorization) {
        var secret = BearerToken.of(authorization);
        var token = secret == null || !BearerToken.isOurs(secret) ? null : tokens.find(BearerToken.hash(secret));
        return token == null ? Optional.empty() : Optional.of(token.issued().id());
    }

    /** A token was revoked: none is trusted without asking the store. */
    void forget() {
        tokens.forget();
    }
}
