package dev.berth.server.store;

import dev.berth.core.Sealed;
import dev.berth.server.store.Store.AccessKey;
import dev.berth.server.store.Store.Issued;
import dev.berth.server.store.Store.Token;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Keeps what was issued to principals, to call with: a table for each kind of it. */
final class IssuedTable<T extends Issued> {
    /** Found by their hashes. */
    static final IssuedTable<Token> TOKENS = new IssuedTable<>("token", "hash", "hash", Token::new, Token::hash);
    /** Found by their ids. */
    static final IssuedTable<AccessKey> ACCESS_KEYS = new IssuedTable<>(
            "access_key",
            "secret",
            "id",
            (id, principal, secret, createdAt, expiresAt, lastUsedAt) ->
                    new AccessKey(id, principal, new Sealed(secret), createdAt, expiresAt, lastUsedAt),
            key -> key.secret().text());

    private final String insert;
    private final String find;
    private final String list;
    private final String remove;
    private final String use;
    private final Maker<T> maker;
    private final Function<T, String> secret;

    /** Makes one of a row. */
    @FunctionalInterface
    private interface Maker<T> {
        T of(
                String id,
                String principal,
                String secret,
                Instant createdAt,
                @Nullable Instant expiresAt,
                @Nullable Instant lastUsedAt);
    }

    /**
     * @param secretColumn what is kept of the secret
     * @param shownColumn what callers show
     */
    private IssuedTable(
            String table, String secretColumn, String shownColumn, Maker<T> maker, Function<T, String> secret) {
        var columns = "id, principal, " + secretColumn + ", created_at, expires_at, last_used_at";
        this.insert = "INSERT INTO " + table + " (" + columns + ") VALUES (?, ?, ?, ?, ?, ?)";
        this.find = "SELECT " + columns + " FROM " + table + " WHERE " + shownColumn + " = ?";
        this.list = "SELECT " + columns + " FROM " + table + " ORDER BY created_at";
        this.remove = "DELETE FROM " + table + " WHERE id = ?";
        this.use = "UPDATE " + table + " SET last_used_at = ? WHERE id = ?";
        this.maker = maker;
        this.secret = secret;
    }

    private T from(ResultSet row) throws SQLException {
        return maker.of(
                row.getString(1),
                row.getString(2),
                row.getString(3),
                Instant.ofEpochMilli(row.getLong(4)),
                Rows.instant(row, 5),
                Rows.instant(row, 6));
    }

    void add(Lane lane, T issued) {
        lane.updateOne(
                insert,
                issued.id(),
                issued.principal(),
                secret.apply(issued),
                issued.createdAt(),
                issued.expiresAt(),
                issued.lastUsedAt());
    }

    Optional<T> find(Lane lane, String shown) {
        return lane.one(this::from, find, shown);
    }

    /** The oldest first. */
    List<T> all(Lane lane) {
        return lane.list(this::from, list);
    }

    /** Whether there was such a one. */
    boolean remove(Lane lane, String id) {
        return lane.update(remove, id) == 1;
    }

    void used(Lane lane, String id, Instant at) {
        lane.update(use, at, id);
    }
}
