package dev.berth.server.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** The text of bearer tokens, and their hashes. */
public final class BearerToken {
    private static final String PREFIX = "berth_";
    private static final String DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static final int RANDOM_DIGITS = 43; // 43 x 5.95 bits hold 256
    private static final int LONGEST = 1024;
    private static final MessageDigest SHA_256 = sha256();

    private BearerToken() {}

    /**
     * A new secret.
     *
     * @param random a {@link java.security.SecureRandom} in production
     */
    static String create(RandomGenerator random) {
        return PREFIX + text(random, RANDOM_DIGITS);
    }

    static String text(RandomGenerator random, int length) {
        return text(random, DIGITS, length);
    }

    static String text(RandomGenerator random, String digits, int length) {
        var text = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            text.append(digits.charAt(random.nextInt(digits.length())));
        }
        return text.toString();
    }

    /** Whether {@link #create} could have made it, so that anything else need not be looked for in the store. */
    static boolean isOurs(String text) {
        return text.length() == PREFIX.length() + RANDOM_DIGITS && text.startsWith(PREFIX);
    }

    /**
     * What is stored of a token: SHA-256, in hexadecimal. No salt and no stretching, since what is hashed is random itself; tokens of
     * the configuration have to be as long as an operator makes them.
     */
    public static String hash(String token) {
        return HexFormat.of().formatHex(digest().digest(token.getBytes(StandardCharsets.UTF_8)));
    }

    /** The token of an {@code Authorization} header (RFC 6750); null where it has none. */
    static @Nullable String of(@Nullable String authorization) {
        if (authorization == null || !authorization.regionMatches(true, 0, "Bearer ", 0, 7)) {
            return null;
        }
        var token = authorization.substring(7).strip();
        return token.isEmpty() || token.length() > LONGEST ? null : token;
    }

    /** A copy of a prototype: looking the algorithm up for every request costs more than the hash. */
    private static MessageDigest digest() {
        try {
            return (MessageDigest) SHA_256.clone();
        } catch (CloneNotSupportedException e) {
            return sha256();
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
