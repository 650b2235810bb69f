package dev.berth.server.app;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyManagementException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Objects;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the service proves with who it is: a certificate and its key, read anew when their files change. Connections that are open stay as
 * they are; new ones get what was read last that fits together.
 */
final class OwnTls {
    private static final Logger LOG = LoggerFactory.getLogger(OwnTls.class);
    private static final char[] IN_MEMORY = {};

    private final Path certificateFile;
    private final Path keyFile;
    private final Current current;
    private final SSLContext context;
    private volatile PemPair pair;
    private Files used;
    /** What was seen last, and is looked at once it was seen twice; null where that was done. */
    private @Nullable Files candidate;

    private @Nullable String complaint;

    /** What the two files hold. */
    private record Files(String certificates, String key) {}

    /** What a look at the files found. */
    enum Seen {
        NOTHING_NEW,
        /** Another pair is in use. */
        CHANGED,
        /** The files cannot be used, which is told once: what was in use stays so. */
        REFUSED
    }

    /**
     * Reads the files.
     *
     * @throws PemPair.Unusable where there is nothing to begin with
     */
    static OwnTls read(Path certificateFile, Path keyFile) throws PemPair.Unusable {
        return new OwnTls(certificateFile, keyFile);
    }

    private OwnTls(Path certificateFile, Path keyFile) throws PemPair.Unusable {
        this.certificateFile = certificateFile;
        this.keyFile = keyFile;
        used = files();
        pair = PemPair.of(certificateFile, used.certificates(), keyFile, used.key());
        current = new Current(made(pair));
        context = new CurrentContext(current);
    }

    private Files files() throws PemPair.Unusable {
        return new Files(PemPair.text(certificateFile), PemPair.text(keyFile));
    }

    /** The same for as long as the service runs. */
    SSLContext context() {
        return context;
    }

    /** Until when the certificate in use is good. */
    Instant notAfter() {
        return pair.certificate().getNotAfter().toInstant();
    }

    /** SHA-256 of the certificate in use, in hexadecimal. */
    String fingerprint() {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256")
                            .digest(pair.certificate().getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a certificate that was read can be written", e);
        }
    }

    /**
     * Looks whether the files changed. What is new counts when two looks find the same, so that of files which are being written no half is
     * used; whoever calls lets some time pass between two looks, and calls from one thread.
     *
     * @param time of now: what is not good any more is refused
     */
    Seen look(Instant time) {
        try {
            var now = files();
            if (now.equals(used)) {
                candidate = null;
                complaint = null;
                return Seen.NOTHING_NEW;
            }
            if (!now.equals(candidate)) {
                candidate = now;
                return Seen.NOTHING_NEW;
            }
            var next = PemPair.of(certificateFile, now.certificates(), keyFile, now.key());
            if (next.certificate().getNotAfter().toInstant().isBefore(time)) {
                throw new PemPair.Unusable(certificateFile + " was good until "
                        + next.certificate().getNotAfter().toInstant());
            }
            current.context = made(next);
            pair = next;
            used = now;
            candidate = null;
            complaint = null;
            LOG.info("{} is served with now, good until {}", certificateFile, notAfter());
            return Seen.CHANGED;
        } catch (PemPair.Unusable e) {
            if (Objects.equals(e.getMessage(), complaint)) {
                return Seen.NOTHING_NEW;
            }
            complaint = e.getMessage();
            LOG.error(
                    "the new certificate is not used, the one before it is, good until {}: {}", notAfter(), complaint);
            return Seen.REFUSED;
        }
    }

    private static SSLContext made(PemPair pair) {
        try {
            var store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry("berth", pair.key(), IN_MEMORY, pair.chain().toArray(Certificate[]::new));
            var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, IN_MEMORY);
            var made = SSLContext.getInstance("TLS");
            made.init(keys.getKeyManagers(), new TrustManager[0], null);
            return made;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("a key that fits its certificate cannot be served", e);
        }
    }

    /** The HTTP server keeps the context that it was given: this one asks the latest, which knows no session of the one before. */
    private static final class CurrentContext extends SSLContext {
        CurrentContext(Current current) {
            super(current, current.context.getProvider(), current.context.getProtocol());
        }
    }

    private static final class Current extends SSLContextSpi {
        private volatile SSLContext context;

        Current(SSLContext first) {
            context = first;
        }

        @Override
        protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random)
                throws KeyManagementException {
            throw new KeyManagementException("it was made ready");
        }

        @Override
        protected SSLSocketFactory engineGetSocketFactory() {
            return context.getSocketFactory();
        }

        @Override
        protected SSLServerSocketFactory engineGetServerSocketFactory() {
            return context.getServerSocketFactory();
        }

        @Override
        protected SSLEngine engineCreateSSLEngine() {
            return context.createSSLEngine();
        }

        @Override
        protected SSLEngine engineCreateSSLEngine(String host, int port) {
            return context.createSSLEngine(host, port);
        }

        @Override
        protected SSLSessionContext engineGetServerSessionContext() {
            return context.getServerSessionContext();
        }

        @Override
        protected SSLSessionContext engineGetClientSessionContext() {
            return context.getClientSessionContext();
        }
    }
}
