package dev.berth.server.store;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Asks what a pool did lately. */
final class PastReads {
    /** Statistics look at so many loans, the newest first. */
    private static final int MOST_STATISTICS = 2_000;

    private final Database database;
    private final Rows rows;

    PastReads(Database database, Rows rows) {
        this.database = database;
        this.rows = rows;
    }

    List<Store.Loan> loans(int pool, int limit) {
        var prefix = Integer.toString(pool, 36);
        return database
                .read(lane -> lane.list(
                        row -> {
                            var grantedAt = Rows.instant(row, 8);
                            var endedAt = Instant.ofEpochMilli(row.getLong(9));
                            return grantedAt == null
                                    ? Optional.<Store.Loan>empty()
                                    : Optional.of(new Store.Loan(
                                            row.getString(1),
                                            row.getString(2),
                                            rows.need(row, 3, 4),
                                            row.getInt(5),
                                            Rows.period(row, 6),
                                            Duration.between(Instant.ofEpochMilli(row.getLong(7)), grantedAt),
                                            Duration.between(grantedAt, endedAt),
                                            endedAt));
                        },
                        """
                        SELECT principal, sharer, need, needs, priority, duration, created_at, granted_at, ended_at
                        FROM ended_allocation
                        WHERE id > ? AND id < ? ORDER BY id DESC LIMIT ?""",
                        prefix + "-",
                        prefix + ".",
                        limit))
                .stream()
                .flatMap(Optional::stream)
                .toList();
    }

    Store.Statistics statistics(int pool, Instant since, Instant now) {
        var prefix = Integer.toString(pool, 36);
        record Granted(Instant createdAt, Instant grantedAt, Instant until, int count) {}
        var loans = new ArrayList<Granted>();
        var total = database.read(lane -> {
            for (var table : List.of("allocation", "ended_allocation")) {
                var end = table.equals("allocation") ? "NULL" : "ended_at";
                loans.addAll(lane.list(
                        row -> {
                            var endedAt = Rows.instant(row, 3);
                            return new Granted(
                                    Instant.ofEpochMilli(row.getLong(1)),
                                    Instant.ofEpochMilli(row.getLong(2)),
                                    endedAt == null ? now : endedAt,
                                    row.getInt(4));
                        },
                        "SELECT created_at, granted_at, " + end + ", count FROM " + table
                                + " WHERE id > ? AND id < ? AND granted_at IS NOT NULL ORDER BY id DESC LIMIT ?",
                        prefix + "-",
                        prefix + ".",
                        MOST_STATISTICS));
            }
            return lane.one(rows::pool, "SELECT " + Rows.POOL_COLUMNS + " FROM pool WHERE number = ?", pool)
                    .map(found -> found.counts().total())
                    .orElse(0);
        });
        var waits = loans.stream()
                .filter(loan -> loan.grantedAt().isAfter(since))
                .map(loan -> Duration.between(loan.createdAt(), loan.grantedAt()))
                .sorted()
                .toList();
        long lent = 0;
        for (var loan : loans) {
            var from = loan.grantedAt().isBefore(since) ? since : loan.grantedAt();
            lent += loan.count()
                    * Math.max(0, Duration.between(from, loan.until()).toMillis());
        }
        double whole = (double) total * Duration.between(since, now).toMillis();
        return new Store.Statistics(
                quantile(waits, 50),
                quantile(waits, 90),
                quantile(waits, 99),
                whole <= 0 ? 0 : Math.min(1, lent / whole));
    }

    private static @Nullable Duration quantile(List<Duration> sorted, int percent) {
        return sorted.isEmpty() ? null : sorted.get((sorted.size() * percent + 99) / 100 - 1);
    }
}
