package dev.berth.server.config;

/** Finds where a path stands in a piece of a file. */
final class Places {
    private Places() {}

    /** The deepest value on the path {@code a.b[2].c}; the piece itself where not even the first part is in it. */
    static Yaml find(Yaml piece, String path) {
        if (path.isEmpty()) {
            return piece;
        }
        if (piece instanceof Yaml.Mapping mapping) {
            for (Yaml.Entry entry : mapping.entries()) {
                String key = entry.key().text();
                if (!path.startsWith(key)) {
                    continue;
                }
                String rest = path.substring(key.length());
                if (rest.isEmpty()) {
                    return entry.key();
                }
                if (rest.charAt(0) == '.') {
                    return deeper(entry, rest.substring(1));
                }
                if (rest.charAt(0) == '[') {
                    return deeper(entry, rest);
                }
            }
        } else if (piece instanceof Yaml.Sequence sequence && path.matches("\\[\\d{1,6}\\].*")) {
            int end = path.indexOf(']');
            int index = Integer.parseInt(path.substring(1, end));
            if (index < sequence.items().size()) {
                String rest = path.substring(end + 1);
                return find(sequence.items().get(index), rest.startsWith(".") ? rest.substring(1) : rest);
            }
        }
        return piece;
    }

    private static Yaml deeper(Yaml.Entry entry, String rest) {
        Yaml found = find(entry.value(), rest);
        return found.equals(entry.value()) ? entry.key() : found;
    }
}
