package dev.berth.client;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.Collection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** Whose word is taken for who a service is. */
final class Authorities {
    private Authorities() {}

    /** Where no TLS is spoken, reading all the certificates of the JDK would be half of a short command's time. */
    static SSLContext none() {
        return context(new TrustManager[0]);
    }

    /** Those of a file in PEM, as {@link BerthClient.Builder#caFile} has it. */
    static SSLContext of(Path file) {
        try {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            int number = 0;
            for (Certificate one : certificates(file)) {
                trusted.setCertificateEntry("authority-" + number++, one);
            }
            if (number == 0) {
                throw new IllegalArgumentException(file + " has no certificate in PEM (-----BEGIN CERTIFICATE-----)");
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            return context(trust.getTrustManagers());
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("the JDK cannot keep certificates", e);
        }
    }

    private static Collection<? extends Certificate> certificates(Path file) throws CertificateException {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        try (BufferedInputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            return factory.generateCertificates(in);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(file + " is missing", e);
        } catch (IOException | CertificateException e) {
            throw new IllegalArgumentException(file + " cannot be read as certificates in PEM: " + e.getMessage(), e);
        }
    }

    private static SSLContext context(TrustManager[] trust) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK has no TLS", e);
        }
    }
}
