package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Holds what is shipped against what is known of it to be broken: {@code security/advisories.json}, which needs no network. */
class DependenciesTest {
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final Path SHIPPED = Path.of("target/bom.json");

    /** The first version that has it, and the first that has not; an empty one where all do. */
    private record Broken(String id, String group, String artifact, String from, String to) {
        boolean has(String version) {
            return compare(version, from) >= 0 && (to.isEmpty() || compare(version, to) < 0);
        }
    }

    private static List<Broken> known(JsonNode advisories) {
        List<Broken> known = new ArrayList<>();
        for (JsonNode advisory : advisories.path("advisories")) {
            String[] name = advisory.path("package").stringValue().split(":", 2);
            for (JsonNode range : advisory.path("ranges")) {
                String to = range.get(1).isNull() ? "" : range.get(1).stringValue();
                known.add(new Broken(
                        advisory.path("id").stringValue() + " " + advisory.path("aliases"),
                        name[0],
                        name[1],
                        range.get(0).stringValue(),
                        to));
            }
        }
        return known;
    }

    private static List<String> broken(JsonNode shipped, JsonNode advisories) {
        List<String> broken = new ArrayList<>();
        for (JsonNode component : shipped.path("components")) {
            String group = component.path("group").stringValue("");
            String artifact = component.path("name").stringValue("");
            String version = component.path("version").stringValue("");
            for (Broken one : known(advisories)) {
                if (one.group().equals(group) && one.artifact().equals(artifact) && one.has(version)) {
                    broken.add(group + ":" + artifact + " " + version + " has " + one.id());
                }
            }
        }
        return broken;
    }

    private static JsonNode advisories() throws Exception {
        return Json.MAPPER.readTree(Files.readString(ROOT.resolve("security/advisories.json")));
    }

    private static JsonNode shipped() throws Exception {
        // Made neither with -Dquick nor offline, and CI builds in neither way.
        assumeTrue(Files.exists(SHIPPED) || System.getenv("CI") != null);
        return Json.MAPPER.readTree(Files.readString(SHIPPED));
    }

    @Test
    void nothingIsShippedThatIsKnownToBeBroken() throws Exception {
        assertThat(broken(shipped(), advisories())).isEmpty();
    }

    @Test
    void ofEverythingThatIsShippedItWasAskedWhatIsKnown() throws Exception {
        List<String> asked = new ArrayList<>();
        advisories().path("packages").forEach(name -> asked.add(name.stringValue()));
        List<String> shipped = new ArrayList<>();
        for (JsonNode component : shipped().path("components")) {
            String group = component.path("group").stringValue("");
            if (!group.equals("dev.berth")) {
                shipped.add(group + ":" + component.path("name").stringValue(""));
            }
        }
        assertThat(shipped).hasSizeGreaterThan(40);
        assertThat(asked)
                .as("run security/refresh-advisories after a dependency was added")
                .containsAll(shipped);
    }

    @Test
    void aBrokenVersionIsFound() throws Exception {
        JsonNode old = Json.MAPPER.readTree("""
                {"components": [
                  {"group": "org.postgresql", "name": "postgresql", "version": "42.7.1"},
                  {"group": "org.postgresql", "name": "postgresql", "version": "42.7.14"},
                  {"group": "org.xerial", "name": "sqlite-jdbc", "version": "3.41.2.1"},
                  {"group": "org.example", "name": "postgresql", "version": "42.7.1"}
                ]}
                """);
        assertThat(broken(old, advisories()))
                .anySatisfy(one -> assertThat(one).startsWith("org.postgresql:postgresql 42.7.1 has GHSA-24rp"))
                .anySatisfy(one -> assertThat(one).startsWith("org.xerial:sqlite-jdbc 3.41.2.1 has"))
                .noneSatisfy(one -> assertThat(one).contains("42.7.14"))
                .noneSatisfy(one -> assertThat(one).contains("example"));
    }

    /** In Maven's order, as far as versions of ours need it: numbers by value, what is no number before what is not there. */
    private static int compare(String one, String other) {
        String[] left = one.split("[.-]");
        String[] right = other.split("[.-]");
        for (int i = 0; i < Math.max(left.length, right.length); i++) {
            int compared = Long.compare(part(left, i), part(right, i));
            if (compared != 0) {
                return compared;
            }
        }
        return 0;
    }

    private static long part(String[] parts, int at) {
        if (at >= parts.length || parts[at].matches("(?i)jre|android|final|ga|release")) {
            return 0;
        }
        return parts[at].matches("[0-9]{1,18}") ? Long.parseLong(parts[at]) : -1;
    }

    @ParameterizedTest
    @CsvSource({
        "1.10,1.9",
        "1.0,1.0-rc.1",
        "33.5.0-jre,33.4.9-jre",
        "4.28.0,4.28.0-rc.1",
        "3.41.2.2,3.41.2.1",
        "1.2.1,1.2"
    })
    void versionsAreInOrder(String later, String earlier) {
        assertThat(compare(later, earlier)).isPositive();
        assertThat(compare(earlier, later)).isNegative();
    }
}
