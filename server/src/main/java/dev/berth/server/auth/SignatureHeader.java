package dev.berth.server.auth;

import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An {@code Authorization} header of AWS Signature Version 4:
 * {@code AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=NAME;NAME, Signature=HEX}.
 *
 * @param key the access key id
 * @param date the day that the signature is for, as {@code yyyyMMdd}
 * @param region of the scope, as it is written; may be empty
 * @param service of the scope, as it is written; may be empty
 * @param names of the headers that are signed, in lower case and in their order
 * @param signature in lower-case hexadecimal
 */
record SignatureHeader(String key, String date, String region, String service, List<String> names, String signature) {
    static final String ALGORITHM = "AWS4-HMAC-SHA256";
    static final String TERMINATION = "aws4_request";

    private static final int LONGEST = 4096;
    private static final int MOST_NAMES = 50;
    private static final Pattern FORM = Pattern.compile(ALGORITHM
            + " +Credential=(?<key>[^/,]{1,128})/(?<date>[0-9]{8})/(?<region>[^/,]{0,100})/(?<service>[^/,]{0,100})/"
            + TERMINATION
            + " *, *SignedHeaders=(?<names>[a-z0-9_;-]{1,2000}) *, *Signature=(?<signature>[0-9a-f]{64}) *");

    /** Whether somebody means it to be one, whatever it looks like: no other scheme is named like this. */
    static boolean isMeant(@Nullable String authorization) {
        return authorization != null && authorization.regionMatches(true, 0, "AWS4-", 0, 5);
    }

    /** Null where it has another form. */
    static @Nullable SignatureHeader parse(String authorization) {
        if (authorization.length() > LONGEST) {
            return null;
        }
        var form = FORM.matcher(authorization);
        if (!form.matches()) {
            return null;
        }
        var names = List.of(form.group("names").split(";", MOST_NAMES + 1));
        if (names.size() > MOST_NAMES || names.contains("") || Set.copyOf(names).size() < names.size()) {
            return null;
        }
        return new SignatureHeader(
                form.group("key"),
                form.group("date"),
                form.group("region"),
                form.group("service"),
                names,
                form.group("signature"));
    }

    String scope() {
        return date + "/" + region + "/" + service + "/" + TERMINATION;
    }

    /** Without the signature. */
    @Override
    public String toString() {
        return "SignatureHeader[" + key + "]";
    }
}
