package dev.berth.server.config;

import java.util.Set;
import java.util.regex.Pattern;

/** Names that speak of secrets where others can read them. */
final class Suspects {
    private static final Pattern LIKE_A_SECRET =
            Pattern.compile(".*(password|passwd|secret|token|private.?key).*", Pattern.CASE_INSENSITIVE);

    private Suspects() {}

    /** Warns of a connection that seems to have a secret. */
    static void warn(Mistakes mistakes, String path, Yaml at, Set<String> names) {
        names.stream()
                .filter(name -> LIKE_A_SECRET.matcher(name).matches())
                .forEach(name -> mistakes.warn(
                        at.line(),
                        path,
                        "has '" + Keys.shown(name)
                                + "', which everybody who may see the environment can read: secrets belong"
                                + " under 'secrets'"));
    }
}
