package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.proof.SyscallTrace.What;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A reply comes after a sync of what it reports. {@code kill -9} cannot show that, since the page cache outlives a process: strace
 * can.
 */
class DurabilityTest {
    private static final int PAIRS = 20;

    private static final String POOLS = """
            pools:
              plain: { provider: fixed, session: 1h }
            environments:
              - { name: plain-1, pool: plain }
              - { name: plain-2, pool: plain }
            """;

    @Test
    void aSyncComesBeforeEachReply(@TempDir Path folder) throws Exception {
        var trace = trace(folder, "FULL");
        assertThat(trace.count(What.REPLY)).isGreaterThanOrEqualTo(3L * PAIRS);
        assertThat(trace.repliesWithoutSync()).isEmpty();
        Proofs.record(
                "A sync before each reply",
                "%d changing requests, each with a write to the log and a whole sync after it before the reply began"
                        .formatted(trace.count(What.REQUEST)));
    }

    @Test
    void withoutSyncsTheSameLookFindsEveryReply(@TempDir Path folder) throws Exception {
        var trace = trace(folder, "OFF");
        assertThat(trace.count(What.LOG_WRITE)).isPositive();
        assertThat(trace.repliesWithoutSync()).hasSize(3 * PAIRS);
        Proofs.record(
                "The same with synchronous=OFF",
                "all of its %d replies are found to come without a sync".formatted(3 * PAIRS));
    }

    @Test
    void aReplyBeforeTheEndOfTheSyncIsFound() {
        var trace = new SyscallTrace(List.of(
                "7 1.000001 read(9<TCP:[1->2]>, \"POST /allocations HTTP/1.1\\r\\n\"..., 8192) = 300",
                "8 1.000002 pwrite64(5</d/berth.db-wal>, \"x\"..., 4096, 32) = 4096",
                "8 1.000003 fdatasync(5</d/berth.db-wal> <unfinished ...>",
                "7 1.000004 write(9<TCP:[1->2]>, \"HTTP/1.1 200 OK\\r\\n\"..., 900) = 900",
                "8 1.000005 <... fdatasync resumed>)    = 0"));
        assertThat(trace.repliesWithoutSync()).hasSize(1);
    }

    private static SyscallTrace trace(Path folder, String synchronous) throws IOException {
        requireStrace();
        var file = folder.resolve("trace");
        try (var site = new Site(folder, "plain", POOLS)) {
            var server = site.serve(
                    List.of(
                            "strace",
                            "-f",
                            "-qq",
                            "-ttt",
                            "-y",
                            "-s",
                            "32",
                            "-e",
                            "trace=fsync,fdatasync,write,pwrite64,writev,sendto,sendmsg,read,recvfrom",
                            "-e",
                            "signal=none",
                            "-o",
                            file.toString()),
                    site.data(),
                    0,
                    synchronous);
            var api = server.consumer();
            api.get("/pools");
            for (int i = 0; i < PAIRS; i++) {
                var granted = api.ask("plain", ",\"keepalive\":\"60s\"");
                assertThat(granted.status()).as(granted.text()).isEqualTo(200);
                var id = granted.field("id");
                assertThat(api.must("POST", "/allocations/" + id + "/keepalive", null)
                                .status())
                        .isEqualTo(200);
                assertThat(api.release(id).status()).isEqualTo(200);
            }
            server.kill9();
        }
        return new SyscallTrace(Files.readAllLines(file, java.nio.charset.StandardCharsets.ISO_8859_1));
    }

    /** Skipping would leave the promise unproven without anybody noticing. */
    private static void requireStrace() throws IOException {
        var words = new ArrayList<>(List.of("strace", "-qq", "-o", "/dev/null", "true"));
        try {
            var process = new ProcessBuilder(words).redirectErrorStream(true).start();
            var said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            assertThat(process.waitFor())
                    .as("strace may trace here (in a container: --cap-add=SYS_PTRACE): %s", said)
                    .isZero();
        } catch (IOException e) {
            throw new AssertionError("this test needs strace (apt-get install strace)", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }
}
