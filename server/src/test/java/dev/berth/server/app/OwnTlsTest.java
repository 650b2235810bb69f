package dev.berth.server.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.berth.server.app.OwnTls.Seen;
import io.helidon.common.tls.Tls;
import io.helidon.webserver.WebServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.interfaces.ECPrivateKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** The certificate of the service, and how it changes. */
class OwnTlsTest {
    private static MadeCertificate first;
    private static MadeCertificate second;
    private static MadeCertificate rsa;

    @TempDir
    private Path folder;

    private Path certificateFile;
    private Path keyFile;

    @BeforeAll
    static void make(@TempDir Path made) throws Exception {
        first = MadeCertificate.of(made, "EC", "-groupname", "secp256r1");
        second = MadeCertificate.of(made, "Ed25519");
        rsa = MadeCertificate.of(made, "RSA");
    }

    @BeforeEach
    void write() throws Exception {
        certificateFile = folder.resolve("tls.crt");
        keyFile = folder.resolve("tls.key");
        first.write(certificateFile, keyFile);
    }

    private OwnTls read() throws PemPair.Unusable {
        return OwnTls.read(certificateFile, keyFile);
    }

    private static Seen look(OwnTls tls) {
        return tls.look(Instant.now());
    }

    private static SSLContext trusting(MadeCertificate... trusted) throws Exception {
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (var one : trusted) {
            store.setCertificateEntry("trusted-" + store.size(), one.certificate());
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    /** A connection that is kept. */
    private record Connection(SSLSocket socket) implements AutoCloseable {
        static Connection to(WebServer server, SSLContext context) throws Exception {
            var socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", server.port());
            socket.setSoTimeout(60_000);
            return new Connection(socket);
        }

        String call() throws Exception {
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
                    .readLine();
        }

        Certificate shown() throws Exception {
            return socket.getSession().getPeerCertificates()[0];
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    @Test
    void aNewCertificateServesNewConnectionsAndBreaksNoneThatIsOpen() throws Exception {
        var tls = read();
        var server = WebServer.builder()
                .host("127.0.0.1")
                .port(0)
                .tls(Tls.builder().sslContext(tls.context()).build())
                .routing(routing -> routing.get("/", (request, response) -> response.send()))
                .build()
                .start();
        var context = trusting(first, second);
        try (var open = Connection.to(server, context)) {
            assertThat(open.call()).startsWith("HTTP/1.1 2");
            second.write(certificateFile, keyFile);
            assertThat(look(tls)).isEqualTo(Seen.NOTHING_NEW);
            assertThat(look(tls)).isEqualTo(Seen.CHANGED);
            try (var next = Connection.to(server, context)) {
                assertThat(next.call()).startsWith("HTTP/1.1 2");
                assertThat(next.shown()).isEqualTo(second.certificate());
            }
            assertThat(open.call()).startsWith("HTTP/1.1 2");
            assertThat(open.shown()).isEqualTo(first.certificate());
        } finally {
            server.stop();
        }
    }

    @Test
    void aBadPairLeavesTheOneBeforeItInForceAndIsToldOnce() throws Exception {
        var tls = read();
        var before = tls.fingerprint();
        Files.writeString(
                certificateFile,
                MadeCertificate.pem("CERTIFICATE", second.certificate().getEncoded()));
        assertThat(look(tls)).isEqualTo(Seen.NOTHING_NEW);
        assertThat(look(tls)).isEqualTo(Seen.REFUSED);
        assertThat(look(tls)).isEqualTo(Seen.NOTHING_NEW);
        Files.delete(keyFile);
        assertThat(look(tls)).isEqualTo(Seen.REFUSED);
        assertThat(tls.fingerprint()).isEqualTo(before);

        second.write(certificateFile, keyFile);
        look(tls);
        assertThat(look(tls)).isEqualTo(Seen.CHANGED);
        assertThat(tls.fingerprint()).isNotEqualTo(before);
    }

    @Test
    void whatIsNotGoodAnyMoreIsNotTakenUp() throws Exception {
        var tls = read();
        var before = tls.fingerprint();
        second.write(certificateFile, keyFile);
        var late = Instant.now().plus(Duration.ofDays(1000));
        tls.look(late);
        assertThat(tls.look(late)).isEqualTo(Seen.REFUSED);
        assertThat(tls.fingerprint()).isEqualTo(before);
    }

    @Test
    void filesThatDoNotServeAreRefusedWithWhatIsWrong() throws Exception {
        var missing = folder.resolve("missing");
        assertThatThrownBy(() -> OwnTls.read(missing, keyFile)).hasMessage(missing + " is missing");
        assertThatThrownBy(() -> OwnTls.read(keyFile, keyFile)).hasMessageContaining(keyFile.toString());
        assertThatThrownBy(() -> OwnTls.read(certificateFile, certificateFile))
                .hasMessage(certificateFile + " has no private key in PEM (-----BEGIN PRIVATE KEY-----)");
        Files.writeString(
                keyFile, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
        assertThatThrownBy(this::read).hasMessageContaining("has a key with a passphrase");
        var alike = KeyPairGenerator.getInstance("EC").generateKeyPair().getPrivate();
        for (var other : new Key[] {alike, second.key(), rsa.key()}) {
            Files.writeString(keyFile, MadeCertificate.pem("PRIVATE KEY", other.getEncoded()));
            assertThatThrownBy(this::read)
                    .hasMessageStartingWith(keyFile + " is not the key of the first certificate in " + certificateFile);
        }
        Files.writeString(certificateFile, "");
        assertThatThrownBy(this::read)
                .hasMessage(certificateFile + " has no certificate in PEM (-----BEGIN CERTIFICATE-----)");
    }

    @Test
    void aServiceDoesNotStartWithAPairThatDoesNotFit() throws Exception {
        Files.writeString(
                keyFile, MadeCertificate.pem("PRIVATE KEY", second.key().getEncoded()));
        var data = folder.resolve("data");
        var options = new ServeOptions(
                null, data, "127.0.0.1", 0, null, null, new ServeOptions.Tls(certificateFile, keyFile), null);
        assertThatThrownBy(() -> BerthServer.start(options))
                .isInstanceOfSatisfying(
                        StartRefusedException.class,
                        refused -> assertThat(refused.exitCode()).isEqualTo(78))
                .hasMessageStartingWith("TLS cannot be served: " + keyFile + " is not the key of");
        assertThat(data.resolve("berth.db")).doesNotExist();
    }

    @Test
    void keysInTheFormsOfOlderProgramsAreReadToo() throws Exception {
        rsa.write(certificateFile, keyFile);
        var wrapped = rsa.key().getEncoded();
        var pkcs1 = Arrays.copyOfRange(wrapped, 26, wrapped.length); // behind version, algorithm and length
        Files.writeString(keyFile, MadeCertificate.pem("RSA PRIVATE KEY", pkcs1));
        read();

        first.write(certificateFile, keyFile);
        var number = ((ECPrivateKey) first.key()).getS();
        var sec1 = HexFormat.of().parseHex("30310201010420%064xa00a06082a8648ce3d030107".formatted(number));
        Files.writeString(
                keyFile,
                "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
                        + MadeCertificate.pem("EC PRIVATE KEY", sec1));
        read();
    }

    @Test
    void nothingOfAKeyIsLogged() throws Exception {
        var logged = new ListAppender<ILoggingEvent>();
        var root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        logged.list = new CopyOnWriteArrayList<>(); // the PostgreSQL of earlier tests may log beside it
        logged.start();
        root.addAppender(logged);
        try {
            var tls = read();
            var text = Files.readString(keyFile);
            var secret = text.lines().skip(1).findFirst().orElseThrow();
            Files.writeString(keyFile, text.replace("BEGIN", "BEGAN"));
            look(tls);
            assertThat(look(tls)).isEqualTo(Seen.REFUSED);
            Files.writeString(keyFile, text.replace(secret.substring(8, 12), "!?"));
            look(tls);
            assertThat(look(tls)).isEqualTo(Seen.REFUSED);
            assertThat(logged.list)
                    .filteredOn(event -> !event.getLoggerName().startsWith("io.zonky."))
                    .hasSize(2)
                    .noneSatisfy(event -> assertThat(event.toString()).contains(secret.substring(0, 8)));
        } finally {
            root.detachAppender(logged);
        }
    }
}
