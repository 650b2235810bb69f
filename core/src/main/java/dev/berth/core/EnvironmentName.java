package dev.berth.core;

import java.util.regex.Pattern;

/** An environment's name, unique in the store: 1 to 200 letters, digits, {@code . _ - : @}, beginning with a letter or digit. */
public record EnvironmentName(String value) implements Comparable<EnvironmentName> {
    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}");

    public EnvironmentName {
        if (!isValid(value)) {
            throw new IllegalArgumentException(
                    "not an environment name: 1 to 200 letters, digits, '.', '_', '-', ':' or '@' are");
        }
    }

    public static boolean isValid(String text) {
        return FORM.matcher(text).matches();
    }

    @Override
    public int compareTo(EnvironmentName other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
