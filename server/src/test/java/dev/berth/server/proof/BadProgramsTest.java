package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs that do what they should not: the environment is dirty with the reason, and a person brings it back. */
class BadProgramsTest {
    private static final List<String> HABITS = List.of("hangs", "rubbish", "forks", "signal", "dies");

    private static final String CLEAN = """
            echo "about to clean $BERTH_ENVIRONMENT" >&2
            [ ! -e mended ] || exit 0
            case $BERTH_ENVIRONMENT in
            hangs-1) while :; do sleep 1; done ;;
            rubbish-1) echo "all is well, trust me" ;;
            forks-1)
                trap "" TERM
                (setsid sh -c 'trap "" TERM HUP; echo $$ >daemon; while :; do sleep 1; done' &)
                while ! [ -s daemon ]; do sleep 0.01; done
                while :; do sleep 1; done ;;
            signal-1) kill -SEGV $$ ;;
            dies-1) exit 3 ;;
            esac
            """;

    /** What an operator reads of each. */
    private static final Map<String, String> REASONS = Map.of(
            "hangs", "clean failed: clean did not end within 5 s and was stopped",
            "rubbish", "clean failed: clean ",
            "forks", "clean failed: clean did not end within 5 s and was stopped",
            "signal", "clean failed: clean was killed by signal 11",
            "dies", "clean failed: clean exited with 3");

    private static String pools() {
        var yaml = new StringBuilder("pools:\n");
        for (var habit : HABITS) {
            yaml.append("""
                      %s:
                        provider: command
                        session: 1h
                        on-register: adopt
                        clean: { timeout: %s, attempts: 1 }
                        command: { clean: [./clean.sh] }
                    """.formatted(habit, REASONS.get(habit).contains("within 5 s") ? "5s" : "60s"));
        }
        yaml.append("  issues:\n    provider: command\n    session: 1h\n    on-register: adopt\n");
        yaml.append(
                "    issue: { timeout: 60s, attempts: 1 }\n    command: { issue: { shell: 'echo secret-rubbish' } }\n");
        yaml.append("environments:\n");
        HABITS.forEach(habit -> yaml.append("  - { name: %s-1, pool: %s }\n".formatted(habit, habit)));
        yaml.append("  - { name: issues-1, pool: issues }\n");
        return yaml.toString();
    }

    @Test
    void whatFailsIsDirtyWithItsReasonAndComesBackByAnOperator(@TempDir Path folder) {
        try (var site = new Site(folder, String.join(", ", HABITS) + ", issues", pools())) {
            site.program("clean.sh", CLEAN);
            var server = site.serve();
            var operator = server.operator();
            for (var habit : HABITS) {
                operator.awaitState(habit + "-1", "available");
                var granted = server.consumer().ask(habit, "");
                assertThat(granted.status()).as(granted.text()).isEqualTo(200);
                server.consumer().release(granted.field("id"));
            }
            for (var habit : HABITS) {
                operator.awaitState(habit + "-1", "dirty");
                var environment = operator.get("/environments/" + habit + "-1");
                assertThat(environment.field("reason")).startsWith(REASONS.get(habit));
                assertThat(environment.field("report")).contains("about to clean " + habit + "-1");
                assertThat(server.consumer().ask(habit, "").status())
                        .as("dirty is not lent")
                        .isEqualTo(423);
                assertThat(operator.events(habit, "environment-dirty")).hasSize(1);
            }
            assertThat(OrphanTest.isAlive(Long.parseLong(site.read("daemon").strip())))
                    .as("the daemon that ignored SIGTERM")
                    .isFalse();
            site.write("mended", "");
            for (var habit : HABITS) {
                assertThat(operator.must("POST", "/environments/" + habit + "-1/clean", null)
                                .status())
                        .isEqualTo(200);
                operator.awaitState(habit + "-1", "available");
                assertThat(server.consumer().ask(habit, "").status()).isEqualTo(200);
            }
            assertThat(site.data().resolve("running")).isEmptyDirectory();
        }
        Proofs.record(
                "Hostile clean-up programs",
                "hang, print rubbish, fork and ignore SIGTERM, die by a signal, fail: dirty with reason and report, back by"
                        + " `clean`");
    }

    @Test
    void accessThatCannotBeUnderstoodIsNobodysAndNotLogged(@TempDir Path folder) {
        try (var site = new Site(folder, String.join(", ", HABITS) + ", issues", pools())) {
            site.program("clean.sh", CLEAN);
            var server = site.serve();
            server.operator().awaitState("issues-1", "available");
            var refused = server.consumer().ask("issues", ",\"maxWait\":\"30s\"", "Prefer", "wait=30");
            assertThat(refused.status()).as(refused.text()).isEqualTo(503);
            assertThat(refused.field("code")).isEqualTo("access-failed");
            assertThat(refused.retryAfter()).isPresent();
            assertThat(refused.text()).doesNotContain("secret-rubbish");
            assertThat(server.log()).doesNotContain("secret-rubbish");
            assertThat(server.operator().events("issues").toString()).doesNotContain("secret-rubbish");
            Await.until(
                    "nothing is kept",
                    () -> server.operator()
                            .get("/allocations?pool=issues")
                            .body()
                            .path("allocations")
                            .isEmpty());
            assertThat(Files.exists(site.data())).isTrue();
        }
    }
}
