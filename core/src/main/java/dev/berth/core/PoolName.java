package dev.berth.core;

import java.util.regex.Pattern;

/** A pool's name: 1 to 100 letters, digits, {@code . _ -}, beginning with a letter or digit. */
public record PoolName(String value) {
    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

    public PoolName {
        if (!isValid(value)) {
            throw new IllegalArgumentException("not a pool name: 1 to 100 letters, digits, '.', '_' or '-' are");
        }
    }

    public static boolean isValid(String text) {
        return FORM.matcher(text).matches();
    }

    @Override
    public String toString() {
        return value;
    }
}
