package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What users of an account pool do, with the programs that they do it with. */
class ReservationsTest {
    private static final Duration SOON = Running.PATIENCE;
    private static final String CONFIGURATION = """
            pools:
              free: { provider: fixed, session: 10m, revocable: false }
              lite: { provider: fixed, session: 5s, revocable: false }
            environments:
              - { name: account-1, pool: free, secrets: { apiKey: { env: ACCOUNT_1_KEY } } }
              - { name: account-2, pool: lite, secrets: { apiKey: { env: ACCOUNT_2_KEY } } }
            principals:
              - { name: root, roles: [admin], token: { env: ROOT_TOKEN } }
              - { name: installer, roles: [consumer], pools: [free, lite] }
            """;

    @TempDir
    static Path folder;

    private static BerthProcess berth;
    private static String token;

    @BeforeAll
    static void start() {
        Toolchain.require();
        berth = BerthProcess.start(
                folder,
                CONFIGURATION,
                Map.of("ACCOUNT_1_KEY", "key-of-account-1", "ACCOUNT_2_KEY", "key-of-account-2"));
        var created = berth.berth("token", "create", "--principal", "installer", "--output", "json");
        token = field(created, "token");
    }

    @AfterEach
    void nothingIsLeftAndNoTokenIsInTheLog() {
        assertThat(berth.available()).isEqualTo(2);
        assertThat(berth.printed()).doesNotContain(token);
    }

    @AfterAll
    static void stop() {
        if (berth != null) {
            berth.close();
        }
    }

    /** What curl answers: the body, and the status in a last line. */
    private static String curl(String... args) {
        var line = new ArrayList<>(List.of(Toolchain.CURL.path().toString(), "-sS", "-w", "\n%{http_code}"));
        line.addAll(List.of(args));
        return Running.done(folder, Map.of(), SOON, line);
    }

    private static String field(String json, String name) {
        assertThat(json).contains("\"" + name + "\"");
        return json.replaceAll("(?s).*?\"" + name + "\" ?: ?\"([^\"]*)\".*", "$1");
    }

    private static String at(String path) {
        return berth.url() + path;
    }

    @Test
    void theWholeWorkflowWithCurlAndTheTokenInTheQuery() {
        var first = curl("-L", "-d", "", at("/reservations?duration=5&type=free&token=" + token));
        assertThat(first).endsWith("\n200").contains("\"duration\":5", "key-of-account-1", "\"account\":\"account-1\"");
        var second = curl("-L", "-X", "POST", at("/reservations?token=" + token));
        assertThat(second).endsWith("\n200").contains("\"credentials\":null", "\"expiration\":null");
        assertThat(curl(at("/"))).contains("\"reservations\":2", "\"accounts\":2", "\"tokens\":1");

        assertThat(curl("-X", "DELETE", reservation(first) + "?token=" + token)).isEqualTo("\n204");
        assertThat(polled(second, "?token=" + token)).contains("key-of-account-1");
        assertThat(curl(reservation(first) + "?token=" + token)).endsWith("\n410");
        assertThat(curl(reservation(second) + "?token=wrong")).isEqualTo("{\"error\":\"Token not authorized.\"}\n401");
        assertThat(curl("-X", "DELETE", reservation(second) + "?token=" + token))
                .isEqualTo("\n204");
    }

    @Test
    void theWholeWorkflowWithCurlAndTheTokenInTheHeader() {
        var header = "Authorization: Bearer " + token;
        var redirect = curl("-D", "-", "-o", "/dev/null", "-H", header, "-d", "", at("/reservations"));
        assertThat(redirect).endsWith("\n302").doesNotContain(token);
        var location = redirect.replaceAll("(?s).*\nLocation: ([^\r]*)\r.*", "$1");
        assertThat(location).startsWith("/reservations/");
        var second = curl("-L", "-H", header, "-d", "", at("/reservations?duration=5"));
        assertThat(second).contains("\"credentials\":null");

        assertThat(curl("-X", "DELETE", "-H", header, at(location))).isEqualTo("\n204");
        assertThat(polled(second, "", "-H", header)).contains("key-of-account-1");
        assertThat(curl(reservation(second))).endsWith("\n401");
        assertThat(curl("-X", "DELETE", "-H", header, reservation(second))).isEqualTo("\n204");
    }

    @Test
    void anExpirationEndsWhatIsNotGivenBack() {
        var lent = curl("-L", "-d", "", at("/reservations?type=lite&token=" + token));
        assertThat(lent).contains("key-of-account-2");
        var over = "";
        long deadline = System.nanoTime() + SOON.toNanos();
        do {
            over = curl(reservation(lent) + "?token=" + token);
            assertThat(System.nanoTime() - deadline).isNegative();
        } while (over.endsWith("\n200"));
        assertThat(over).isEqualTo("{\"error\":\"The reservation has ended: session-expired\"}\n410");
    }

    private static String reservation(String answer) {
        return at("/reservations/" + field(answer, "id"));
    }

    /** Polls until there are credentials. */
    private static String polled(String answer, String query, String... more) {
        var args = new ArrayList<>(List.of(more));
        args.add(reservation(answer) + query);
        long deadline = System.nanoTime() + SOON.toNanos();
        var polled = "";
        do {
            polled = curl(args.toArray(String[]::new));
            assertThat(System.nanoTime() - deadline).as(polled).isNegative();
        } while (polled.contains("\"credentials\":null"));
        return polled;
    }

    @ParameterizedTest
    @ValueSource(strings = {"query", "header"})
    void theWholeWorkflowWithPython(String where) {
        var python = PythonEnvironment.install("reservations");
        try (var reserve = python.start(
                folder, Map.of("TOKEN", token), "reserve.py", berth.url().toString(), where)) {
            assertThat(reserve.exitCode(Running.PATIENCE)).as(reserve::printed).isZero();
            assertThat(reserve.output()).contains("key-of-account-1", "\"status\": 204", "\"body\": \"\"");
        }
    }
}
