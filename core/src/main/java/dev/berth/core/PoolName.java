package dev.berth.core;

/** A pool's name: 1 to 100 letters, digits, {@code . _ -}, beginning with a letter or digit. */
public record PoolName(String value) {
    private static final int LONGEST = 100;

    public PoolName {
        if (!isValid(value)) {
            throw new IllegalArgumentException("not a pool name: 1 to 100 letters, digits, '.', '_' or '-' are");
        }
    }

    public static boolean isValid(String text) {
        return Names.isValid(text, "._-", LONGEST);
    }

    @Override
    public String toString() {
        return value;
    }
}
