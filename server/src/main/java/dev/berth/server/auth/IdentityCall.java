package dev.berth.server.auth;

import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A call of STS that somebody else signed, and that is nothing but a GetCallerIdentity. Put together anew from what was checked, so that
 * nothing else is ever called; the header of the service's own name is added by whoever makes the call.
 *
 * @param headers to send, by name in lower case
 * @param body null for a GET
 * @param expiresAt when STS takes it no more
 */
record IdentityCall(
        URI uri, Map<String, String> headers, @Nullable String body, Instant signedAt, Instant expiresAt) {
    private static final int LONGEST = 8 << 10;
    /** STS takes a call for so long, whatever it says itself. */
    private static final Duration LONGEST_LIFE = Duration.ofMinutes(15);

    private static final String SERVICE = AwsAuthenticator.SERVICE_HEADER;

    private static final Pattern HOST =
            Pattern.compile("sts(-fips)?(\\.[a-z]{2,3}(-[a-z]{2,9}){1,3}-[0-9]{1,2})?\\.amazonaws\\.com(\\.cn)?");
    private static final Pattern QUERY = Pattern.compile("[A-Za-z0-9%=&._~-]+");
    private static final Pattern DATE = Pattern.compile("[0-9]{8}T[0-9]{6}Z");
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private static final Map<String, Pattern> IDENTITY =
            Map.of("Action", Pattern.compile("GetCallerIdentity"), "Version", Pattern.compile("2011-06-15"));

    /** Each parameter that a pre-signed URL has to have, and what it may be. */
    private static final Map<String, Pattern> PRESIGNED = Map.of(
            "Action", Pattern.compile("GetCallerIdentity"),
            "Version", Pattern.compile("2011-06-15"),
            "X-Amz-Algorithm", Pattern.compile("AWS4-HMAC-SHA256"),
            "X-Amz-Credential", Pattern.compile("[A-Za-z0-9]{1,128}/[0-9]{8}/[a-z0-9-]{1,40}/sts/aws4_request"),
            "X-Amz-Date", DATE,
            "X-Amz-Expires", Pattern.compile("[1-9][0-9]{0,5}"),
            "X-Amz-SignedHeaders", Pattern.compile("host;" + SERVICE),
            "X-Amz-Signature", Pattern.compile("[0-9a-f]{64}"));

    private static final Set<String> ALLOWED = Set.of("X-Amz-Security-Token");

    private static final Pattern AUTHORIZATION = Pattern.compile(
            "AWS4-HMAC-SHA256 Credential=[A-Za-z0-9]{1,128}/[0-9]{8}/[a-z0-9-]{1,40}/sts/aws4_request, ?"
                    + "SignedHeaders=([a-z0-9;-]{1,300}), ?Signature=[0-9a-f]{64}");
    /** Those that have to be signed. */
    private static final Set<String> HELD = Set.of("host", "x-amz-date", SERVICE);
    /** Those that may be, and what they may say; the length is the body's own. */
    private static final Map<String, Pattern> SENT = Map.of(
            "content-type", Pattern.compile("application/x-www-form-urlencoded(; ?charset=(utf|UTF)-8)?"),
            "x-amz-content-sha256", Pattern.compile("[0-9a-f]{64}"),
            "x-amz-security-token", Pattern.compile("[!-~]{1,4096}"));

    private static final String LENGTH = "content-length";

    IdentityCall {
        headers = Map.copyOf(headers);
    }

    /** Of the Base64 of a pre-signed URL; null where it is none. */
    static @Nullable IdentityCall ofHeader(String base64, @Nullable URI endpoint) {
        if (base64.length() > LONGEST) {
            return null;
        }
        try {
            var decoded = Base64.getDecoder().decode(base64.replace('-', '+').replace('_', '/'));
            return presigned(new String(decoded, StandardCharsets.US_ASCII), endpoint);
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    /** Of a pre-signed URL; null where it is none. */
    static @Nullable IdentityCall presigned(String url, @Nullable URI endpoint) {
        try {
            return presigned(URI.create(url), endpoint);
        } catch (IllegalArgumentException | DateTimeException _) {
            return null;
        }
    }

    private static @Nullable IdentityCall presigned(URI sent, @Nullable URI endpoint) {
        var origin = origin(sent, endpoint);
        var query = sent.getRawQuery();
        var parameters = origin == null || query == null ? null : parameters(query, PRESIGNED, ALLOWED);
        if (parameters == null) {
            return null;
        }
        var signedAt = time(parameters.getOrDefault("X-Amz-Date", ""));
        var life = Duration.ofSeconds(Long.parseLong(parameters.getOrDefault("X-Amz-Expires", "1")));
        return new IdentityCall(
                URI.create(origin + "/?" + query),
                Map.of(),
                null,
                signedAt,
                signedAt.plus(life.compareTo(LONGEST_LIFE) < 0 ? life : LONGEST_LIFE));
    }

    /**
     * Of a POST whose headers are signed, as SDKs make it; null where it is none.
     *
     * @param headers by name, in any case; what STS does not need is left out
     * @param service what it has to be signed for
     */
    static @Nullable IdentityCall posted(
            String url, Map<String, String> headers, String body, @Nullable URI endpoint, String service) {
        try {
            var uri = URI.create(url);
            var origin = origin(uri, endpoint);
            if (origin == null
                    || uri.getRawQuery() != null
                    || body.length() > LONGEST
                    || parameters(body, IDENTITY, Set.of()) == null) {
                return null;
            }
            var given = new TreeMap<String, String>();
            for (var header : headers.entrySet()) {
                if (given.put(header.getKey().toLowerCase(Locale.ROOT), header.getValue()) != null) {
                    return null;
                }
            }
            var sent = sent(given, service);
            if (sent == null) {
                return null;
            }
            var signedAt = time(given.getOrDefault("x-amz-date", ""));
            return new IdentityCall(URI.create(origin + "/"), sent, body, signedAt, signedAt.plus(LONGEST_LIFE));
        } catch (IllegalArgumentException | DateTimeException _) {
            return null;
        }
    }

    /** Those that STS gets; null where one is signed that is not among them, or one is not signed that has to be. */
    private static @Nullable Map<String, String> sent(Map<String, String> given, String service) {
        var authorization = given.getOrDefault("authorization", "");
        var matched = AUTHORIZATION.matcher(authorization);
        if (!matched.matches() || !service.equals(given.getOrDefault(SERVICE, service))) {
            return null;
        }
        var signed = Set.of(matched.group(1).split(";", -1)); // throws where one is there twice
        if (!signed.containsAll(HELD)
                || !DATE.matcher(given.getOrDefault("x-amz-date", "")).matches()) {
            return null;
        }
        var sent = new HashMap<String, String>();
        sent.put("authorization", authorization);
        sent.put("x-amz-date", given.getOrDefault("x-amz-date", ""));
        SENT.forEach((name, pattern) -> {
            var value = given.get(name);
            if (value != null && pattern.matcher(value).matches()) {
                sent.put(name, value);
            }
        });
        for (var name : signed) {
            if (!HELD.contains(name) && !name.equals(LENGTH) && !sent.containsKey(name)) {
                return null; // STS could not check it
            }
        }
        return sent;
    }

    private static Instant time(String text) {
        return Instant.from(TIME.parse(text));
    }

    /** Of STS, or where the configuration says that it is; null for anything else. */
    private static @Nullable String origin(URI sent, @Nullable URI endpoint) {
        if (sent.getHost() == null
                || sent.getRawUserInfo() != null
                || sent.getRawFragment() != null
                || !Set.of("", "/").contains(sent.getRawPath())) {
            return null;
        }
        if (endpoint != null) {
            boolean same = endpoint.getScheme().equalsIgnoreCase(sent.getScheme())
                    && endpoint.getHost().equalsIgnoreCase(sent.getHost())
                    && endpoint.getPort() == sent.getPort();
            var port = endpoint.getPort() < 0 ? "" : ":" + endpoint.getPort();
            return same ? endpoint.getScheme() + "://" + endpoint.getHost() + port : null;
        }
        boolean isSts = "https".equals(sent.getScheme())
                && sent.getPort() < 0
                && HOST.matcher(sent.getHost()).matches();
        return isSts ? "https://" + sent.getHost() : null;
    }

    /**
     * Decoded, by name; null where one of them is missing, wrong or there twice, or where there is one that is none of these.
     *
     * @param optional more that there may be
     */
    private static @Nullable Map<String, String> parameters(
            String query, Map<String, Pattern> needed, Set<String> optional) {
        if (!QUERY.matcher(query).matches()) {
            return null;
        }
        var parameters = new HashMap<String, String>();
        for (var pair : query.split("&", -1)) {
            int end = pair.indexOf('=');
            var name = end < 0 ? pair : pair.substring(0, end);
            var value = end < 0 ? "" : URLDecoder.decode(pair.substring(end + 1), StandardCharsets.UTF_8);
            var pattern = needed.get(name);
            boolean right = pattern == null
                    ? optional.contains(name)
                    : pattern.matcher(value).matches();
            if (!right || parameters.put(name, value) != null) {
                return null;
            }
        }
        return parameters.keySet().containsAll(needed.keySet()) ? parameters : null;
    }

    /** As what is sent; the body's type is what was signed. */
    HttpRequest.Builder request() {
        var request = HttpRequest.newBuilder(uri);
        headers.forEach(request::header);
        return body == null ? request.GET() : request.POST(BodyPublishers.ofString(body, StandardCharsets.US_ASCII));
    }

    /** All of it, to be told from others by; secret. */
    String toText() {
        return uri + "\n" + new TreeMap<>(headers) + "\n" + body;
    }

    /** No signature prints. */
    @Override
    public String toString() {
        return "IdentityCall[" + uri.getHost() + ", " + signedAt + "]";
    }
}
