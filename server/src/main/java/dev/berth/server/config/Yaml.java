package dev.berth.server.config;

import java.util.List;

/** A piece of a YAML file that knows where it stands. Lines and columns count from 1. */
sealed interface Yaml {
    int line();

    int column();

    /** How many characters it has, what aliases repeat included. */
    long weight();

    /** How many levels are below it, what aliases repeat included. */
    int height();

    /** What it is, for a message. */
    String described();

    /**
     * A single value.
     *
     * @param text as it stands in the file, quotes and escapes undone
     */
    record Scalar(int line, int column, Type type, String text) implements Yaml {
        @Override
        public long weight() {
            return text.length() + 1L;
        }

        @Override
        public int height() {
            return 0;
        }

        @Override
        public String described() {
            return type.described;
        }
    }

    record Sequence(int line, int column, long weight, int height, List<Yaml> items) implements Yaml {
        @Override
        public String described() {
            return "a list";
        }
    }

    record Mapping(int line, int column, long weight, int height, List<Entry> entries) implements Yaml {
        @Override
        public String described() {
            return "a mapping";
        }
    }

    record Entry(Scalar key, Yaml value) {}

    /** The types of scalars under the core schema, YAML 1.2.2 section 10.3. */
    enum Type {
        TEXT("text"),
        INTEGER("a number"),
        DECIMAL("a number"),
        BOOLEAN("true or false"),
        NULL("nothing");

        private final String described;

        Type(String described) {
            this.described = described;
        }
    }
}
