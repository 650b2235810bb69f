package dev.berth.server.store;

import dev.berth.server.store.Store.ConfigurationInForce;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;

/** Keeps the configurations that were ever in force; the last is. */
final class Configurations {
    private static final String COLUMNS = "sequence, text, digest, since";

    private Configurations() {}

    private static ConfigurationInForce configuration(ResultSet row) throws SQLException {
        return new ConfigurationInForce(
                row.getLong(1), row.getString(2), row.getString(3), Instant.ofEpochMilli(row.getLong(4)));
    }

    static Optional<ConfigurationInForce> last(Lane lane) {
        return lane.one(
                Configurations::configuration,
                "SELECT " + COLUMNS + " FROM configuration ORDER BY sequence DESC LIMIT 1");
    }

    static boolean contains(Lane lane, String digest) {
        return lane.one(row -> true, "SELECT 1 FROM configuration WHERE digest = ? LIMIT 1", digest)
                .orElse(false);
    }

    /**
     * The sequence follows the order of commits: of two that come at once the second waits for the number that both would have, and then
     * fails with a conflict. A sequence of the database would number them before, and the one that is committed last might not be the
     * last.
     */
    static ConfigurationInForce add(Lane lane, String text, String digest, Instant at) {
        return lane.one(Configurations::configuration, """
                        INSERT INTO configuration (sequence, text, digest, since)
                        SELECT coalesce(max(sequence), 0) + 1, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT) FROM configuration
                        RETURNING sequence, text, digest, since""", text, digest, at).orElseThrow();
    }
}
