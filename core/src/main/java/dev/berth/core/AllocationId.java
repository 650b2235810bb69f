package dev.berth.core;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;

/**
 * An allocation's id: {@code POOL-TIME-RANDOM}. The pool's number says which pool a command about it goes to, the millisecond of its
 * making keeps the history's index growing at one end, and 128 random bits make it unguessable. Unreserved URL characters only.
 */
public record AllocationId(String value) {
    private static final Pattern FORM = Pattern.compile("([0-9a-z]{1,6})-[0-9a-z]{9}-[0-9a-v]{26}");
    private static final int RANDOM_DIGITS = 26; // 26 x 5 bits hold 128

    public AllocationId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("not an allocation id");
        }
    }

    /** The id that the text is, or empty where no allocation can have it. */
    public static Optional<AllocationId> parse(String text) {
        return FORM.matcher(text).matches() ? Optional.of(new AllocationId(text)) : Optional.empty();
    }

    /**
     * A new id.
     *
     * @param random a {@link SecureRandom} in production: the id is what a caller without an account of its own is known by
     */
    public static AllocationId create(int poolNumber, Instant now, RandomGenerator random) {
        var text =
                new StringBuilder(48).append(Integer.toString(poolNumber, 36)).append('-');
        var time = Long.toString(Math.max(0, now.toEpochMilli()), 36);
        text.repeat('0', 9 - time.length()).append(time).append('-');
        long high = random.nextLong();
        long low = random.nextLong();
        for (int i = 0; i < RANDOM_DIGITS; i++) {
            text.append(Character.forDigit((int) (low & 31), 32));
            low = (low >>> 5) | (high << 59);
            high >>>= 5;
        }
        return new AllocationId(text.toString());
    }

    /** The number of the pool it belongs to. */
    public int poolNumber() {
        return (int) Math.min(Integer.MAX_VALUE, Long.parseLong(value, 0, value.indexOf('-'), 36));
    }

    @Override
    public String toString() {
        return value;
    }
}
