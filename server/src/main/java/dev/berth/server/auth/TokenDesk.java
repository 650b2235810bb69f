package dev.berth.server.auth;

import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import dev.berth.server.store.Store.Token;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Makes, lists and revokes bearer tokens. Whoever calls has made sure that an admin asks. */
public final class TokenDesk {
    private static final int ID_DIGITS = 16;
    /** What the ids of those begin with that somebody got for a login; no other has such a sign. */
    private static final String OF_LOGIN = "login-";

    private static final int MOST_OF_LOGINS = 1_000;

    private final Store store;
    private final Supplier<Directory> directory;
    private final Authenticator authenticator;
    private final TimeSource time;
    private final RandomGenerator random;

    /**
     * @param random a {@link java.security.SecureRandom} in production
     */
    public TokenDesk(
            Store store,
            Supplier<Directory> directory,
            Authenticator authenticator,
            TimeSource time,
            RandomGenerator random) {
        this.store = store;
        this.directory = directory;
        this.authenticator = authenticator;
        this.time = time;
        this.random = random;
    }

    /**
     * A token or an access key as it is told about.
     *
     * @param expiresAt null for never
     * @param lastUsedAt to about a minute; null for never
     */
    public record Known(
            String id,
            String principal,
            Instant createdAt,
            @Nullable Instant expiresAt,
            @Nullable Instant lastUsedAt) {
        static Known of(Store.Issued issued) {
            return new Known(
                    issued.id(), issued.principal(), issued.createdAt(), issued.expiresAt(), issued.lastUsedAt());
        }
    }

    /** A new token; its secret is told this once. */
    public record Created(Known token, String secret) {
        @Override
        public String toString() {
            return "Created[" + token + "]";
        }
    }

    /**
     * Makes a token; empty where there is no such principal.
     *
     * @param expires after how long it stops working; null for never
     */
    public Optional<Created> create(String principal, @Nullable Duration expires) {
        if (directory.get().find(principal).isEmpty()) {
            return Optional.empty();
        }
        var secret = BearerToken.create(random);
        return Optional.of(new Created(Known.of(add("", principal, secret, expires)), secret));
    }

    /**
     * Makes a token for somebody who logged in otherwise; empty where so many of that principal are good that it has to wait. What was
     * made for a login goes when it is over: nobody revokes these.
     *
     * @param life how long it works
     */
    public synchronized Optional<Created> createOfLogin(Principal principal, Duration life) {
        var now = time.now();
        int good = 0;
        for (var token : Reads.of(store::tokens)) {
            var end = token.expiresAt();
            if (!token.id().startsWith(OF_LOGIN)) {
                continue;
            }
            if (end != null && !now.isBefore(end)) {
                Reads.of(() -> store.removeToken(token.id()));
            } else if (token.principal().equals(principal.name())) {
                good++;
            }
        }
        if (good >= MOST_OF_LOGINS) {
            return Optional.empty();
        }
        var secret = BearerToken.create(random);
        return Optional.of(new Created(Known.of(add(OF_LOGIN, principal.name(), secret, life)), secret));
    }

    public List<Known> list() {
        return Reads.of(store::tokens).stream().map(Known::of).toList();
    }

    /** Ends a token at once. Returns whether there was one. */
    public boolean revoke(String id) {
        boolean removed = Reads.of(() -> store.removeToken(id));
        authenticator.forget();
        return removed;
    }

    /**
     * Lets somebody in at the first start: where no principal is configured and no token exists, makes one for the built-in admin and
     * writes it to the file, readable by its owner alone. Returns whether it did.
     *
     * @throws IOException where the file cannot be written: no token was made then
     */
    public boolean welcome(Path file) throws IOException {
        if (!directory.get().isBare() || !Reads.of(store::tokens).isEmpty()) {
            return false;
        }
        var secret = BearerToken.create(random);
        // The file comes first: a crash in between leaves a file that the next start replaces, not a token that nobody
        // knows.
        PrivateFile.write(file, (secret + "\n").getBytes(StandardCharsets.US_ASCII));
        add("", Principal.ADMIN.name(), secret, null);
        return true;
    }

    private Token add(String kind, String principal, String secret, @Nullable Duration expires) {
        var now = time.now();
        var token = new Token(
                kind + BearerToken.text(random, ID_DIGITS),
                principal,
                BearerToken.hash(secret),
                now,
                expires == null ? null : now.plus(expires),
                null);
        return Reads.of(() -> {
            store.addToken(token);
            return token;
        });
    }
}
