package dev.berth.bench;

import dev.berth.core.NeedClass;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Stores to measure on, in a folder that is gone afterwards. */
final class Stores implements AutoCloseable {
    private final Path folder;
    private int made;

    Stores() throws IOException {
        folder = Files.createTempDirectory("berth-bench-");
    }

    Path folder() {
        return folder;
    }

    Path newFile() {
        made++;
        return folder.resolve("store-" + made + ".db");
    }

    /** As production has it: a file, a sync before each answer. */
    Store onDisk() {
        return SqliteStore.open(newFile(), SqliteStore.Synchronous.FULL);
    }

    /** A store whose writer waits for each commit, which takes this much longer. */
    static Store slowed(Store store, Duration commit) {
        return committing(store, durable -> {
            durable.join();
            pause(commit);
            return durable;
        });
    }

    /** A store on a disk whose sync takes this much longer. As with any other, what is committed meanwhile is there after the next. */
    static Store onSlowDisk(Store store, Duration sync) {
        var waiting = new LinkedBlockingQueue<Sync>();
        Thread.ofPlatform().daemon(true).start(() -> {
            while (true) {
                try {
                    var those = new ArrayList<>(List.of(waiting.take()));
                    waiting.drainTo(those);
                    those.getLast().fast().join();
                    pause(sync);
                    those.forEach(each -> each.slow().complete(null));
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
        return committing(store, durable -> {
            var slow = new CompletableFuture<Void>();
            waiting.add(new Sync(durable, slow));
            return slow;
        });
    }

    private record Sync(CompletableFuture<?> fast, CompletableFuture<Void> slow) {}

    private static Store committing(Store store, UnaryOperator<CompletableFuture<?>> then) {
        return proxy(
                Store.class,
                store,
                (method, result) -> method.equals("begin") && result instanceof Store.Transaction transaction
                        ? proxy(
                                Store.Transaction.class,
                                transaction,
                                (called, returned) ->
                                        called.equals("commitAsync") && returned instanceof CompletableFuture<?> durable
                                                ? then.apply(durable)
                                                : returned)
                        : result);
    }

    private static void pause(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    /** What becomes of a method's result. */
    @FunctionalInterface
    private interface Then {
        @Nullable
        Object make(String method, @Nullable Object result);
    }

    private static <T> T proxy(Class<T> type, T target, Then then) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    try {
                        return then.make(method.getName(), method.invoke(target, arguments));
                    } catch (InvocationTargetException e) {
                        throw e.getCause() == null ? e : e.getCause();
                    }
                }));
    }

    /**
     * Puts history into a store's file: allocations that ended, each with its key and the events of its life. The pool must be there.
     */
    static void addHistory(Path file, int rows) throws SQLException {
        var numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + rows + ") ";
        var environment = "printf('board-%07d', i % 1000)";
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.executeUpdate("""
                    INSERT INTO ended_allocation (id, pool, principal, requester, count, need, needs, max_wait, priority, labels,
                        idempotency_key, digest, sharer, arrival, rank, created_at, granted_at, expires_at, ended_at, end_reason,
                        outcome, grants)
                    """ + numbers
                    + """
                            SELECT printf('1-%09d-%026d', i, i), 1, 'ci', 'https://ci.example/job/42', 1, NEED, 'NEEDS', 0, 0,
                                '{}', 'old-' || i, 'digest-' || i, '', i, now, now, now, now + 10800000, now, 'released',
                                'success', json_array(json_object(
                                    'environment', printf('board-%07d', i % 1000), 'epoch', i, 'facts', '{}', 'access', NULL))
                            FROM n, (SELECT unixepoch() * 1000 AS now)""".replace("'NEEDS'", "'" + NeedClass.ONE.json() + "'")
                            .replace("NEED,", "'" + NeedClass.ONE.digest() + "',"));
            statement.executeUpdate("INSERT INTO idempotency_key (principal, key, allocation, digest) " + numbers
                    + "SELECT 'ci', 'old-' || i, printf('1-%09d-%026d', i, i), 'digest-' || i FROM n");
            statement.executeUpdate("CREATE TEMP TABLE start AS SELECT events FROM pool WHERE number = 1");
            statement.executeUpdate("UPDATE pool SET events = events + 2 * " + rows + " WHERE number = 1");
            for (int which = 1; which <= 2; which++) {
                var number = "start.events + 2 * (i - 1) + " + which;
                statement.executeUpdate(
                        "INSERT INTO event (pool, number, at, type, allocation, environment, principal, data) "
                                + numbers + "SELECT 1, " + number + ", unixepoch() * 1000, '"
                                + (which == 1 ? "allocation-active" : "allocation-ended")
                                + "', printf('1-%09d-%026d', i, i), " + environment + ", 'ci', NULL FROM n, start");
                statement.executeUpdate("INSERT INTO environment_event (pool, number, environment) " + numbers
                        + "SELECT 1, " + number + ", " + environment + " FROM n, start");
            }
            connection.commit();
        }
    }

    @Override
    public void close() throws IOException {
        try (var files = Files.walk(folder)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
