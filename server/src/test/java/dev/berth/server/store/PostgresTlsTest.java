package dev.berth.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The way to a PostgreSQL that encrypts, with a certificate for "localhost" of an authority of our own. */
class PostgresTlsTest {
    private static final char[] PASSWORD = "of-no-use".toCharArray();

    @TempDir
    private static Path folder;

    private static OwnPostgres server;

    @BeforeAll
    static void begin() throws Exception {
        authority("ca");
        authority("another-ca");
        keytool(
                "-genkeypair",
                "-alias",
                "server",
                "-keyalg",
                "EC",
                "-dname",
                "CN=server",
                "-keystore",
                file("server.p12"));
        var request = keytool("-certreq", "-alias", "server", "-keystore", file("server.p12"));
        var asked = Files.writeString(folder.resolve("server.csr"), request);
        var certificate = keytool(
                "-gencert",
                "-alias",
                "ca",
                "-rfc",
                "-ext",
                "SAN=dns:localhost",
                "-infile",
                asked.toString(),
                "-keystore",
                file("ca.p12"));
        Files.writeString(folder.resolve("server.pem"), certificate);
        var key = Files.createFile(
                folder.resolve("server.key"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(
                key,
                pem("PRIVATE KEY", store("server").getKey("server", PASSWORD).getEncoded()));
        server = OwnPostgres.create(
                folder.resolve("data"),
                Map.of("ssl", "on", "ssl_cert_file", file("server.pem"), "ssl_key_file", key.toString()));
    }

    @AfterAll
    static void end() {
        server.close();
    }

    private static String file(String name) {
        return folder.resolve(name).toString();
    }

    private static void authority(String name) throws Exception {
        keytool(
                "-genkeypair",
                "-alias",
                name,
                "-keyalg",
                "EC",
                "-ext",
                "bc:c",
                "-dname",
                "CN=" + name,
                "-keystore",
                file(name + ".p12"));
        Files.writeString(
                folder.resolve(name + ".pem"),
                pem("CERTIFICATE", store(name).getCertificate(name).getEncoded()));
    }

    private static KeyStore store(String name) throws IOException, GeneralSecurityException {
        return KeyStore.getInstance(folder.resolve(name + ".p12").toFile(), PASSWORD);
    }

    private static String keytool(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of("-storetype", "PKCS12", "-storepass", new String(PASSWORD)));
        var said = Files.createTempFile(folder, "keytool", ".txt");
        var keytool = new ProcessBuilder(command).redirectError(said.toFile()).start();
        var out = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(out + Files.readString(said)).isZero();
        return out;
    }

    private static String pem(String label, byte[] der) {
        return "-----BEGIN %1$s-----%n%2$s%n-----END %1$s-----%n"
                .formatted(label, Base64.getMimeEncoder().encodeToString(der));
    }

    private static Store open(String host, String parameters) {
        return PostgresStore.open(
                PostgresUrl.parse("postgresql://postgres@%s:%d/berth?%s".formatted(host, server.port(), parameters)),
                TestPostgres::noVariable);
    }

    private static String trusting(String authority) {
        return "sslmode=verify-full&sslrootcert=" + file(authority + ".pem");
    }

    @Test
    void everyConnectionToAServerThatIsKnownIsEncrypted() throws SQLException {
        try (var store = open("localhost", trusting("ca"));
                var notifications = store.notifications("p").orElseThrow()) {
            assertThat(store.pools()).isEmpty();
            notifications.send(List.of());
            assertThat(encrypted()).isNotEmpty().containsOnly(true);
        }
    }

    /** Of each connection of berth, whether it is. */
    private static List<Boolean> encrypted() throws SQLException {
        var each = new ArrayList<Boolean>();
        try (var connection = server.connect();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(
                        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'berth'")) {
            while (rows.next()) {
                each.add(rows.getBoolean(1));
            }
        }
        return each;
    }

    @Test
    void aServerThatAnotherAuthorityVouchesForIsNotTold() {
        assertThatThrownBy(() -> open("localhost", trusting("another-ca")))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("cannot be reached")
                .hasMessageContaining("SSL");
    }

    @Test
    void aServerOfAnotherNameIsNotToldUnlessOnlyItsAuthorityIsAskedFor() {
        assertThatThrownBy(() -> open("127.0.0.1", trusting("ca")))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("127.0.0.1")
                .hasMessageContaining("hostname");
        open("127.0.0.1", trusting("ca").replace("verify-full", "verify-ca")).close();
    }

    @Test
    void anAuthorityThatIsNotThereIsSaidToBeMissing() {
        assertThatThrownBy(() -> open("localhost", trusting("nowhere")))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("nowhere.pem");
    }
}
