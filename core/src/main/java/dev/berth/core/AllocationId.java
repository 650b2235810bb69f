package dev.berth.core;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * An allocation's id: {@code POOL-TIME-RANDOM}. The pool's number says which pool a command about it goes to, the millisecond of its
 * making keeps the history's index growing at one end, and 128 random bits make it unguessable. Unreserved URL characters only.
 */
public record AllocationId(String value) {
    private static final int MOST_POOL_DIGITS = 6;
    private static final int TIME_DIGITS = 9;
    private static final int RANDOM_DIGITS = 26; // 26 x 5 bits hold 128

    public AllocationId {
        if (!isValid(value)) {
            throw new IllegalArgumentException("not an allocation id");
        }
    }

    /** By hand: ids are made of text several times for every request, and a regular expression shows in the ledger's time. */
    private static boolean isValid(String text) {
        int pool = text.indexOf('-');
        int time = pool + 1 + TIME_DIGITS;
        return pool >= 1
                && pool <= MOST_POOL_DIGITS
                && text.length() == time + 1 + RANDOM_DIGITS
                && text.charAt(time) == '-'
                && hasDigits(text, 0, pool, 'z')
                && hasDigits(text, pool + 1, time, 'z')
                && hasDigits(text, time + 1, text.length(), 'v');
    }

    private static boolean hasDigits(String text, int from, int to, char last) {
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > last)) {
                return false;
            }
        }
        return true;
    }

    /** The id that the text is, or empty where no allocation can have it. */
    public static Optional<AllocationId> parse(String text) {
        return isValid(text) ? Optional.of(new AllocationId(text)) : Optional.empty();
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
        text.repeat('0', TIME_DIGITS - time.length()).append(time).append('-');
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
