package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.cli.LiveBerth.Running;
import dev.berth.client.BerthClient;
import dev.berth.client.EnvironmentQuery;
import dev.berth.client.EventQuery;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code berth serve} as a process: starts, stops, crashes, and files that change under it. */
@Order(2)
@Timeout(600)
class ServeProcessTest {
    @TempDir
    private Path folder;

    private LiveBerth berth;

    @BeforeEach
    void start() {
        berth = new LiveBerth(folder);
    }

    @AfterEach
    void stop() {
        berth.close();
    }

    @Test
    void aRunOutlivesAKilledServiceWhileItWorksAndWhileItWaits() throws Exception {
        berth.configure(LiveBerth.configuration(Map.of("lab", 1), folder));
        Running first = berth.serve();
        Running working = berth.berth(
                "run",
                "--pool",
                "lab",
                "--keepalive",
                "10s",
                "--",
                "sh",
                "-c",
                "touch works; while [ ! -e go ]; do sleep 0.05; done");
        LiveBerth.await(() -> Files.exists(berth.path("works")), working);
        Running waiting = berth.berth("run", "--pool", "lab", "--keepalive", "10s", "--", "touch", "had-its-turn");
        LiveBerth.await(() -> waiting.err().contains("position 1"), waiting);

        first.vanish();
        LiveBerth.await(() -> waiting.err().contains("trying again"), waiting);
        berth.serve();

        assertThat(berth.done("environments", "lab-1")).contains("allocated");
        Files.createFile(berth.path("go"));
        assertThat(working.exitCode()).as(working::err).isZero();
        assertThat(waiting.exitCode()).as(waiting::err).isZero();
        assertThat(berth.path("had-its-turn")).exists();
    }

    @Test
    void aRunThatWaitedThroughARestartHasTimeToFetchWhatItIsGranted() throws Exception {
        berth.configure(LiveBerth.configuration(Map.of("lab", 1, "clock", 1), folder));
        Running first = berth.serve();
        Running working = berth.berth(
                "run", "--pool", "lab", "--", "sh", "-c", "touch works; while [ ! -e go ]; do sleep 0.05; done");
        LiveBerth.await(() -> Files.exists(berth.path("works")), working);
        Running waiting = berth.berth("run", "--pool", "lab", "--keepalive", "10s", "--", "touch", "had-its-turn");
        LiveBerth.await(() -> waiting.err().contains("position 1"), waiting);
        // The loan of one that is killed tells when ten seconds are over.
        Running clock = berth.berth(
                "run", "--pool", "clock", "--keepalive", "10s", "--", "sh", "-c", "touch ticks; exec sleep 600");
        LiveBerth.await(() -> Files.exists(berth.path("ticks")), clock);

        waiting.signal("STOP");
        first.vanish();
        berth.serve();
        Files.createFile(berth.path("go"));
        assertThat(working.exitCode()).as(working::err).isZero();
        awaitEvents("lab", "allocation-active", 2);
        clock.vanish();
        awaitEvents("clock", "keepalive-lost", 1);

        waiting.signal("CONT");
        assertThat(waiting.exitCode()).as(waiting::err).isZero();
        assertThat(berth.path("had-its-turn")).exists();
    }

    private void awaitEvents(String pool, String word, long wanted) {
        BerthClient client = berth.client();
        LiveBerth.await(() -> client.events(new EventQuery(pool, null, null)).events().stream()
                        .filter(event -> event.json().contains(word))
                        .count()
                >= wanted);
    }

    @Test
    void aDataFolderBelongsToOneServiceAtATime() throws Exception {
        berth.configure(LiveBerth.configuration(Map.of("lab", 1), folder));
        berth.serve();
        Running second = berth.berth("serve", "--port", "0");
        assertThat(second.exitCode()).isEqualTo(ExitCode.NOTHING_FREE);
        assertThat(second.err()).contains("is in use by another berth");
    }

    @Test
    void anAddressThatIsInUseIsExit69() throws Exception {
        berth.configure(LiveBerth.configuration(Map.of("lab", 1), folder));
        berth.serve();
        String port = berth.url().substring(berth.url().lastIndexOf(':') + 1);
        Running second = berth.berth(
                "serve", "--config", "berth.yaml", "--data", berth.path("other").toString(), "--port", port);
        assertThat(second.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(second.err()).contains("berth: Cannot listen on 127.0.0.1:" + port + ": it is in use");
        assertThat(berth.path("other/endpoint.json")).doesNotExist();
    }

    @Test
    void aDatabaseOfAnotherVersionIsExit78AndOneSentence() throws Exception {
        berth.configure(LiveBerth.configuration(Map.of("lab", 1), folder));
        Running first = berth.serve();
        first.signal("TERM");
        assertThat(first.exitCode()).isZero();
        Path database = berth.path("data/berth.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("UPDATE flyway_schema_history SET checksum = checksum - 1");
        }

        Running refused = berth.berth("serve", "--config", "berth.yaml", "--port", "0");
        assertThat(refused.exitCode()).isEqualTo(ExitCode.BAD_CONFIGURATION);
        assertThat(refused.err().strip())
                .isEqualTo(
                        "berth: The database " + database + " was made by another version of berth: start the version"
                                + " that made it, move the file away to begin anew, or give another folder with --data.");
    }

    @Test
    void theUsualDataFolderIsInTheHomeThatTheEnvironmentNames() throws Exception {
        Map<String, String> elsewhere =
                Map.of("HOME", berth.path("home").toString(), "BERTH_DATA", "", "XDG_STATE_HOME", "");
        Running nowhere = berth.berth(elsewhere, "status");
        assertThat(nowhere.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(nowhere.err()).contains("the data folder " + berth.path("home"));
    }

    @Test
    void aBadConfigurationIsExit78WithEachMistakeOnItsLine() throws Exception {
        berth.configure("""
                pools:
                  lab: { provider: command, sesion: 3h }
                environments:
                  - { name: a, pool: lab, colour: red }
                """);
        Running refused = berth.berth("serve", "--config", "berth.yaml", "--port", "0");
        assertThat(refused.exitCode()).isEqualTo(ExitCode.BAD_CONFIGURATION);
        assertThat(refused.err().lines())
                .anyMatch(line -> line.startsWith("  line 2: pools.lab.sesion"))
                .anyMatch(line -> line.startsWith("  line 4: "));
    }

    @Test
    void sigtermStopsItGracefullyAndTheNextStartGoesOn() throws Exception {
        berth.configure(LiveBerth.configuration(Map.of("lab", 1), folder));
        Running first = berth.serve();
        berth.awaitAvailable("lab", 1);
        first.signal("TERM");
        assertThat(first.exitCode()).as(first::err).isZero();
        assertThat(berth.berth("status").exitCode()).isEqualTo(ExitCode.UNAVAILABLE);

        berth.serve();
        assertThat(berth.done("status")).contains("lab");
        assertThat(berth.done("events")).contains("environment-registered");
    }

    @Test
    void aChangedFileComesIntoForceAndAHalfWrittenOneDoesNot() throws Exception {
        berth.configure(LiveBerth.configuration(Map.of("lab", 1), folder));
        Running server = berth.serve();
        berth.awaitAvailable("lab", 1);

        String two = LiveBerth.configuration(Map.of("lab", 2), folder);
        berth.configure(two.substring(0, two.length() - 12));
        LiveBerth.await(() -> server.err().contains("is not in force"), server);
        assertThat(berth.done("environments")).contains("lab-1");
        assertThat(berth.done("events")).contains("configuration-refused");

        berth.configure(two);
        berth.awaitAvailable("lab", 2);
    }

    @Test
    void aStartWithAFileThatIsRefusedDoesNotNameItAsTheConfiguration() throws Exception {
        berth.configure(LiveBerth.configuration(Map.of("lab", 1, "desk", 1), folder));
        Running first = berth.serve();
        LiveBerth.await(() -> first.err().contains("  data "), first);
        assertThat(first.err())
                .contains("  configuration  " + berth.path("berth.yaml") + ", read again when it changes");
        first.signal("TERM");
        assertThat(first.exitCode()).isZero();

        berth.configure(LiveBerth.configuration(Map.of("lab", 1), folder));
        Running second = berth.serve();
        LiveBerth.await(() -> second.err().contains("  data "), second);
        assertThat(second.err())
                .contains("is not in force, the configuration before it is")
                .contains("  configuration  the one before " + berth.path("berth.yaml") + ", which is refused");
        assertThat(berth.done("environments")).contains("desk-1");
    }

    @Test
    void aFileThatRemovesAPoolNeedsAWordOfAPerson() throws Exception {
        berth.configure(LiveBerth.configuration(Map.of("lab", 1, "desk", 1), folder));
        Running server = berth.serve();
        berth.awaitAvailable("desk", 1);

        berth.configure(LiveBerth.configuration(Map.of("lab", 1), folder));
        LiveBerth.await(() -> server.err().contains("is not in force"), server);
        Running refused = berth.berth("config", "apply", "berth.yaml");
        assertThat(refused.exitCode()).isEqualTo(ExitCode.BAD_CONFIGURATION);
        assertThat(berth.done("environments")).contains("desk-1");

        assertThat(berth.done("config", "apply", "--allow-removals", "berth.yaml"))
                .contains("desk-1");
        BerthClient client = berth.client();
        LiveBerth.await(
                () -> !client.environments(EnvironmentQuery.all()).json().contains("desk-1"), server);
        assertThat(berth.done("environments")).contains("lab-1").doesNotContain("desk-1");
    }

    @Test
    void overHttpsItIsFoundByItsCertificateOnThisMachineAndByTheAuthorityElsewhere() throws Exception {
        berth.configure("pools: {lab: {provider: fixed, revocable: false}}");
        Path certificate = berth.path("tls.crt");
        Path key = berth.path("tls.key");
        makeCertificate("berth.example", certificate, key);
        Running server = berth.serve("--tls-cert", certificate.toString(), "--tls-key", key.toString());
        assertThat(berth.url()).startsWith("https://");
        assertThat(berth.done("status")).contains("lab"); // by a name that the certificate does not have

        makeCertificate("127.0.0.1", certificate, key);
        LiveBerth.await(() -> server.err().contains("is served with now"), server);
        assertThat(berth.done("status")).contains("lab");
        assertThat(berth.done("status", "--url", berth.url(), "--ca-file", certificate.toString()))
                .contains("lab");
        Running stranger = berth.berth("status", "--url", berth.url());
        assertThat(stranger.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(stranger.err()).contains("certificat");
    }

    private void makeCertificate(String host, Path certificate, Path key) throws Exception {
        Path file = Files.createTempDirectory(folder, "keys").resolve("keys.p12");
        boolean address = Character.isDigit(host.charAt(0));
        Process keytool = new ProcessBuilder((Path.of(System.getProperty("java.home"), "bin", "keytool")
                                + " -genkeypair -keyalg EC -alias a -dname CN=%s -ext SAN=%s:%s -storepass of-no-use"
                                        .formatted(host, address ? "IP" : "DNS", host)
                                + " -storetype PKCS12 -keystore " + file)
                        .split(" "))
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore store = KeyStore.getInstance(file.toFile(), "of-no-use".toCharArray());
        Files.writeString(
                certificate, pem("CERTIFICATE", store.getCertificate("a").getEncoded()));
        Files.writeString(
                key,
                pem("PRIVATE KEY", store.getKey("a", "of-no-use".toCharArray()).getEncoded()));
    }

    private static String pem(String label, byte[] der) {
        return "-----BEGIN %1$s-----%n%2$s%n-----END %1$s-----%n"
                .formatted(label, Base64.getMimeEncoder().encodeToString(der));
    }
}
