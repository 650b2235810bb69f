package dev.berth.core;

/** An environment's name, unique in the store: 1 to 200 letters, digits, {@code . _ - : @}, beginning with a letter or digit. */
public record EnvironmentName(String value) implements Comparable<EnvironmentName> {
    private static final int LONGEST = 200;

    public EnvironmentName {
        if (!isValid(value)) {
            throw new IllegalArgumentException(
                    "not an environment name: 1 to 200 letters, digits, '.', '_', '-', ':' or '@' are");
        }
    }

    public static boolean isValid(String text) {
        return Names.isValid(text, "._:@-", LONGEST);
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
