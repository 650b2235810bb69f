package dev.berth.bench;

import dev.berth.server.store.PostgresStore;
import dev.berth.server.store.PostgresUrl;
import dev.berth.server.store.Store;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The ledger on PostgreSQL, in process: against its own statements in a transaction for each operation, and against what one would
 * write by hand: {@code SELECT … FOR UPDATE SKIP LOCKED} and the same rows in one statement, from 16 connections of pgbench.
 */
final class PostgresBench {
    private static final Duration SLOW_COMMIT = Duration.ofMillis(1);
    private static final int RAW_CONNECTIONS = 16;
    private static final Pattern PER_SECOND = Pattern.compile("(?m)^tps = ([0-9.]+)");
    private static final String BATCHED = "ledger, batched";
    private static final String SINGLE = "ledger, one commit per operation";
    private static final String RAW = "pgbench -c 16, one statement per operation";
    private static final String SLOW = ", 1 ms more a commit";
    private static final String UNIT = "operations/s";

    /** What an allocation and a release write, but for the counts of the pool, of its shapes and of who holds, which are one row each. */
    private static final String ALLOCATE = """
            WITH made AS (SELECT '1-' || gen_random_uuid() AS id, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at),
            free AS (SELECT name FROM environment WHERE pool = 1 AND shape = SHAPE AND state = 'available'
                ORDER BY turn LIMIT 1 FOR UPDATE SKIP LOCKED),
            taken AS (UPDATE environment AS e SET epoch = e.epoch + 1, since = made.at, state = 'allocated',
                tenant_allocation = made.id, tenant_requester = 'https://ci.example/job/42', tenant_principal = 'ci',
                back_at = made.at + 10800000 FROM free, made WHERE e.name = free.name RETURNING e.name, e.epoch, e.facts),
            lent AS (INSERT INTO allocation (id, pool, principal, requester, count, need, needs, max_wait, priority, labels,
                idempotency_key, digest, sharer, arrival, rank, created_at, line, state, due_at, awake, granted_at, expires_at, loan,
                grants)
                SELECT made.id, 1, 'ci', 'https://ci.example/job/42', 1, 'need', '{}', 0, 0, '{}', 'key-' || made.id, 'digest', '', 1,
                made.at, made.at, 'need', 'active', made.at + 10800000, 0, made.at, made.at + 10800000, 0,
                json_build_array(json_build_object('environment', taken.name, 'epoch', taken.epoch, 'facts', taken.facts))::text
                FROM made, taken),
            used AS (INSERT INTO idempotency_key (principal, key, allocation, digest)
                SELECT 'ci', 'key-' || made.id, made.id, 'digest' FROM made, taken),
            told AS (INSERT INTO event (pool, number, at, type, allocation, principal, data)
                SELECT 1, nextval('raw_event'), made.at, 'allocation-active', made.id, 'ci',
                '{"requester":"https://ci.example/job/42","environments":"' || taken.name || '"}' FROM made, taken
                RETURNING number)
            INSERT INTO environment_event (pool, number, environment) SELECT 1, told.number, taken.name FROM told, taken
            RETURNING (SELECT id FROM made) AS id, environment AS name
            """;

    private static final String RELEASE = """
            WITH made AS (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at),
            gone AS (DELETE FROM allocation WHERE id = :'id' RETURNING *),
            past AS (INSERT INTO ended_allocation (id, pool, principal, requester, count, need, needs, max_wait, priority, labels,
                idempotency_key, digest, sharer, arrival, rank, created_at, granted_at, expires_at, ended_at, end_reason, outcome, grants)
                SELECT id, pool, principal, requester, count, need, needs, max_wait, priority, labels, idempotency_key, digest, sharer,
                arrival, rank, created_at, granted_at, expires_at, made.at, 'released', 'success', grants FROM gone, made),
            back AS (UPDATE environment AS e SET since = made.at, state = 'available', turn = nextval('raw_event'), back_at = NULL
                FROM made WHERE e.name = :'name'),
            told AS (INSERT INTO event (pool, number, at, type, allocation, principal, data)
                SELECT 1, nextval('raw_event'), made.at, 'allocation-ended', :'id', 'ci',
                '{"reason":"released","outcome":"success","environments":"' || :'name' || '"}' FROM made RETURNING number)
            INSERT INTO environment_event (pool, number, environment) SELECT 1, told.number, :'name' FROM told
            """;

    private final Report report;
    private final Effort effort;
    private final int environments;

    PostgresBench(Report report, Effort effort) {
        this.report = report;
        this.effort = effort;
        this.environments = Math.max(4 * RAW_CONNECTIONS, effort.sizes().getFirst()); // nobody is to find nothing free
    }

    void run() throws Exception {
        report.section("In process on PostgreSQL: %d callers, %,d environments, allocate and release"
                .formatted(effort.callers(), environments));
        try (var stores = new Stores();
                var server = EmbeddedPostgres.builder()
                        .setDataDirectory(stores.folder().resolve("postgres"))
                        .setServerConfig("fsync", "on")
                        .setServerConfig("synchronous_commit", "on")
                        .setOutputRedirector(ProcessBuilder.Redirect.DISCARD)
                        .setErrorRedirector(ProcessBuilder.Redirect.DISCARD)
                        .start();
                var batched = filled(open(server, "batched"), null);
                var single = filled(open(server, "single"), 1);
                var slowBatched = filled(Stores.slowed(open(server, "slow_batched"), SLOW_COMMIT), null);
                var slowSingle = filled(Stores.slowed(open(server, "slow_single"), SLOW_COMMIT), 1)) {
            var contenders = new LinkedHashMap<String, Contest.Contender>();
            contenders.put(BATCHED, of(batched));
            contenders.put(SINGLE, of(single));
            contenders.put(BATCHED + SLOW, of(slowBatched));
            contenders.put(SINGLE + SLOW, of(slowSingle));
            var pgbench = pgbench();
            if (pgbench.isPresent()) {
                filled(open(server, "raw"), null).close();
                prepare(server);
                var quick = Files.writeString(stores.folder().resolve("quick.sql"), script(false));
                var slow = Files.writeString(stores.folder().resolve("slow.sql"), script(true));
                contenders.put(RAW, time -> raw(pgbench.get(), server, quick, time));
                contenders.put(RAW + SLOW, time -> raw(pgbench.get(), server, slow, time));
            } else {
                report.note("pgbench is not on the PATH: there is nothing to compare to (Debian: postgresql-contrib)");
            }
            var medians = new Contest(report, effort).run(contenders);
            report.ratio("batched / one commit per operation", ratio(medians, BATCHED, SINGLE), 1.5);
            report.ratio(
                    "the same where a commit takes 1 ms longer", ratio(medians, BATCHED + SLOW, SINGLE + SLOW), null);
            if (pgbench.isPresent()) {
                report.ratio("batched / pgbench", ratio(medians, BATCHED, RAW), 1.1);
                report.ratio(
                        "the same where a commit takes 1 ms longer", ratio(medians, BATCHED + SLOW, RAW + SLOW), 1.3);
            }
        }
    }

    private static double ratio(Map<String, Map<String, Double>> medians, String of, String to) {
        return figure(medians, of) / figure(medians, to);
    }

    private static double figure(Map<String, Map<String, Double>> medians, String name) {
        return Objects.requireNonNull(Objects.requireNonNull(medians.get(name)).get(UNIT));
    }

    // ---- the ledger

    private static Store open(EmbeddedPostgres server, String database) throws SQLException {
        try (var connection = server.getPostgresDatabase().getConnection();
                var statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE " + database + " TEMPLATE template0");
        }
        return PostgresStore.open(
                new PostgresUrl("postgres", "localhost:" + server.getPort(), database, Map.of(), null), name -> null);
    }

    private InProcess filled(Store store, @Nullable Integer largestBatch) {
        var service = new InProcess(store, largestBatch);
        BenchPool.register(service.ledger(), environments);
        return service;
    }

    private Contest.Contender of(InProcess service) {
        return time -> Map.of(UNIT, 2 * service.pairsPerSecond(effort.callers(), time));
    }

    // ---- by hand

    private static Optional<Path> pgbench() {
        return Stream.of(Objects.requireNonNullElse(System.getenv("PATH"), "").split(File.pathSeparator))
                .map(folder -> Path.of(folder, "pgbench"))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static void prepare(EmbeddedPostgres server) throws SQLException {
        try (var connection = DriverManager.getConnection(server.getJdbcUrl("postgres", "raw"));
                var statement = connection.createStatement()) {
            statement.execute("CREATE SEQUENCE raw_event START 1000000 CACHE 100");
        }
    }

    private static String script(boolean slow) {
        var pause = "\\sleep " + SLOW_COMMIT.toMillis() + " ms\n";
        var allocate =
                ALLOCATE.replace("SHAPE", "(SELECT digest FROM shape LIMIT 1)").replaceAll("\\s+", " ");
        var release =
                RELEASE.replace(":'id'", ":id").replace(":'name'", ":name").replaceAll("\\s+", " ");
        return slow
                ? "BEGIN;\n" + allocate + "\\gset\n" + pause + "COMMIT;\nBEGIN;\n" + release + ";\n" + pause
                        + "COMMIT;\n"
                : allocate + "\\gset\n" + release + ";\n";
    }

    private static Map<String, Double> raw(Path pgbench, EmbeddedPostgres server, Path script, Duration time)
            throws IOException, InterruptedException {
        var process = new ProcessBuilder(
                        pgbench.toString(),
                        "--no-vacuum",
                        "--client=" + RAW_CONNECTIONS,
                        "--jobs=1",
                        "--protocol=prepared",
                        "--time=" + Math.max(1, time.toSeconds()),
                        "--file=" + script,
                        "--host=localhost",
                        "--port=" + server.getPort(),
                        "--username=postgres",
                        "raw")
                .redirectErrorStream(true)
                .start();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        var found = PER_SECOND.matcher(output);
        if (process.waitFor() != 0 || !found.find() || output.contains("ERROR")) {
            throw new IOException("pgbench: " + output);
        }
        return Map.of(UNIT, 2 * Double.parseDouble(found.group(1)));
    }
}
