package dev.berth.server.store;

import dev.berth.core.EnvironmentName;
import dev.berth.server.store.Store.Baseline;
import dev.berth.server.store.Store.Finding;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Keeps what belongs to environments, and what was found that may not. */
final class Baselines {
    /** Older versions go: each may have megabytes. */
    private static final int KEPT = 10;

    private static final String COLUMNS = "identity, version, environment, at, kept_by, content";
    private static final String FINDING_COLUMNS = "identity, environment, at, content";

    private Baselines() {}

    private static Baseline baseline(ResultSet row) throws SQLException {
        return new Baseline(
                row.getString(1),
                row.getInt(2),
                new EnvironmentName(row.getString(3)),
                Instant.ofEpochMilli(row.getLong(4)),
                row.getString(5),
                row.getString(6));
    }

    private static Finding finding(ResultSet row) throws SQLException {
        return new Finding(
                row.getString(1),
                new EnvironmentName(row.getString(2)),
                Instant.ofEpochMilli(row.getLong(3)),
                row.getString(4));
    }

    static Optional<Baseline> find(Lane lane, String identity, @Nullable Integer version) {
        return version == null
                ? lane.one(
                        Baselines::baseline,
                        "SELECT " + COLUMNS + " FROM baseline WHERE identity = ? ORDER BY version DESC LIMIT 1",
                        identity)
                : lane.one(
                        Baselines::baseline,
                        "SELECT " + COLUMNS + " FROM baseline WHERE identity = ? AND version = ?",
                        identity,
                        version);
    }

    /** Whether there was none. */
    static boolean addFirst(Lane lane, Baseline first) {
        if (find(lane, first.identity(), null).isPresent()) {
            return false;
        }
        add(lane, first);
        return true;
    }

    private static void add(Lane lane, Baseline baseline) {
        lane.updateOne(
                "INSERT INTO baseline (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?)",
                baseline.identity(),
                baseline.version(),
                baseline.environment().value(),
                baseline.at(),
                baseline.by(),
                baseline.content());
    }

    static Optional<Finding> finding(Lane lane, String identity) {
        return lane.one(Baselines::finding, "SELECT " + FINDING_COLUMNS + " FROM finding WHERE identity = ?", identity);
    }

    static void keep(Lane lane, Finding finding) {
        drop(lane, finding.identity());
        lane.updateOne(
                "INSERT INTO finding (" + FINDING_COLUMNS + ") VALUES (?, ?, ?, ?)",
                finding.identity(),
                finding.environment().value(),
                finding.at(),
                finding.content());
    }

    /** Returns how many there were. */
    static int drop(Lane lane, String identity) {
        return lane.update("DELETE FROM finding WHERE identity = ?", identity);
    }

    static Optional<Baseline> accept(Lane lane, String identity, String by, Instant at) {
        var found = finding(lane, identity);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        int version = find(lane, identity, null).map(Baseline::version).orElse(0) + 1;
        var accepted = new Baseline(
                identity,
                version,
                found.get().environment(),
                at,
                by,
                found.get().content());
        add(lane, accepted);
        if (drop(lane, identity) != 1) {
            throw new ConflictException("what was found is accepted already: " + identity);
        }
        lane.update("DELETE FROM baseline WHERE identity = ? AND version <= ?", identity, version - KEPT);
        return Optional.of(accepted);
    }
}
