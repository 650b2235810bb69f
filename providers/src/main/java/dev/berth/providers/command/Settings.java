package dev.berth.providers.command;

import dev.berth.core.Step;
import dev.berth.providers.Kind.InvalidSettings;
import dev.berth.providers.Kind.Mistake;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a pool says under {@code command}, checked.
 *
 * @param programs the program of each step; at least one
 * @param environment the variables they start with
 */
record Settings(Map<Step, Program> programs, Environment environment) {
    static final int MAX_WORDS = 100;
    static final int MAX_CHARACTERS = 4096;
    static final int MAX_VARIABLES = 100;

    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");

    /**
     * @param settings as JSON values
     * @param base what a relative {@code directory} is relative to, and the directory where there is none
     * @param server the server's own variables
     * @throws InvalidSettings with all mistakes
     */
    static Settings parse(Map<String, Object> settings, Path base, Map<String, String> server) throws InvalidSettings {
        return new Parser(settings, base, server).parse();
    }

    private static final class Parser {
        private final Map<String, Object> settings;
        private final Path base;
        private final Map<String, String> server;
        private final List<Mistake> mistakes = new ArrayList<>();

        Parser(Map<String, Object> settings, Path base, Map<String, String> server) {
            this.settings = settings;
            this.base = base;
            this.server = server;
        }

        Settings parse() throws InvalidSettings {
            Optional<Path> directory = directory();
            Environment environment = new Environment(server, variables());
            Map<Step, List<String>> words = words();
            if (words.isEmpty() && mistakes.isEmpty()) {
                mistake("", "names no program: at least one of issue, revoke, clean, verify is needed");
            }
            Map<Step, Program> programs = new EnumMap<>(Step.class);
            if (directory.isPresent()) {
                words.forEach((step, argv) -> {
                    Program program = new Program(argv, directory.get(), environment.path());
                    program.hindrance().ifPresent(hindrance -> mistake(key(step), hindrance));
                    programs.put(step, program);
                });
            }
            if (!mistakes.isEmpty()) {
                mistakes.sort(Comparator.comparing(Mistake::field));
                throw new InvalidSettings(mistakes);
            }
            return new Settings(Map.copyOf(programs), environment);
        }

        private Map<Step, List<String>> words() {
            Map<Step, List<String>> words = new EnumMap<>(Step.class);
            for (Map.Entry<String, Object> entry : settings.entrySet()) {
                String key = entry.getKey();
                if (key.equals("directory") || key.equals("variables")) {
                    continue;
                }
                Optional<Step> step = step(key);
                if (step.isEmpty()) {
                    mistake(key, "is not known; known are issue, revoke, clean, verify, directory, variables");
                } else {
                    program(key, entry.getValue()).ifPresent(argv -> words.put(step.get(), argv));
                }
            }
            return words;
        }

        private Optional<List<String>> program(String field, @Nullable Object value) {
            if (value instanceof List<?> list) {
                return argv(field, list);
            }
            if (value instanceof Map<?, ?> map && map.size() == 1) {
                if (map.get("run") instanceof List<?> list) {
                    return argv(field + ".run", list);
                }
                if (map.get("shell") instanceof String text) {
                    return word(field + ".shell", text).map(shell -> List.of("/bin/sh", "-c", shell));
                }
            }
            mistake(
                    field,
                    "must be a list of words, { run: [a list of words] } or { shell: \"text\" }, the program first in a list");
            return Optional.empty();
        }

        private Optional<List<String>> argv(String field, List<?> list) {
            if (list.isEmpty() || list.size() > MAX_WORDS) {
                mistake(field, "must have 1 to " + MAX_WORDS + " words, has " + list.size());
                return Optional.empty();
            }
            List<String> words = new ArrayList<>();
            for (int i = 0; i < list.size(); i++) {
                word(field + "[" + i + "]", list.get(i)).ifPresent(words::add);
            }
            if (words.size() == list.size() && words.getFirst().isEmpty()) {
                mistake(field + "[0]", "must name a program");
                return Optional.empty();
            }
            return words.size() == list.size() ? Optional.of(words) : Optional.empty();
        }

        private Optional<String> word(String field, @Nullable Object value) {
            if (!(value instanceof String text)) {
                mistake(field, "must be text; put quotes around a number");
            } else if (text.length() > MAX_CHARACTERS) {
                mistake(field, "must have at most " + MAX_CHARACTERS + " characters, has " + text.length());
            } else if (text.indexOf('\0') >= 0) {
                mistake(field, "must not contain a NUL character");
            } else {
                return Optional.of(text);
            }
            return Optional.empty();
        }

        private Optional<Path> directory() {
            if (!settings.containsKey("directory")) {
                return Optional.of(base);
            }
            Optional<String> text = word("directory", settings.get("directory"));
            if (text.isEmpty()) {
                return Optional.empty();
            }
            try {
                Path directory = base.resolve(text.get()).normalize();
                if (Files.isDirectory(directory)) {
                    return Optional.of(directory);
                }
                mistake("directory", directory + " is not there or is no directory");
            } catch (InvalidPathException e) {
                mistake("directory", "is not a path");
            }
            return Optional.empty();
        }

        private Map<String, String> variables() {
            Object value = settings.getOrDefault("variables", Map.of());
            if (!(value instanceof Map<?, ?> map)) {
                mistake("variables", "must be a map of names to text");
                return Map.of();
            }
            if (map.size() > MAX_VARIABLES) {
                mistake("variables", "must have at most " + MAX_VARIABLES + " entries, has " + map.size());
                return Map.of();
            }
            Map<String, Object> sorted = new TreeMap<>();
            map.forEach((name, content) -> sorted.put(String.valueOf(name), content));
            Map<String, String> variables = new LinkedHashMap<>();
            sorted.forEach((name, content) -> {
                String field = "variables." + name;
                if (!VARIABLE.matcher(name).matches()) {
                    mistake(field, "is not a name of a variable: letters, digits and _, up to 128, no digit first");
                } else if (name.startsWith("BERTH_")) {
                    mistake(field, "begins with BERTH_, which is kept for what Berth itself sets");
                } else {
                    word(field, content).ifPresent(text -> variables.put(name, text));
                }
            });
            return variables;
        }

        private void mistake(String field, String message) {
            mistakes.add(new Mistake(field, message));
        }

        private static Optional<Step> step(String key) {
            for (Step step : Step.values()) {
                if (key(step).equals(key)) {
                    return Optional.of(step);
                }
            }
            return Optional.empty();
        }
    }

    /** How a step is called in settings, on standard input and in reasons. */
    static String key(Step step) {
        return step.name().toLowerCase(Locale.ROOT);
    }
}
