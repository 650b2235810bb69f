package dev.berth.server.auth;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Says who signed a request: AWS Signature Version 4, in the {@code Authorization} header, with access keys of this service. Whatever
 * region and service a client names is taken. A request that is sent again within the 15 minutes is taken again: two clients with the
 * same words in the same second send the same bytes.
 */
public final class SignatureAuthenticator {
    private static final Duration SKEW = Duration.ofMinutes(15);
    private static final Pattern DATE = Pattern.compile("[0-9]{8}T[0-9]{6}Z");
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final Set<String> PRESIGNED = Set.of("x-amz-signature", "x-amz-algorithm", "x-amz-credential");

    private static final int SHOWN = 200;

    private final AccessKeyDesk keys;
    private final Supplier<Instant> wall;
    private final @Nullable PublicUrl publicUrl;

    /**
     * @param wall the clock on the wall, which callers' clocks are held against: the service's own may follow it slowly
     * @param publicUrl where callers find the service; null where they call it as it is
     */
    public SignatureAuthenticator(AccessKeyDesk keys, Supplier<Instant> wall, @Nullable PublicUrl publicUrl) {
        this.keys = keys;
        this.wall = wall;
        this.publicUrl = publicUrl;
    }

    /**
     * Whether somebody means to sign.
     *
     * @param authorization the header; null where the request has none
     */
    public static boolean isMeant(@Nullable String authorization) {
        return SignatureHeader.isMeant(authorization);
    }

    /** Whether a query carries a signature, as a pre-signed URL's does. */
    public static boolean isPresigned(String query) {
        for (var parameter : query.split("&", 100)) {
            int end = parameter.indexOf('=');
            var name = end < 0 ? parameter : parameter.substring(0, end);
            if (PRESIGNED.contains(name.toLowerCase(Locale.ROOT))) {
                return true;
            }
        }
        return false;
    }

    /**
     * Checks a request's signature. Its body is read only where everything else of it may be right.
     *
     * @param authorization its header
     * @throws dev.berth.server.ledger.LedgerException where the store cannot say
     */
    public Verdict check(String authorization, SentRequest request) {
        if (!authorization.startsWith(SignatureHeader.ALGORITHM + " ")) {
            return unknown("Of AWS's signatures, " + SignatureHeader.ALGORITHM + " is understood, and nothing else");
        }
        var header = SignatureHeader.parse(authorization);
        if (header == null) {
            return unknown("The Authorization header must read AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/"
                    + "aws4_request, SignedHeaders=NAME;NAME, Signature=HEX");
        }
        var key = keys.find(header.key());
        if (key == null) {
            return unknown("There is no such access key here, or it has expired. It takes one that this service made:"
                    + " berth token create --sigv4");
        }
        if (!request.header("x-amz-security-token").isEmpty()) {
            return unknown("The access key has no session token, and one was sent: unset AWS_SESSION_TOKEN");
        }
        var complaint = complaint(header, request);
        if (complaint != null) {
            return unknown(complaint);
        }
        var principal = keys.principal(key.issued());
        if (principal.isEmpty()) {
            return unknown("The access key's principal is there no more");
        }
        var secret = keys.secret(key.issued());
        if (secret == null) {
            return unknown(
                    "The access key can be read no more, since this service's own key was replaced: make another one");
        }
        return checkBody(header, request, secret, () -> {
            keys.used(key);
            return new Verdict.Known(principal.get());
        });
    }

    private static Verdict unknown(String why) {
        return new Verdict.Unknown(why);
    }

    /** What is wrong with what is signed and when; null for nothing. */
    private @Nullable String complaint(SignatureHeader header, SentRequest request) {
        if (!header.names().contains("host") || !header.names().contains("x-amz-date")) {
            return "SignedHeaders must have host and x-amz-date";
        }
        for (var name : header.names()) {
            if (request.header(name).isEmpty()) {
                return "The header " + name + " is signed, and did not arrive";
            }
        }
        var dates = request.header("x-amz-date");
        var signedAt = dates.size() == 1 ? instant(dates.getFirst()) : null;
        if (signedAt == null) {
            return "x-amz-date must be one instant like 20260131T235959Z";
        }
        if (!dates.getFirst().startsWith(header.date())) {
            return "The credential's date is not that of x-amz-date";
        }
        var now = wall.get();
        if (Duration.between(signedAt, now).abs().compareTo(SKEW) > 0) {
            return "The request was signed at %s and it is %s here, more than 15 minutes apart: set the clock"
                    .formatted(dates.getFirst(), TIME.format(now));
        }
        return null;
    }

    private static @Nullable Instant instant(String text) {
        try {
            return DATE.matcher(text).matches() ? TIME.parse(text, Instant::from) : null;
        } catch (DateTimeException _) {
            return null;
        }
    }

    private Verdict checkBody(
            SignatureHeader header, SentRequest request, String secret, Supplier<Verdict> whereItIsRight) {
        var hash = HexFormat.of().formatHex(sha256(request.body()));
        for (var told : request.header("x-amz-content-sha256")) {
            if (!told.equals(hash)) {
                return unknown("x-amz-content-sha256 is not the SHA-256 of the body that arrived");
            }
        }
        var texts = CanonicalRequest.of(request, paths(request.path()), hosts(request), header.names(), hash);
        return matches(header, secret, request.header("x-amz-date").getFirst(), texts)
                ? whereItIsRight.get()
                : unknown("The signature does not fit. Either the secret is another one, or the request was changed on"
                        + " its way: it arrived for host "
                        + shown(hosts(request).getFirst()) + " and path "
                        + shown(request.path()) + "; where a proxy changes these, say --public-url to berth serve");
    }

    private static String shown(String text) {
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    }

    private List<String> hosts(SentRequest request) {
        var own = String.join(",", request.header("host"));
        return publicUrl == null || publicUrl.host().equals(own) ? List.of(own) : List.of(own, publicUrl.host());
    }

    private Collection<String> paths(String sent) {
        var paths = new LinkedHashSet<String>();
        paths.add(sent);
        if (publicUrl != null) {
            paths.add(publicUrl.prefix() + sent);
        }
        return paths;
    }

    /** Compares with all of them, in a time that does not tell how much of one is right. */
    static boolean matches(SignatureHeader header, String secret, String signedAt, Set<String> texts) {
        var mac = mac(signingKey(header, secret));
        boolean right = false;
        for (var text : texts) {
            var toSign = SignatureHeader.ALGORITHM + "\n" + signedAt + "\n" + header.scope() + "\n"
                    + HexFormat.of().formatHex(sha256(text.getBytes(StandardCharsets.UTF_8)));
            var signature = HexFormat.of().formatHex(mac.doFinal(toSign.getBytes(StandardCharsets.UTF_8)));
            right |= Directory.same(signature, header.signature());
        }
        return right;
    }

    private static byte[] signingKey(SignatureHeader header, String secret) {
        var key = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
        for (var part : List.of(header.date(), header.region(), header.service(), SignatureHeader.TERMINATION)) {
            key = mac(key).doFinal(part.getBytes(StandardCharsets.UTF_8));
        }
        return key;
    }

    private static Mac mac(byte[] key) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HMAC-SHA-256", e);
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
