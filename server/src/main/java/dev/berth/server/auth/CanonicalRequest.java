package dev.berth.server.auth;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The text of a request that its signature is made of, as
 * <a href="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html">AWS says</a>. Clients do not
 * agree on how a path is written in it, so that there are several such texts of one request.
 */
final class CanonicalRequest {
    private static final Pattern BLANKS = Pattern.compile("\\s+");
    private static final String UNRESERVED = "-._~";
    private static final String HEX = "0123456789ABCDEF";

    private CanonicalRequest() {}

    /**
     * The texts, of which any may be what was signed.
     *
     * @param paths as the client may have sent it
     * @param hosts that the client may have called
     * @param names of the signed headers, in lower case and in their order
     * @param bodyHash SHA-256 of the body, in lower-case hexadecimal
     */
    static Set<String> of(
            SentRequest request,
            Collection<String> paths,
            Collection<String> hosts,
            List<String> names,
            String bodyHash) {
        var query = query(request.query());
        var end = String.join(";", names) + "\n" + bodyHash;
        var texts = new LinkedHashSet<String>();
        for (var host : hosts) {
            var headers = headers(request, names, host);
            for (var path : paths) {
                for (var written : written(path)) {
                    texts.add(request.method() + "\n" + written + "\n" + query + "\n" + headers + "\n" + end);
                }
            }
        }
        return texts;
    }

    private static String headers(SentRequest request, List<String> names, String host) {
        var text = new StringBuilder();
        for (var name : names) {
            var values = name.equals("host") ? List.of(host) : request.header(name);
            text.append(name).append(':');
            for (int i = 0; i < values.size(); i++) {
                text.append(i == 0 ? "" : ",")
                        .append(BLANKS.matcher(values.get(i)).replaceAll(" ").strip());
            }
            text.append('\n');
        }
        return text.toString();
    }

    /**
     * A path with and without dots and doubled slashes taken out, and encoded twice as most do, or once as clients of S3. They are the
     * same for a plain path.
     */
    static Set<String> written(String sent) {
        var written = new LinkedHashSet<String>();
        for (var path : List.of(normalized(sent), sent)) {
            written.add(encoded(path.getBytes(StandardCharsets.UTF_8), "/"));
            written.add(encoded(decoded(path, false), "/"));
        }
        return written;
    }

    private static String normalized(String path) {
        var parts = new ArrayList<String>();
        for (var part : path.split("/", -1)) {
            if (part.equals("..") && !parts.isEmpty()) {
                parts.removeLast();
            } else if (!part.isEmpty() && !part.equals(".") && !part.equals("..")) {
                parts.add(part);
            }
        }
        var joined = "/" + String.join("/", parts);
        return path.endsWith("/") && joined.length() > 1 ? joined + "/" : joined;
    }

    /** Decoded as the service itself reads it, encoded and sorted as AWS has it. */
    static String query(String sent) {
        var parameters = new ArrayList<List<String>>();
        for (var parameter : sent.split("&", -1)) {
            if (!parameter.isEmpty()) {
                int equals = parameter.indexOf('=');
                var name = equals < 0 ? parameter : parameter.substring(0, equals);
                var value = equals < 0 ? "" : parameter.substring(equals + 1);
                parameters.add(List.of(encoded(decoded(name, true), ""), encoded(decoded(value, true), "")));
            }
        }
        parameters.sort((one, other) -> {
            int names = one.getFirst().compareTo(other.getFirst());
            return names != 0 ? names : one.getLast().compareTo(other.getLast());
        });
        return String.join(
                "&",
                parameters.stream()
                        .map(parameter -> parameter.getFirst() + "=" + parameter.getLast())
                        .toList());
    }

    /** What is no escape stays as it is. */
    private static byte[] decoded(String text, boolean plusIsBlank) {
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        var out = new ByteArrayOutputStream(bytes.length);
        for (int i = 0; i < bytes.length; i++) {
            int high = i + 2 < bytes.length && bytes[i] == '%' ? Character.digit(bytes[i + 1], 16) : -1;
            int low = high < 0 ? -1 : Character.digit(bytes[i + 2], 16);
            if (low >= 0) {
                out.write(high << 4 | low);
                i += 2;
            } else {
                out.write(plusIsBlank && bytes[i] == '+' ? ' ' : bytes[i]);
            }
        }
        return out.toByteArray();
    }

    private static String encoded(byte[] bytes, String kept) {
        var text = new StringBuilder(bytes.length + 16);
        for (byte one : bytes) {
            char c = (char) (one & 0xff);
            boolean plain = (c >= 'A' && c <= 'Z')
                    || (c >= 'a' && c <= 'z')
                    || (c >= '0' && c <= '9')
                    || UNRESERVED.indexOf(c) >= 0
                    || kept.indexOf(c) >= 0;
            if (plain) {
                text.append(c);
            } else {
                text.append('%').append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 0xf));
            }
        }
        return text.toString();
    }
}
