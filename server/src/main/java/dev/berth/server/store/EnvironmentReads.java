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
                                WHERE account = ? AND identity <> ? AND state NOT IN ('available', 'withheld')""", account, identity)
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
            case EnvironmentState.Idle _ -> true;
        };
    }

    /** As the rules put it, where the step was given up. */
    private static boolean isUnrevoked(@Nullable String dirtyBecause) {
        return dirtyBecause != null && dirtyBecause.startsWith("revoke failed");
    }

    private static final String LOAN_COLUMNS = """
            o.tenant_allocation, o.tenant_requester, o.tenant_principal, coalesce(a.sharer, ''), \
            CASE WHEN a.hold IS NULL THEN coalesce(a.expires_at, o.back_at) ELSE a.due_at END""";

    List<ForecastPool.Busy> busy(int pool, int limit) {
        return database.read(lane -> {
            var busy = new ArrayList<ForecastPool.Busy>();
            for (var count : pools.shapes(lane, pool)) {
                if (count.held() > 0) {
                    busy.addAll(lane.list(
                            row -> busy(row, false),
                            "SELECT o.name, o.shape, o.account, o.since, " + LOAN_COLUMNS + """
                             FROM environment AS o LEFT JOIN allocation AS a ON a.id = o.tenant_allocation
                            WHERE o.pool = ? AND o.shape = ? AND o.back_at IS NOT NULL AND o.tenant_allocation IS NOT NULL
                            ORDER BY o.back_at LIMIT ?""",
                            pool,
                            count.shape().digest(),
                            limit));
                }
            }
            busy.addAll(lane.list(
                    row -> busy(row, true),
                    "SELECT e.name, e.shape, e.account, coalesce(o.since, e.since), " + LOAN_COLUMNS + """
                     FROM environment AS e
                    LEFT JOIN environment AS o ON o.name = (SELECT MIN(name) FROM environment AS held
                        WHERE held.account = e.account AND held.pool = e.pool AND held.state = 'allocated')
                    LEFT JOIN allocation AS a ON a.id = o.tenant_allocation
                    WHERE e.pool = ? AND e.state = 'withheld' AND e.lendable = 1 LIMIT ?""",
                    pool,
                    limit));
            busy.addAll(lane.list(
                    row -> new ForecastPool.Busy(
                            new EnvironmentName(row.getString(1)),
                            row.getString(2),
                            row.getString(3),
                            Instant.ofEpochMilli(row.getLong(4)),
                            false,
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

    /** @param withheld whether the loan is of another environment of its account */
    private static ForecastPool.Busy busy(ResultSet row, boolean withheld) throws SQLException {
        var allocation = row.getString(5);
        return new ForecastPool.Busy(
                new EnvironmentName(row.getString(1)),
                row.getString(2),
                row.getString(3),
                Instant.ofEpochMilli(row.getLong(4)),
                withheld,
                allocation == null
                        ? null
                        : new ForecastPool.Loan(
                                new AllocationId(allocation),
                                row.getString(6),
                                row.getString(7),
                                row.getString(8),
                                Rows.instant(row, 9)));
    }
}
