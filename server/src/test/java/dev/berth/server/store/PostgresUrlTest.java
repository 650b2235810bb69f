package dev.berth.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresUrlTest {
    @TempDir
    private Path folder;

    @Test
    void aUrlSaysWhereAndWhoAndHow() {
        var url = PostgresUrl.parse(
                "postgresql://an%40n@a.example:5433,[::1],c/lab%20one?sslmode=verify-full&sslrootcert=/etc/ca%2Bone.pem");
        assertThat(url.user()).isEqualTo("an@n");
        assertThat(url.hosts()).isEqualTo("a.example:5433,[::1],c");
        assertThat(url.database()).isEqualTo("lab one");
        assertThat(url.parameters()).isEqualTo(Map.of("sslmode", "verify-full", "sslrootcert", "/etc/ca+one.pem"));
        assertThat(url.properties(_ -> null))
                .containsEntry("user", "an@n")
                .containsEntry("sslmode", "verify-full")
                .doesNotContainKey("password");
        assertThat(url).hasToString("postgresql://an@n@a.example:5433,[::1],c/lab one");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "postgresql://ann:very-secret@host/db",
                "postgresql://ann:@host/db",
                "postgresql://host/db?password=very-secret",
                "postgresql://host/db?sslmode=require&PASSWORD=very-secret",
                "postgresql://host/db?sslpassword=very-secret"
            })
    void aPasswordInItIsRefusedWithTheWayToGiveOne(String url) {
        assertThatThrownBy(() -> PostgresUrl.parse(url))
                .isInstanceOf(UnfitDatabaseException.class)
                .hasMessageContaining("BERTH_STORE_PASSWORD")
                .hasMessageContaining("passwordFile=FILE")
                .hasMessageNotContaining("very-secret");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "mysql://host/db; of the form",
                "postgresql://host; of the form",
                "postgresql:host/db; of the form",
                "postgresql://ann@very@host/db; of the form",
                "postgresql://host/; name a database",
                "postgresql:///db; name a host",
                "postgresql://a,,b/db; name a host",
                "postgresql://host:port/db; name a host",
                "postgresql://host/db?socketFactory=a.B; only ApplicationName",
                "postgresql://host/db?sslmode; only ApplicationName",
                "postgresql://host/db?sslmode=require&sslmode=disable; twice",
                "postgresql://host/%zz; hexadecimal"
            })
    void whatIsNoUrlOfAStoreIsRefusedWithWhy(String url, String why) {
        assertThatThrownBy(() -> PostgresUrl.parse(url))
                .isInstanceOf(UnfitDatabaseException.class)
                .hasMessageContaining(why);
    }

    @Test
    void thePasswordComesFromTheFileThenFromBerthsVariableThenFromThatOfPostgres() throws Exception {
        var file = folder.resolve("password");
        Files.writeString(file, "of the file\n");
        var variables = Map.of("BERTH_STORE_PASSWORD", "of berth", "PGPASSWORD", "of postgres");
        var url = PostgresUrl.parse("postgresql://host/db");
        assertThat(PostgresUrl.parse("postgresql://host/db?passwordFile=" + file)
                        .properties(variables::get))
                .containsEntry("password", "of the file");
        assertThat(url.properties(variables::get)).containsEntry("password", "of berth");
        assertThat(url.properties(Map.of("PGPASSWORD", "of postgres")::get)).containsEntry("password", "of postgres");
    }

    @Test
    void aFileWithoutAPasswordIsRefused() throws Exception {
        var empty = folder.resolve("empty");
        Files.writeString(empty, "\n");
        for (var file : new Path[] {empty, folder.resolve("missing"), folder}) {
            var url = PostgresUrl.parse("postgresql://host/db?passwordFile=" + file);
            assertThatThrownBy(() -> url.properties(_ -> null))
                    .isInstanceOf(UnfitDatabaseException.class)
                    .hasMessageContaining(file.toString());
        }
    }
}
