package dev.berth.server.store;

import dev.berth.core.Sealed;
import dev.berth.server.store.Store.AccessKey;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Keeps access keys. */
final class AccessKeys {
    private static final String COLUMNS = "id, principal, secret, created_at, expires_at, last_used_at";

    private AccessKeys() {}

    private static AccessKey key(ResultSet row) throws SQLException {
        return new AccessKey(
                row.getString(1),
                row.getString(2),
                new Sealed(row.getString(3)),
                Instant.ofEpochMilli(row.getLong(4)),
                Rows.instant(row, 5),
                Rows.instant(row, 6));
    }

    static void add(Lane lane, AccessKey key) {
        lane.updateOne(
                "INSERT INTO access_key (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?)",
                key.id(),
                key.principal(),
                key.secret().text(),
                key.createdAt(),
                key.expiresAt(),
                key.lastUsedAt());
    }

    static Optional<AccessKey> byId(Lane lane, String id) {
        return lane.one(AccessKeys::key, "SELECT " + COLUMNS + " FROM access_key WHERE id = ?", id);
    }

    static List<AccessKey> all(Lane lane) {
        return lane.list(AccessKeys::key, "SELECT " + COLUMNS + " FROM access_key ORDER BY created_at");
    }

    /** Whether there was such a key. */
    static boolean remove(Lane lane, String id) {
        return lane.update("DELETE FROM access_key WHERE id = ?", id) == 1;
    }

    static void used(Lane lane, String id, Instant at) {
        lane.update("UPDATE access_key SET last_used_at = ? WHERE id = ?", at, id);
    }
}
