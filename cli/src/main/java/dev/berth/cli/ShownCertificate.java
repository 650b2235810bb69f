package dev.berth.cli;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Trusts one certificate, whoever made it and whatever names it has: that of the service on this machine, which left word of it in its
 * data folder, and whose certificate has its public name and not 127.0.0.1.
 */
final class ShownCertificate extends X509ExtendedTrustManager {
    private final byte[] digest;

    private ShownCertificate(byte[] digest) {
        this.digest = digest;
    }

    /**
     * Trusts nothing else.
     *
     * @param sha256 of the certificate, in hexadecimal
     */
    static SSLContext only(String sha256) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    null,
                    new TrustManager[] {new ShownCertificate(HexFormat.of().parseHex(sha256))},
                    null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK has no TLS", e);
        } catch (IllegalArgumentException e) {
            throw new CliFailure(
                    ExitCode.UNAVAILABLE, "the data folder's endpoint.json is damaged; name the service with --url", e);
        }
    }

    private void check(X509Certificate[] chain) throws CertificateException {
        try {
            byte[] shown = MessageDigest.getInstance("SHA-256").digest(chain[0].getEncoded());
            if (!MessageDigest.isEqual(digest, shown)) {
                throw new CertificateException("another service than that of the data folder answers there");
            }
        } catch (GeneralSecurityException e) {
            throw e instanceof CertificateException own ? own : new CertificateException(e);
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("this is no server");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException("this is no server");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("this is no server");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
