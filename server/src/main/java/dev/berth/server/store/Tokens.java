package dev.berth.server.store;

import dev.berth.server.store.Store.Token;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Keeps tokens. */
final class Tokens {
    private static final String COLUMNS = "id, principal, hash, created_at, expires_at, last_used_at";

    private Tokens() {}

    private static Token token(ResultSet row) throws SQLException {
        return new Token(
                row.getString(1),
                row.getString(2),
                row.getString(3),
                Instant.ofEpochMilli(row.getLong(4)),
                Rows.instant(row, 5),
                Rows.instant(row, 6));
    }

    static void add(Lane lane, Token token) {
        lane.updateOne(
                "INSERT INTO token (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?)",
                token.id(),
                token.principal(),
                token.hash(),
                token.createdAt(),
                token.expiresAt(),
                token.lastUsedAt());
    }

    static Optional<Token> byHash(Lane lane, String hash) {
        return lane.one(Tokens::token, "SELECT " + COLUMNS + " FROM token WHERE hash = ?", hash);
    }

    static List<Token> all(Lane lane) {
        return lane.list(Tokens::token, "SELECT " + COLUMNS + " FROM token ORDER BY created_at");
    }

    /** Whether there was such a token. */
    static boolean remove(Lane lane, String id) {
        return lane.update("DELETE FROM token WHERE id = ?", id) == 1;
    }

    static void used(Lane lane, String id, Instant at) {
        lane.update("UPDATE token SET last_used_at = ? WHERE id = ?", at, id);
    }
}
