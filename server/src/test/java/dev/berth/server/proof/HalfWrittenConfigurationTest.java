package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A configuration file that is found half written changes nothing. */
class HalfWrittenConfigurationTest {
    private static String pools(int environments) {
        var yaml = new StringBuilder("pools:\n  plain: { provider: fixed, session: 1h }\nenvironments:\n");
        for (int i = 1; i <= environments; i++) {
            yaml.append("  - { name: plain-%d, pool: plain }\n".formatted(i));
        }
        return yaml.toString();
    }

    @Test
    void aRunningServiceKeepsWhatIsInForceUntilTheFileIsWhole(@TempDir Path folder) {
        try (var site = new Site(folder, "plain", pools(9))) {
            var whole = site.read("berth.yaml");
            site.configure("plain", pools(8));
            var server = site.serve();
            var api = server.operator();
            Await.until("all are there", () -> count(api) == 8);

            site.write("berth.yaml", whole.substring(0, whole.indexOf("plain-3") + 3));
            Await.until("what is no YAML is refused", () -> refusals(api) == 1);
            site.write("berth.yaml", whole.substring(0, whole.indexOf("  - { name: plain-3")));
            Await.until("what is good YAML, but lacks most of it, is refused", () -> refusals(api) == 2);
            assertThat(count(api)).isEqualTo(8);
            assertThat(server.consumer().get("/pools/plain").status())
                    .as("principals stay")
                    .isEqualTo(200);

            site.write("berth.yaml", whole);
            Await.until("the whole file is in force", () -> count(api) == 9);
        }
        Proofs.record(
                "Configuration half written",
                "cut within a line and between two: refused with an event, what was in force stays, the whole file comes into"
                        + " force");
    }

    @Test
    void aStartWithHalfAFileIsRefusedWithItsLine(@TempDir Path folder) {
        try (var site = new Site(folder, "plain", pools(8))) {
            var whole = site.read("berth.yaml");
            site.write("berth.yaml", whole.substring(0, whole.indexOf("plain-3") + 3));
            var server = site.launch(List.of(), site.data(), 0, "FULL");
            assertThat(server.awaitExit()).isEqualTo(78);
            assertThat(server.log()).contains("berth.yaml cannot be used:").containsPattern("line \\d+");
        }
    }

    private static int count(Api api) {
        return api.get("/pools/plain").body().path("environments").path("total").asInt();
    }

    private static int refusals(Api api) {
        return api.events("plain", "configuration-refused").size();
    }
}
