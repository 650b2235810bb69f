package dev.berth.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The tables of cases: each case is a sentence and the lines that show it. */
final class DecisionTablesTest {
    private static final List<String> TABLES = List.of("lending", "queue", "upkeep", "registry", "time", "isolation");

    @TestFactory
    Stream<DynamicContainer> everyCaseOfEveryTableHolds() {
        return TABLES.stream()
                .map(table -> DynamicContainer.dynamicContainer(
                        table,
                        cases(table).stream()
                                .map(it -> DynamicTest.dynamicTest(it.sentence, () -> {
                                    var scenario = new Scenario();
                                    it.lines.forEach(scenario::line);
                                }))));
    }

    @Test
    void everyRefusalHasACase() {
        var answers = TABLES.stream()
                .flatMap(table -> cases(table).stream())
                .flatMap(it -> it.lines.stream())
                .filter(line -> line.contains("->"))
                .flatMap(line ->
                        Arrays.stream(line.substring(line.indexOf("->") + 2).split("&", -1)))
                .map(String::strip)
                .toList();
        assertThat(answers)
                .contains(Arrays.stream(Refusal.values()).map(Scenario::slug).toArray(String[]::new));
    }

    @Test
    void everyEndReasonHasACase() {
        var text =
                String.join("\n", TABLES.stream().map(DecisionTablesTest::text).toList());
        for (var reason : EndReason.values()) {
            assertThat(text).contains("ended " + reason.slug());
        }
    }

    private record Case(String sentence, List<String> lines) {}

    private static List<Case> cases(String table) {
        var cases = new ArrayList<Case>();
        for (var line : text(table).lines().map(String::strip).toList()) {
            if (line.startsWith("#")) {
                cases.add(new Case(line.substring(1).strip(), new ArrayList<>()));
            } else if (!line.isEmpty()) {
                cases.getLast().lines.add(line);
            }
        }
        return cases;
    }

    private static String text(String table) {
        try (var in = DecisionTablesTest.class.getResourceAsStream("tables/" + table + ".txt")) {
            if (in == null) {
                throw new IllegalStateException("no table " + table);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
