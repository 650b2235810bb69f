package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a killed server leaves running is ended before anybody gets the environment it works on. */
class OrphanTest {
    private static final String POOLS = """
            pools:
              shop:
                provider: command
                session: 1h
                on-register: adopt
                command: { clean: [./clean.sh] }
            environments:
              - { name: shop-1, pool: shop }
            """;

    /** The first one would wipe the folder much later, with a helper in a session of its own; others do it at once. */
    private static final String CLEAN = """
            mkdir -p folder
            if mkdir began 2>/dev/null; then
                setsid sh -c 'trap "" TERM HUP; echo $$ >helper; while ! [ -e now ] && [ -e clean.sh ]; do sleep 0.02; done; rm -rf folder/*; echo >harm' &
                while ! [ -s helper ]; do sleep 0.01; done
                trap "" TERM HUP
                echo $$ >leader
                while ! [ -e now ] && [ -e clean.sh ]; do sleep 0.02; done
                rm -rf folder/*
                echo >harm
            else
                rm -rf folder/*
            fi
            """;

    @Test
    void aCleanUpThatOutlivedItsServerIsDeadBeforeTheNextHolderComes(@TempDir Path folder) throws Exception {
        try (var site = new Site(folder, "shop", POOLS)) {
            site.program("clean.sh", CLEAN);
            var first = site.serve();
            first.operator().awaitState("shop-1", "available");
            var held = first.consumer().ask("shop", "");
            assertThat(held.status()).as(held.text()).isEqualTo(200);
            first.consumer().release(held.field("id"));
            Await.until(
                    "the clean-up is at it",
                    () -> Files.exists(site.path("leader"))
                            && site.read("leader").endsWith("\n"));
            long leader = Long.parseLong(site.read("leader").strip());
            long helper = Long.parseLong(site.read("helper").strip());
            first.kill9();
            assertThat(isAlive(leader)).as("it outlives its server").isTrue();
            assertThat(isAlive(helper)).as("and so does its helper").isTrue();

            var second = site.serve();
            var next = second.consumer().ask("shop", ",\"maxWait\":\"50s\"", "Prefer", "wait=50");
            assertThat(next.status()).as(next.text()).isEqualTo(200);
            assertThat(isAlive(leader))
                    .as("it is dead when somebody holds the environment")
                    .isFalse();
            assertThat(isAlive(helper)).as("and so is its helper").isFalse();
            assertThat(next.body().path("environments").path(0).path("epoch").asLong())
                    .isEqualTo(held.body()
                                    .path("environments")
                                    .path(0)
                                    .path("epoch")
                                    .asLong()
                            + 1);

            site.write("folder/mine", "the next holder's");
            site.write("now", ""); // whoever still lived would wipe the folder now
            second.consumer().must("POST", "/allocations/" + next.field("id") + "/keepalive", null);
            assertThat(site.read("folder/mine")).isEqualTo("the next holder's");
            assertThat(site.path("harm")).doesNotExist();
            assertThat(second.operator().events("shop", "claim-lost")).hasSize(1);
        }
        Proofs.record(
                "Orphaned clean-up",
                "the program of a killed server and its helper in another session are dead before the next grant; the next"
                        + " holder's file stays");
    }

    /** Not over and not a zombie: in a container nobody may collect what has ended. */
    static boolean isAlive(long pid) {
        try {
            var stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"), StandardCharsets.ISO_8859_1);
            return "ZX".indexOf(stat.charAt(stat.lastIndexOf(')') + 2)) < 0;
        } catch (IOException e) {
            return false; // its folder is gone, or went away while it was read
        }
    }
}
