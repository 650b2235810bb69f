package dev.berth.server.store;

import dev.berth.core.AllocationId;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.ForecastPool;
import dev.berth.core.Pool;
import dev.berth.core.Step;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Asks about environments. */
final class EnvironmentReads {
    private final Database database;
    private final Rows rows;
    private final PoolReads pools;

    EnvironmentReads(Database database, Rows rows, PoolReads pools) {
        this.database = database;
        this.rows = rows;
        this.pools = pools;
    }

    Store.Page<Environment> environments(Store.EnvironmentQuery query) {
        var pool = query.pool() == null ? Optional.<Pool>empty() : pools.pool(query.pool());
        if (query.pool() != null && pool.isEmpty()) {
            return new Store.Page<>(List.of(), null);
        }
        var sql = new StringBuilder("SELECT " + Rows.ENVIRONMENT_COLUMNS + " FROM environment WHERE ");
        var arguments = new ArrayList<Object>();
        if (query.state() == null) {
            sql.append("state <> 'retired'");
        } else {
            sql.append("state = '").append(Rows.slug(query.state())).append("'");
        }
        if (pool.isPresent()) {
            sql.append(" AND pool = ?");
            arguments.add(pool.get().number());
        }
        if (query.cursor() != null) {
            sql.append(" AND name > ?");
            arguments.add(query.cursor());
        }
        sql.append(" ORDER BY name LIMIT ?");
        arguments.add(query.limit() + 1);
        var found = database.read(
                lane -> lane.list(row -> rows.environment(lane, row), sql.toString(), arguments.toArray()));
        return Pages.page(found, query.limit(), last -> last.name().value());
    }

    Optional<Environment> environment(EnvironmentName name) {
        return database.read(lane -> lane.one(
                row -> rows.environment(lane, row),
                "SELECT " + Rows.ENVIRONMENT_COLUMNS + " FROM environment WHERE name = ?",
                name.value()));
    }

    /** Also one of which it is not known whether its last holder's access works no more is not idle. */
    boolean isIdle(String account, String identity) {
        return database.read(lane -> lane
                .list(row -> rows.environment(lane, row), "SELECT " + Rows.ENVIRONMENT_COLUMNS + """
                                 FROM environment
                                WHERE account = ? AND identity <> ? AND state <> 'available'""", account, identity)
                .stream()
                .allMatch(EnvironmentReads::isRevoked));
    }

    private static boolean isRevoked(Environment environment) {
        return switch (environment.state()) {
            case EnvironmentState.Allocated _ -> false;
            case EnvironmentState.Cleaning(var work) -> work.step() != Step.REVOKE;
            case EnvironmentState.Dirty(var reason, var _) -> !isUnrevoked(reason);
            case EnvironmentState.Checking(var _, var because) -> !isUnrevoked(because);
            case EnvironmentState.Retired(var because, var _) -> !isUnrevoked(because);
            case EnvironmentState.Available _ -> true;
        };
    }

    /** As the rules put it, where the step was given up. */
    private static boolean isUnrevoked(@Nullable String dirtyBecause) {
        return dirtyBecause != null && dirtyBecause.startsWith("revoke failed");
    }

    List<ForecastPool.Busy> busy(int pool, int limit) {
        return database.read(lane -> {
            var busy = new ArrayList<ForecastPool.Busy>();
            for (var count : pools.shapes(lane, pool)) {
                if (count.held() > 0) {
                    busy.addAll(lane.list(
                            EnvironmentReads::lent, """
                            SELECT e.name, e.shape, e.account, e.since, e.tenant_allocation, e.tenant_requester, e.tenant_principal,
                                coalesce(a.sharer, ''),
                                CASE WHEN a.hold IS NULL THEN coalesce(a.expires_at, e.back_at) ELSE a.due_at END
                            FROM environment AS e LEFT JOIN allocation AS a ON a.id = e.tenant_allocation
                            WHERE e.pool = ? AND e.shape = ? AND e.back_at IS NOT NULL AND e.tenant_allocation IS NOT NULL
                            ORDER BY e.back_at LIMIT ?""", pool, count.shape().digest(), limit));
                }
            }
            busy.addAll(lane.list(
                    row -> new ForecastPool.Busy(
                            new EnvironmentName(row.getString(1)),
                            row.getString(2),
                            row.getString(3),
                            Instant.ofEpochMilli(row.getLong(4)),
                            null),
                    """
                    SELECT name, shape, account, since FROM environment
                    WHERE pool = ? AND issuing = 0 AND work_at IS NOT NULL AND drain IS NULL AND state IN ('cleaning', 'checking')
                    UNION ALL
                    SELECT name, shape, account, since FROM environment
                    WHERE pool = ? AND due_at IS NOT NULL AND work_at IS NULL AND drain IS NULL AND state IN ('cleaning', 'checking')
                    LIMIT ?""",
                    pool,
                    pool,
                    limit));
            return busy;
        });
    }

    private static ForecastPool.Busy lent(ResultSet row) throws SQLException {
        return new ForecastPool.Busy(
                new EnvironmentName(row.getString(1)),
                row.getString(2),
                row.getString(3),
                Instant.ofEpochMilli(row.getLong(4)),
                new ForecastPool.Loan(
                        new AllocationId(row.getString(5)),
                        row.getString(6),
                        row.getString(7),
                        row.getString(8),
                        Rows.instant(row, 9)));
    }
}
