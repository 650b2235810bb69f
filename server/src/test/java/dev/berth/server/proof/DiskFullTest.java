package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * SQLite cannot commit: 503, nothing half done, and all is well again by itself when there is space.
 *
 * <p>The real thing is a small tmpfs that fills up, in a mount namespace of the server's own: that works as root and, where user
 * namespaces are allowed, for everybody; nothing has to be unmounted. A container may forbid both. A limit on the size of files
 * (RLIMIT_FSIZE, set from outside while the server runs) works everywhere and fails writes in the same places, with another error.
 */
class DiskFullTest {
    private static final String POOLS = """
            pools:
              plain: { provider: fixed, session: 1h }
            environments:
              - { name: plain-1, pool: plain }
              - { name: plain-2, pool: plain }
              - { name: plain-3, pool: plain }
            """;

    private static final int MOST_PAIRS = 5_000;

    /** What can run out of space. */
    private interface Disk {
        void fill() throws IOException, InterruptedException;

        void free() throws IOException, InterruptedException;
    }

    @Test
    void aFullDiskIsRefusedAndSurvived(@TempDir Path folder) throws Exception {
        var unshare = unshare();
        var missing = "neither root nor a user namespace may mount a tmpfs here";
        assumeTrue(unshare != null || System.getenv("CI") != null, missing);
        try (var site = new Site(folder, "plain", POOLS)) {
            Files.createDirectories(site.data());
            var words = new ArrayList<>(Objects.requireNonNull(unshare, missing));
            words.addAll(List.of(
                    "sh",
                    "-c",
                    "mount -t tmpfs -o size=24m,mode=700 berth \"$0\" && exec \"$@\"",
                    site.data().toString()));
            var server = site.serve(words, site.data(), 0, "FULL");
            var ballast =
                    Path.of("/proc/" + server.pid() + "/root" + site.data().toRealPath() + "/ballast");
            survives(server, new Disk() {
                @Override
                public void fill() throws IOException {
                    try (var out = Files.newOutputStream(ballast)) {
                        var block = new byte[4096];
                        while (true) {
                            out.write(block);
                        }
                    } catch (IOException e) {
                        assertThat(e).hasMessageContaining("No space left");
                    }
                }

                @Override
                public void free() throws IOException {
                    Files.delete(ballast);
                }
            });
        }
        Proofs.record(
                "Disk full", "a tmpfs that filled up: 503 with Retry-After, nothing half done, recovered by itself");
    }

    @Test
    void filesThatMayNotGrowAreRefusedAndSurvived(@TempDir Path folder) throws Exception {
        try (var site = new Site(folder, "plain", POOLS)) {
            var server = site.serve();
            survives(server, new Disk() {
                @Override
                public void fill() throws IOException, InterruptedException {
                    limit(server.pid(), Long.toString(Files.size(site.data().resolve("berth.db-wal"))));
                }

                @Override
                public void free() throws IOException, InterruptedException {
                    limit(server.pid(), "unlimited");
                }
            });
        }
        Proofs.record("Files that may not grow", "RLIMIT_FSIZE on the running server: as for the full disk");
    }

    private static void survives(Site.Child server, Disk disk) throws IOException, InterruptedException {
        var api = server.consumer();
        var held = api.ask("plain", ",\"keepalive\":\"60s\"");
        assertThat(held.status()).as(held.text()).isEqualTo(200);
        var id = held.field("id");
        disk.fill();

        // What was written before may be written over: so the first calls can still succeed.
        var released = new ArrayList<String>();
        String unreleased = null;
        Api.Reply refused = null;
        for (int i = 0; refused == null; i++) {
            assertThat(i).as("the disk is full").isLessThan(MOST_PAIRS);
            var reply = api.ask("plain", "", "Idempotency-Key", "full-" + i);
            if (reply.status() == 200) {
                var other = reply.field("id");
                var gone = api.release(other);
                if (gone.status() == 200) {
                    released.add(other);
                } else {
                    unreleased = other;
                    refused = gone;
                }
            } else {
                refused = reply;
            }
        }
        isRefusal(refused);
        isRefusal(api.ask("plain", "", "Idempotency-Key", "while-full"));
        isRefusal(api.must("POST", "/allocations/" + id + "/keepalive", null));
        assertThat(api.get("/allocations/" + id).field("state"))
                .as("reading goes on")
                .isEqualTo("active");
        assertThat(api.get("/healthz/live").status()).isEqualTo(200);
        var operator = server.operator();
        int lent = unreleased == null ? 1 : 2;
        var states = operator.get("/pools/plain").body().path("environments");
        assertThat(states.path("allocated").asInt()).as(states.toString()).isEqualTo(lent);
        assertThat(states.path("available").asInt()).as(states.toString()).isEqualTo(3 - lent);

        disk.free();
        Await.until(
                "keepalives are taken again",
                () -> api.must("POST", "/allocations/" + id + "/keepalive", null)
                                .status()
                        == 200);
        if (unreleased != null) {
            assertThat(api.release(unreleased).status()).isEqualTo(200);
            released.add(unreleased);
        }
        var later = api.ask("plain", "", "Idempotency-Key", "while-full");
        assertThat(later.status()).as("the key was left free: " + later.text()).isEqualTo(200);
        assertThat(api.release(later.field("id")).status()).isEqualTo(200);
        assertThat(api.release(id).status()).isEqualTo(200);
        released.forEach(other ->
                assertThat(api.get("/allocations/" + other).field("endReason")).isEqualTo("released"));
        var checker = new HistoryChecker(Instant::toEpochMilli);
        checker.events(operator.events("plain").stream().map(Load::happened).toList(), List.of());
        checker.told(
                List.of(), operator.events("plain").stream().map(Load::happened).toList(), true);
        assertThat(checker.violations()).isEmpty();
    }

    private static void isRefusal(Api.Reply reply) {
        assertThat(reply.status()).as(reply.text()).isEqualTo(503);
        assertThat(reply.field("code")).isEqualTo("store-unavailable");
        assertThat(reply.retryAfter()).isPresent();
    }

    private static void limit(long pid, String bytes) throws IOException, InterruptedException {
        var prlimit = new ProcessBuilder("prlimit", "--pid", Long.toString(pid), "--fsize=" + bytes + ":unlimited")
                .inheritIO()
                .start();
        assertThat(prlimit.waitFor()).as("prlimit --fsize=%s", bytes).isZero();
    }

    /** The words that give a process mounts of its own; null where nothing does. */
    private static List<String> unshare() throws IOException, InterruptedException {
        for (var words :
                List.of(List.of("unshare", "--mount"), List.of("unshare", "--user", "--map-root-user", "--mount"))) {
            var all = new ArrayList<>(words);
            all.addAll(List.of("sh", "-c", "mount -t tmpfs berth /tmp"));
            var process = new ProcessBuilder(all).redirectErrorStream(true).start();
            process.getInputStream().readAllBytes();
            if (process.waitFor() == 0) {
                return words;
            }
        }
        return null;
    }
}
