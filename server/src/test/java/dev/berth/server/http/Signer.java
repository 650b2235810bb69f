package dev.berth.server.http;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signs as clients do, with AWS Signature Version 4.
 *
 * @param scope region and service, with a slash between
 */
record Signer(String key, String secret, String scope) {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    /**
     * The headers to add to a request: what is signed but for the host, and the signature.
     *
     * @param path as it is signed
     * @param query as it is signed
     * @param more headers that are to be signed too, by their names in lower case
     */
    Map<String, String> sign(
            Instant at, String method, String host, String path, String query, String body, Map<String, String> more) {
        var time = TIME.format(at);
        var headers = new TreeMap<>(more);
        headers.put("host", host);
        headers.put("x-amz-date", time);
        var canonical = new StringBuilder(method + "\n" + path + "\n" + query + "\n");
        headers.forEach((name, value) ->
                canonical.append(name).append(':').append(value).append('\n'));
        var names = String.join(";", headers.keySet());
        canonical.append('\n').append(names).append('\n').append(hash(body));
        var scoped = time.substring(0, 8) + "/" + scope + "/aws4_request";
        var toSign = "AWS4-HMAC-SHA256\n" + time + "\n" + scoped + "\n" + hash(canonical.toString());
        var signing = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
        for (var part : scoped.split("/", -1)) {
            signing = hmac(signing, part);
        }
        headers.remove("host");
        headers.put(
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=" + key + "/" + scoped + ", SignedHeaders=" + names + ", Signature="
                        + HexFormat.of().formatHex(hmac(signing, toSign)));
        return headers;
    }

    static String hash(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
