package dev.berth.server.app;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A certificate with those that vouch for it, the service's own first, and its private key, as two PEM files have them (RFC 7468). Keys
 * are RSA, EC or EdDSA, in PKCS#8 or in the older forms that programs still write: PKCS#1 for RSA, SEC 1 for EC.
 */
record PemPair(List<X509Certificate> chain, PrivateKey key) {
    private static final int LARGEST = 1 << 20;
    private static final Pattern KEY =
            Pattern.compile("-----BEGIN ((?:[A-Z0-9]+ )?PRIVATE KEY)-----(.*?)-----END \\1-----", Pattern.DOTALL);
    private static final Map<String, String> SIGNATURES =
            Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "EdDSA", "EdDSA");

    private static final byte[] VERSION_0 = {2, 1, 0};
    /** The algorithm identifier of RSA (RFC 8017, A.1). */
    private static final byte[] RSA = HexFormat.of().parseHex("300d06092a864886f70d0101010500");

    /** The identifier of EC keys, which that of the curve follows (RFC 5480, 2.1.1). */
    private static final byte[] EC = HexFormat.of().parseHex("06072a8648ce3d0201");

    /** The files cannot serve. The message names the file, and shows nothing of a key. */
    static final class Unusable extends Exception {
        private static final long serialVersionUID = 1;

        Unusable(String message) {
            super(message);
        }
    }

    PemPair {
        chain = List.copyOf(chain);
    }

    X509Certificate certificate() {
        return chain.getFirst();
    }

    /** The content of a file, which is not looked at. */
    static String text(Path file) throws Unusable {
        try (var in = Files.newInputStream(file)) {
            var bytes = in.readNBytes(LARGEST + 1);
            if (bytes.length > LARGEST) {
                throw new Unusable(file + " has more than " + LARGEST + " bytes");
            }
            return new String(bytes, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            throw new Unusable(file + " is missing");
        } catch (IOException e) {
            throw new Unusable(file + " cannot be read: " + e.getMessage());
        }
    }

    /**
     * Reads a pair.
     *
     * @param certificates what {@code certificateFile} holds
     * @param key what {@code keyFile} holds
     * @throws Unusable also where the two do not fit each other
     */
    static PemPair of(Path certificateFile, String certificates, Path keyFile, String key) throws Unusable {
        var chain = chain(certificateFile, certificates);
        var own = chain.getFirst().getPublicKey();
        var block = KEY.matcher(key);
        if (!block.find()) {
            throw new Unusable(keyFile + " has no private key in PEM (-----BEGIN PRIVATE KEY-----)");
        }
        if (block.group(1).startsWith("ENCRYPTED") || block.group(2).contains("ENCRYPTED")) {
            throw new Unusable(
                    keyFile + " has a key with a passphrase: give it without one, for its owner alone to read");
        }
        var signature = SIGNATURES.get(own.getAlgorithm());
        if (signature == null) {
            throw new Unusable(certificateFile + " is for a key of the kind " + own.getAlgorithm()
                    + ": RSA, EC and EdDSA can be served");
        }
        var unfit = keyFile + " is not the key of the first certificate in " + certificateFile;
        PrivateKey secret;
        try {
            var pkcs8 = pkcs8(block.group(1), Base64.getMimeDecoder().decode(block.group(2)));
            secret = KeyFactory.getInstance(own.getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (GeneralSecurityException | IllegalArgumentException | IndexOutOfBoundsException _) {
            // What it was that could not be read is left out: it might be a part of the key.
            throw new Unusable(unfit + ", or is damaged");
        }
        if (!fits(signature, secret, own)) {
            throw new Unusable(unfit);
        }
        return new PemPair(chain, secret);
    }

    private static List<X509Certificate> chain(Path file, String pem) throws Unusable {
        try {
            var chain = CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(pem.getBytes(StandardCharsets.ISO_8859_1)))
                    .stream()
                    .map(X509Certificate.class::cast)
                    .toList();
            if (!chain.isEmpty()) {
                return chain;
            }
        } catch (CertificateException e) {
            throw new Unusable(file + " cannot be read as certificates in PEM: " + e.getMessage());
        }
        throw new Unusable(file + " has no certificate in PEM (-----BEGIN CERTIFICATE-----)");
    }

    private static boolean fits(String algorithm, PrivateKey key, PublicKey certified) {
        try {
            var probe = "Does this key belong to that certificate?".getBytes(StandardCharsets.US_ASCII);
            var signature = Signature.getInstance(algorithm);
            signature.initSign(key);
            signature.update(probe);
            var signed = signature.sign();
            signature.initVerify(certified);
            signature.update(probe);
            return signature.verify(signed);
        } catch (GeneralSecurityException _) {
            return false;
        }
    }

    // ---- older forms of keys, put into the newer one

    private static byte[] pkcs8(String label, byte[] der) {
        return switch (label) {
            case "RSA PRIVATE KEY" -> element(0x30, VERSION_0, RSA, element(0x04, der));
            case "EC PRIVATE KEY" -> element(0x30, VERSION_0, element(0x30, EC, curve(der)), element(0x04, der));
            default -> der;
        };
    }

    /** The identifier of the curve that an EC key names: the element [0] of its sequence (RFC 5915, 3). */
    private static byte[] curve(byte[] sec1) {
        int at = content(sec1, 0);
        while (sec1[at] != (byte) 0xA0) {
            at = content(sec1, at) + length(sec1, at);
        }
        int begin = content(sec1, at);
        return Arrays.copyOfRange(sec1, begin, begin + length(sec1, at));
    }

    /** Where the content of the element at a place begins (X.690, 8.1.3). */
    private static int content(byte[] der, int at) {
        boolean isLong = der[at + 1] < 0; // then its other bits say how many bytes tell the length
        return at + 2 + (isLong ? der[at + 1] & 0x7F : 0);
    }

    private static int length(byte[] der, int at) {
        int length = der[at + 1] & 0xFF;
        if (length < 0x80) {
            return length;
        }
        int value = 0;
        for (int i = 0; i < (length & 0x7F); i++) {
            value = (value << 8) | (der[at + 2 + i] & 0xFF);
        }
        return value;
    }

    private static byte[] element(int tag, byte[]... parts) {
        var content = new ByteArrayOutputStream();
        for (var part : parts) {
            content.writeBytes(part);
        }
        var element = new ByteArrayOutputStream();
        element.write(tag);
        int length = content.size();
        if (length >= 0x80) {
            int bytes = (Integer.SIZE - Integer.numberOfLeadingZeros(length) + 7) / 8;
            element.write(0x80 | bytes);
            for (int i = bytes - 1; i >= 0; i--) {
                element.write(length >> (8 * i));
            }
        } else {
            element.write(length);
        }
        element.writeBytes(content.toByteArray());
        return element.toByteArray();
    }
}
