package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Calls the whole API as its description says that it can be called, and as it says that it cannot, with schemathesis. A run is told by
 * its seed: {@code -Dberth.seed=N} does it again, {@code -Dberth.fuzz=N} does more of it.
 */
class FuzzTest {
    private static final Duration LONGEST = Duration.ofMinutes(10);
    private static final Pattern ID = Pattern.compile("\"id\":\"([^\"]+)\"");
    private static final String GUEST_TOKEN = "token-of-a-guest-that-nobody-is-told";
    private static final String SECRET = "secret-of-the-board";
    private static final int ENVIRONMENTS = 6;

    /** Nothing ends by its time: what is left over is found. */
    private static final String CONFIGURATION = """
            pools:
              lab: { provider: fixed, session: 30d, max-session: 60d, max-priority: 10, hold: { max: 30d, quota: 2 }, revocable: false }
              free: { provider: fixed, session: 30d, queue: { max: 20 }, quota: { held: 2, queued: 5 }, revocable: false }
            environments:
              - { name: board-1, pool: lab, region: here, capabilities: { size: 1 }, secrets: { password: { env: BOARD_SECRET } } }
              - { name: board-2, pool: lab, region: there, connection: { host: 192.0.2.7 } }
              - { name: board-3, pool: lab, account: "111111111111", secrets: { password: { env: BOARD_SECRET } } }
              - { name: board-4, pool: lab, account: "222222222222" }
              - { name: account-1, pool: free }
              - { name: account-2, pool: free }
            principals:
              - { name: root, roles: [admin, operator, viewer, consumer], pools: [lab, free], token: { env: ROOT_TOKEN } }
              - { name: guest, roles: [consumer], pools: [lab], token: { env: GUEST_TOKEN } }
            limits: { failures: off }
            """;

    @TempDir
    private Path folder;

    @Test
    void noCallDoesWhatTheDescriptionDoesNotSayAndNothingIsLeftBehind() {
        Toolchain.require();
        var fuzz = PythonEnvironment.install("fuzz");
        long seed = Long.getLong("berth.seed", System.nanoTime() % 1_000_000);
        System.out.println("schemathesis is run with -Dberth.seed=" + seed);
        var variables = Map.of("GUEST_TOKEN", GUEST_TOKEN, "BOARD_SECRET", SECRET);
        try (var berth = BerthProcess.start(folder, CONFIGURATION, variables)) {
            try (var run = Running.start(folder, variables(fuzz, seed), line(fuzz, berth, seed))) {
                int code = run.exitCode(LONGEST);
                assertThat(code)
                        .as(() -> "-Dberth.seed=" + seed + "\n" + run.printed() + berth.printed())
                        .isZero();
            }
            assertThat(berth.printed()).doesNotContain("a defect", SECRET, GUEST_TOKEN, BerthProcess.ROOT_TOKEN);
            giveEverythingBack(berth);
        }
    }

    private static Map<String, String> variables(PythonEnvironment fuzz, long seed) {
        return Map.of(
                "SCHEMATHESIS_HOOKS",
                "hooks",
                "PYTHONPATH",
                fuzz.folder().toString(),
                "NO_COLOR",
                "1",
                "SEED",
                String.valueOf(seed),
                "POOLS",
                "[\"lab\", \"free\"]",
                "ENVIRONMENTS",
                "[\"board-1\", \"board-2\", \"board-3\", \"board-4\", \"account-1\", \"account-2\"]",
                "SECRETS",
                "{\"token of root\": \"%s\", \"token of a guest\": \"%s\", \"environment's\": \"%s\"}"
                        .formatted(BerthProcess.ROOT_TOKEN, GUEST_TOKEN, SECRET));
    }

    private static List<String> line(PythonEnvironment fuzz, BerthProcess berth, long seed) {
        var line = new ArrayList<>(List.of(
                fuzz.program("python").toString(), "-m", "schemathesis.cli", "run", berth.url() + "/openapi.json"));
        line.addAll(List.of("--header", "Authorization: Bearer " + BerthProcess.ROOT_TOKEN));
        line.addAll(List.of("--phases", "examples,coverage,fuzzing", "--mode", "all", "--workers", "1"));
        line.addAll(List.of("--max-examples", String.valueOf(Integer.getInteger("berth.fuzz", 5))));
        line.addAll(List.of("--max-time", "25", "--request-timeout", "20", "--seed", String.valueOf(seed)));
        // The description cannot say everything that is refused (that a pool must be there, say), and an empty
        // parameter is none.
        line.addAll(List.of("--exclude-checks", "positive_data_acceptance,negative_data_rejection"));
        line.addAll(List.of("--continue-on-failure", "--no-shrink", "--output-sanitize", "false"));
        return line;
    }

    /** As a principal with every right can: what the calls began is ended, and then everything must be as it was. */
    private static void giveEverythingBack(BerthProcess berth) {
        for (var state : List.of("pending", "granting", "active")) {
            ids(berth, "/allocations?limit=1000&state=" + state)
                    .forEach(id -> assertThat(call(berth, "DELETE", "/allocations/" + id))
                            .isEqualTo(200));
        }
        ids(berth, "/tokens")
                .forEach(
                        id -> assertThat(call(berth, "DELETE", "/tokens/" + id)).isEqualTo(200));
        for (var state : List.of("dirty", "cleaning", "checking")) {
            call(
                    berth,
                    "POST",
                    "/environments/actions",
                    "{\"action\":\"clean\",\"pool\":\"lab\",\"state\":\"" + state + "\"}");
            call(
                    berth,
                    "POST",
                    "/environments/actions",
                    "{\"action\":\"clean\",\"pool\":\"free\",\"state\":\"" + state + "\"}");
        }
        long deadline = System.nanoTime() + Running.PATIENCE.toNanos();
        while (berth.available() < ENVIRONMENTS) {
            assertThat(System.nanoTime() - deadline)
                    .as(() -> body(berth, "/environments"))
                    .isNegative();
        }
        assertThat(body(berth, "/"))
                .contains("\"total\":" + ENVIRONMENTS, "\"allocated\":0", "\"waiting\":0", "\"tokens\":0");
    }

    private static List<String> ids(BerthProcess berth, String path) {
        return ID.matcher(body(berth, path))
                .results()
                .map(found -> found.group(1))
                .distinct()
                .toList();
    }

    private static String body(BerthProcess berth, String path) {
        return berth.call(BerthProcess.ROOT_TOKEN, "GET", path, null).body();
    }

    private static int call(BerthProcess berth, String method, String path) {
        return berth.call(BerthProcess.ROOT_TOKEN, method, path, null).statusCode();
    }

    private static void call(BerthProcess berth, String method, String path, String body) {
        berth.call(BerthProcess.ROOT_TOKEN, method, path, body);
    }
}
