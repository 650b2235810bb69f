package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The store as a whole, from the command line. On a PostgreSQL the same is tested where there is one. */
@Timeout(240)
class StoreCommandTest {
    @TempDir
    private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private String data = "";

    @BeforeEach
    void name() {
        data = folder.resolve("data").toString();
    }

    private int berth(String... args) {
        out.reset();
        err.reset();
        return Main.run(
                args,
                new Surroundings(
                        Map.of(),
                        folder,
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        false,
                        false));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aSchemaIsMadeOnceAndSaidFromWhatToWhat() {
        assertThat(berth("migrate", "--data", data, "--check")).isEqualTo(75);
        assertThat(out()).matches("to be brought from nothing to version [0-9]+\n");
        assertThat(Path.of(data)).doesNotExist();
        assertThat(berth("migrate", "--data", data)).isZero();
        assertThat(out()).matches("brought from nothing to version [0-9]+\n");
        assertThat(berth("migrate", "--data", data, "--check")).isZero();
        assertThat(berth("migrate", "--data", data)).isZero();
        assertThat(out()).matches("at version [0-9]+: nothing to do\n");
    }

    @Test
    void aMovedStoreIsServedNoMoreAndSaysWhereItWent() {
        berth("migrate", "--data", data);
        String to = folder.resolve("to").toString();
        assertThat(berth("store", "copy", data, to)).as(err()).isZero();
        assertThat(out())
                .contains("environment ", "0 rows", "moved, as generation ")
                .contains("--key-file " + Path.of(data).resolve("key"));
        assertThat(berth("serve", "--data", data, "--port", "0")).isEqualTo(78);
        assertThat(err()).contains("was moved to " + to);
        assertThat(berth("store", "copy", data, folder.resolve("elsewhere").toString()))
                .isEqualTo(78);
        assertThat(err()).contains("was moved to " + to + " before");
    }

    @Test
    void aBackupIsForItsOwnerAndReplacesNothing() throws Exception {
        Path backup = folder.resolve("backup.db");
        assertThat(berth("store", "backup", "--data", data, backup.toString())).isEqualTo(78);
        assertThat(err()).contains("is not there");
        berth("migrate", "--data", data);
        assertThat(berth("store", "backup", "--data", data, backup.toString()))
                .as(err())
                .isZero();
        assertThat(out()).contains("keep the key too");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(backup)))
                .isEqualTo("rw-------");
        assertThat(berth("store", "backup", "--data", data, backup.toString())).isEqualTo(78);
        assertThat(err()).contains("is there already");
        assertThat(berth(
                        "store",
                        "backup",
                        "--data",
                        data,
                        folder.resolve("no/folder").toString()))
                .isEqualTo(78);
    }

    @Test
    void withoutAServiceATokenIsForAdminAlone() {
        assertThat(berth("token", "create", "--principal", "ci", "--store", "postgresql://127.0.0.1:1/berth"))
                .isEqualTo(64);
        assertThat(berth("token", "create", "--principal", "admin", "--store", "postgresql://127.0.0.1:1/berth"))
                .isEqualTo(69);
        assertThat(err()).contains("postgresql://127.0.0.1:1/berth cannot be reached");
        assertThat(berth("token", "create", "--principal", "admin", "--store", "berth.db"))
                .isEqualTo(78);
    }

    @Test
    void aStoreTakesTheKeyThatItWasServedWithAndOneThatWasRotated() throws IOException {
        String key = folder.resolve("key").toString();
        String other = folder.resolve("other").toString();
        assertThat(berth("key", "rotate", key)).isEqualTo(78);
        assertThat(err()).contains(key + " is missing");
        assertThat(berth("key", "replace", "--store", data, key)).isEqualTo(78);
        assertThat(berth("key", "create", key)).isZero();
        assertThat(berth("key", "create", other)).isZero();
        berth("migrate", "--data", data);
        assertThat(berth("key", "replace", "--store", data, key)).as(err()).isZero();
        assertThat(berth("serve", "--data", data, "--key-file", other, "--port", "0"))
                .isEqualTo(78);
        assertThat(err()).contains(other + " does not fit what is stored encrypted");

        assertThat(berth("key", "rotate", "--prepare", key)).isZero();
        assertThat(out()).contains("encrypts nothing yet");
        assertThat(berth("key", "rotate", "--prepare", key)).isZero();
        assertThat(out()).contains("left as it is");
        assertThat(berth("key", "rotate", key)).isZero();
        assertThat(out()).contains("encrypts what comes");
        Files.writeString(Path.of(other), "no key");
        assertThat(berth("key", "rotate", other)).isEqualTo(78);
        assertThat(Path.of(other)).content().isEqualTo("no key");
    }
}
