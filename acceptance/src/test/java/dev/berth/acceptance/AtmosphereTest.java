package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The client of CDK's integration tests, as it is published, against Berth. */
class AtmosphereTest {
    private static final String PREFIX = "/prod/berth";
    private static final Duration TURNS = Duration.ofMinutes(4);
    private static final Pattern ANSWERED = Pattern.compile("^berth_http_requests_seconds_count\\{(.*)} (\\S+)$");

    private static final String CONFIGURATION = """
            pools:
              release: { provider: fixed, session: 5m, revocable: false }
              brief: { provider: fixed, session: 3s, revocable: false }
            environments:
              - account: "111111111111"
                region: us-east-1
                pool: release
                secrets: { accessKeyId: { env: ID_1 }, secretAccessKey: { env: KEY_1 }, sessionToken: { env: SESSION_1 } }
              - account: "111111111111"
                region: eu-west-1
                pool: release
              - account: "222222222222"
                region: us-east-1
                pool: brief
            principals:
              - { name: root, roles: [admin], token: { env: ROOT_TOKEN } }
              - { name: ci, roles: [consumer], pools: [release, brief] }
            """;

    @TempDir
    static Path folder;

    private static PrefixProxy proxy;
    private static BerthProcess berth;
    private static NpmProject client;
    private static String accessKeyId;
    private static String secretAccessKey;

    @BeforeAll
    static void start() {
        client = NpmProject.install("atmosphere");
        proxy = new PrefixProxy(PREFIX);
        berth = BerthProcess.start(
                folder,
                CONFIGURATION,
                Map.of("ID_1", "id-of-the-first", "KEY_1", "key-of-the-first", "SESSION_1", "session-of-the-first"),
                "--public-url",
                proxy.url());
        proxy.to(berth.url());
        var created = berth.berth("token", "create", "--principal", "ci", "--sigv4", "--output", "json");
        accessKeyId = field(created, "accessKeyId");
        secretAccessKey = field(created, "secretAccessKey");
    }

    @AfterEach
    void nothingIsHeldAndNoSecretIsInTheLog() {
        await(() -> berth.available() == 3);
        assertThat(berth.printed()).doesNotContain(secretAccessKey);
    }

    @AfterAll
    static void stop() {
        if (berth != null) {
            berth.close();
        }
        if (proxy != null) {
            proxy.close();
        }
    }

    private static String field(String json, String name) {
        assertThat(json).contains("\"" + name + "\"");
        return json.replaceAll("(?s).*?\"" + name + "\" ?: ?\"([^\"]*)\".*", "$1");
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Running.PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - deadline).isNegative();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }

    private static Running borrow(String endpoint, String pool, String holds, String... requesters) {
        return borrow(endpoint, pool, Map.of(), holds, requesters);
    }

    private static Running borrow(
            String endpoint, String pool, Map<String, String> other, String holds, String... requesters) {
        var variables = new HashMap<>(Map.of(
                "CDK_INTEG_ATMOSPHERE_ENDPOINT",
                endpoint,
                "CDK_INTEG_ATMOSPHERE_POOL",
                pool,
                "AWS_ACCESS_KEY_ID",
                accessKeyId,
                "AWS_SECRET_ACCESS_KEY",
                secretAccessKey));
        variables.putAll(other);
        var args = new ArrayList<>(List.of(holds));
        args.addAll(List.of(requesters));
        return client.start(folder, variables, "borrow.js", args.toArray(String[]::new));
    }

    /** What a run printed that has to end well. */
    private static String borrowed(String endpoint, String... requesters) {
        try (var run = borrow(endpoint, "release", "0", requesters)) {
            assertThat(run.exitCode(TURNS)).as(run::printed).isZero();
            return run.output();
        }
    }

    private static List<String> lines(String output, String begin) {
        return output.lines().filter(line -> line.startsWith(begin)).toList();
    }

    /** How often each status answered this call so far. */
    private static Map<String, Integer> statuses(String method, String path) {
        var counts = new HashMap<String, Integer>();
        berth.call(null, "GET", "/metrics", null).body().lines().forEach(line -> {
            var answered = ANSWERED.matcher(line);
            if (answered.find()
                    && answered.group(1).contains("method=\"" + method + "\"")
                    && answered.group(1).contains("route=\"" + path + "\"")) {
                var status = answered.group(1).replaceAll(".*status=\"([0-9]+)\".*", "$1");
                counts.merge(status, (int) Double.parseDouble(answered.group(2)), Integer::sum);
            }
        });
        return counts;
    }

    @Test
    void anEnvironmentIsAcquiredAndReleased() {
        var output = borrowed(berth.url().toString(), "https://ci.example/job/1");
        assertThat(output).contains("Successfully acquired environment from pool release", "RELEASED {}");
        var acquired = lines(output, "ACQUIRED").getFirst();
        assertThat(acquired)
                .contains("\"environment\":{\"account\":\"111111111111\"", "\"region\":\"")
                .contains("\"credentials\":");
    }

    @Test
    void credentialsComeAsTheClientReadsThem() {
        // Both are taken, so that one of them is the one that has credentials.
        var both = String.join("\n", lines(twoAtOnce("a", "b"), "ACQUIRED"));
        assertThat(both)
                .contains("\"accessKeyId\":\"id-of-the-first\"")
                .contains("\"secretAccessKey\":\"key-of-the-first\"")
                .contains("\"sessionToken\":\"session-of-the-first\"");
    }

    @Test
    void twoJobsWithTheSameWordsInTheSameSecondGetAnEnvironmentEach() {
        var acquired = lines(twoAtOnce("the same", "the same"), "ACQUIRED");
        assertThat(acquired.stream().map(line -> field(line, "id")))
                .doesNotHaveDuplicates()
                .hasSize(2);
    }

    private static String twoAtOnce(String one, String other) {
        try (var run = borrow(berth.url().toString(), "release", "500", one, other)) {
            assertThat(run.exitCode(TURNS)).as(run::printed).isZero();
            return run.output();
        }
    }

    @Test
    void anEndpointMayEndInASlashOrHaveAPrefix() {
        for (var endpoint : List.of(
                berth.url() + "/", berth.url() + PREFIX, berth.url() + PREFIX + "/", proxy.url(), proxy.url() + "/")) {
            assertThat(borrowed(endpoint, "job")).as(endpoint).contains("ACQUIRED", "RELEASED {}");
        }
        assertThat(proxy.contentTypes()).isNotEmpty().allMatch(type -> type.startsWith("text/plain"));
    }

    @Test
    void whoIsRefusedIsToldWhyAtOnceAndTakesNothing() {
        var before = statuses("POST", "/allocations");
        refused("release", Map.of(), "x".repeat(1025), "FAILED 400", "requester");
        refused("release", Map.of(), "", "FAILED 400", "requester");
        refused("nope", Map.of(), "job", "FAILED 404", "No pool 'nope'");
        refused("release", Map.of("AWS_SECRET_ACCESS_KEY", "wrong"), "job", "FAILED 401", "signature");
        refused("release", Map.of("AWS_ACCESS_KEY_ID", "BERTHAAAAAAAAAAAAAAA"), "job", "FAILED 401", "");
        refused("release", Map.of("AWS_SESSION_TOKEN", "of another"), "job", "FAILED 401", "session token");
        // A request is counted a moment after its answer was sent.
        await(() -> more("401", before) >= 3 && more("400", before) >= 2);
        assertThat(more("400", before)).isEqualTo(2);
        assertThat(more("401", before)).isEqualTo(3);
    }

    private static int more(String status, Map<String, Integer> before) {
        return statuses("POST", "/allocations").getOrDefault(status, 0) - before.getOrDefault(status, 0);
    }

    private static void refused(
            String pool, Map<String, String> variables, String requester, String begin, String named) {
        try (var run = borrow(berth.url().toString(), pool, variables, "0", requester)) {
            assertThat(run.exitCode(TURNS)).as(run::printed).isOne();
            assertThat(lines(run.output(), "FAILED").getFirst())
                    .startsWith(begin)
                    .contains(named);
        }
        assertThat(berth.available()).isEqualTo(3);
    }

    @Test
    void whatAClientHeldThatVanishedComesBackAtItsDeadline() {
        try (var run = borrow(berth.url().toString(), "brief", "forever", "job")) {
            run.await(() -> run.output().contains("ACQUIRED") || !run.process().isAlive());
            assertThat(run.output()).contains("ACQUIRED");
        }
        long began = System.nanoTime();
        await(() -> berth.available() == 3);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Running.PATIENCE);
    }

    @Test
    void eightClientsOnTwoEnvironmentsAllGetTheirTurnAgainstThoseWhoWaitInTheQueue() throws Exception {
        var stop = new AtomicBoolean();
        var queued = new AtomicInteger();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var waiting = IntStream.range(0, 4)
                    .mapToObj(i -> CompletableFuture.runAsync(
                            () -> {
                                while (!stop.get()) {
                                    waitInTheQueue("queued-" + i);
                                    queued.incrementAndGet();
                                }
                            },
                            threads))
                    .toList();
            try {
                var jobs = IntStream.range(0, 8).mapToObj(i -> "job-" + i).toArray(String[]::new);
                try (var run = borrow(berth.url().toString(), "release", "300", jobs)) {
                    assertThat(run.exitCode(TURNS)).as(run::printed).isZero();
                    assertThat(lines(run.output(), "ACQUIRED")).hasSize(8);
                    assertThat(lines(run.output(), "RELEASED {}")).hasSize(8);
                    assertThat(run.output()).contains("Retrying due to: 423");
                }
            } finally {
                stop.set(true);
            }
            waiting.forEach(CompletableFuture::join);
        }
        assertThat(queued).as("turns of those who wait in the queue").hasPositiveValue();
        assertThat(statuses("POST", "/allocations").keySet())
                .as("a 5xx or a 429 would cost each client ten more requests")
                .contains("200", "423")
                .isSubsetOf("200", "400", "401", "404", "423");
    }

    private static void waitInTheQueue(String requester) {
        var asked = berth.call(
                BerthProcess.ROOT_TOKEN,
                "POST",
                "/allocations",
                "{\"pool\":\"release\",\"requester\":\"" + requester + "\",\"maxWait\":\"2m\"}",
                "Prefer",
                "wait=60");
        assertThat(asked.statusCode()).as(asked.body()).isEqualTo(200);
        var path = "/allocations/" + field(asked.body(), "id");
        var released = berth.call(BerthProcess.ROOT_TOKEN, "DELETE", path, null);
        assertThat(released.statusCode()).as(released.body()).isEqualTo(200);
    }
}
