package dev.berth.providers.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.berth.core.Step;
import dev.berth.providers.Kind.InvalidSettings;
import dev.berth.providers.Kind.Mistake;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a pool may say under {@code command}. */
class SettingsTest {
    private static final List<String> TRUE = List.of("true");

    private Path base;

    @BeforeEach
    void makeFolder(@TempDir Path folder) throws Exception {
        base = folder;
        Files.writeString(folder.resolve("plain.txt"), "no program");
        Files.writeString(folder.resolve("run.sh"), "#!/no/such/shell\n");
        assertThat(folder.resolve("run.sh").toFile().setExecutable(true)).isTrue();
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                mistake(Map.of(), "", "names no program"),
                mistake(Map.of("variables", Map.of("A", "b")), "", "names no program"),
                mistake(Map.of("clean", TRUE, "provision", TRUE), "provision", "is not known; known are issue"),
                mistake(Map.of("CLEAN", TRUE), "CLEAN", "is not known"),
                mistake(Map.of("clean", "rm -rf x"), "clean", "must be a list of words, { run:"),
                mistake(Map.of("clean", 5), "clean", "must be a list"),
                mistake(Collections.singletonMap("clean", null), "clean", "must be a list"),
                mistake(Map.of("clean", Map.of("shell", "x", "run", TRUE)), "clean", "must be a list"),
                mistake(Map.of("clean", Map.of("shell", TRUE)), "clean", "must be a list"),
                mistake(Map.of("clean", Map.of("exec", TRUE)), "clean", "must be a list"),
                mistake(Map.of("clean", Map.of()), "clean", "must be a list"),
                mistake(Map.of("clean", List.of()), "clean", "must have 1 to 100 words, has 0"),
                mistake(Map.of("clean", Collections.nCopies(101, "a")), "clean", "has 101"),
                mistake(Map.of("clean", List.of("true", 5)), "clean[1]", "must be text; put quotes"),
                mistake(Map.of("clean", Map.of("run", List.of("true", true))), "clean.run[1]", "must be text"),
                mistake(Map.of("clean", List.of("true", "x".repeat(4097))), "clean[1]", "at most 4096 characters"),
                mistake(Map.of("clean", Map.of("shell", "x".repeat(4097))), "clean.shell", "at most 4096 characters"),
                mistake(Map.of("clean", List.of("true", "a\0b")), "clean[1]", "NUL"),
                mistake(Map.of("clean", List.of("")), "clean[0]", "must name a program"),
                mistake(Map.of("clean", List.of("no-such-program-here")), "clean", "is not on the path"),
                mistake(Map.of("clean", List.of("./no-such.sh")), "clean", "no-such.sh is not there"),
                mistake(Map.of("clean", List.of("./plain.txt")), "clean", "plain.txt is not executable"),
                mistake(Map.of("clean", List.of("./run.sh")), "clean", "needs /no/such/shell"),
                mistake(Map.of("clean", List.of("./")), "clean", "is not there"),
                mistake(Map.of("clean", TRUE, "directory", "nowhere"), "directory", "is not there"),
                mistake(Map.of("clean", TRUE, "directory", 5), "directory", "must be text"),
                mistake(Map.of("clean", TRUE, "variables", List.of("A=b")), "variables", "must be a map"),
                mistake(Map.of("clean", TRUE, "variables", Map.of("A", 5)), "variables.A", "must be text"),
                mistake(Map.of("clean", TRUE, "variables", Map.of("A B", "x")), "variables.A B", "is not a name"),
                mistake(Map.of("clean", TRUE, "variables", Map.of("1A", "x")), "variables.1A", "is not a name"),
                mistake(
                        Map.of("clean", TRUE, "variables", Map.of("BERTH_CLAIM", "x")),
                        "variables.BERTH_CLAIM",
                        "begins with BERTH_"),
                mistake(Map.of("clean", TRUE, "variables", variables(101)), "variables", "at most 100 entries"));
    }

    private static Arguments mistake(Map<String, Object> settings, String field, String message) {
        return Arguments.of(settings, field, message);
    }

    private static Map<String, Object> variables(int count) {
        Map<String, Object> variables = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            variables.put("V" + i, "x");
        }
        return variables;
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void mistakeIsNamedByItsField(Map<String, Object> settings, String field, String message) {
        assertThatExceptionOfType(InvalidSettings.class)
                .isThrownBy(() -> parse(settings))
                .satisfies(e -> assertThat(e.mistakes()).singleElement().satisfies(mistake -> {
                    assertThat(mistake.field()).isEqualTo(field);
                    assertThat(mistake.message()).contains(message);
                }));
    }

    @Test
    void allMistakesAreToldAtOnce() {
        assertThatExceptionOfType(InvalidSettings.class)
                .isThrownBy(() -> parse(Map.of(
                        "clean",
                        5,
                        "verify",
                        List.of("no-such-program-here"),
                        "extra",
                        1,
                        "variables",
                        Map.of("=", "x"))))
                .satisfies(e -> assertThat(e.mistakes())
                        .extracting(Mistake::field)
                        .containsExactly("clean", "extra", "variables.=", "verify"));
    }

    @Test
    void stepsAreThoseThatHaveAProgram() throws InvalidSettings {
        assertThat(parse(Map.of("issue", Map.of("shell", "echo {}"), "clean", Map.of("run", TRUE)))
                        .programs()
                        .keySet())
                .containsExactlyInAnyOrder(Step.ISSUE, Step.CLEAN);
    }

    private Settings parse(Map<String, Object> settings) throws InvalidSettings {
        return Settings.parse(settings, base, Lab.SERVER);
    }
}
