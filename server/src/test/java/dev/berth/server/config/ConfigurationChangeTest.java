package dev.berth.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.EnvironmentName;
import dev.berth.core.PoolName;
import dev.berth.server.config.ConfigurationChange.Fate;
import dev.berth.server.config.ConfigurationChange.PoolChange;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a new file changes, and what it may not take away unasked. */
class ConfigurationChangeTest {
    private Parsing parsing;

    @BeforeEach
    void setFolder(@TempDir Path folder) {
        parsing = new Parsing(folder, Map.of());
    }

    @Test
    void everyPoolTellsWhatAppearsGoesAndChanges() throws Exception {
        Configuration before = parsing.parse("""
                pools: { a: { provider: fixed }, b: { provider: fixed }, c: { provider: fixed }, gone: { provider: fixed } }
                environments:
                  - { name: stays, pool: a }
                  - { name: goes, pool: a }
                  - { name: moves, pool: a }
                  - { name: changes, pool: a, capabilities: { x: 1 } }
                  - { name: replaced, pool: a, account: "1", region: r }
                  - { name: last, pool: gone }
                """);
        Configuration after = parsing.parse("""
                pools: { new: { provider: fixed }, a: { provider: fixed }, b: { provider: fixed, session: 1h }, c: { provider: fixed } }
                environments:
                  - { name: changes, pool: a, capabilities: { x: 2 } }
                  - { name: stays, pool: a }
                  - { name: replaced, pool: a, account: "2", region: r }
                  - { name: comes, pool: a }
                  - { name: moves, pool: b }
                """);

        ConfigurationChange change = ConfigurationChange.between(before, after);

        assertThat(change.pools().keySet()).extracting(PoolName::value).containsExactly("new", "a", "b", "c", "gone");
        assertThat(pool(change, "new").fate()).isEqualTo(Fate.ADDED);
        assertThat(pool(change, "a"))
                .isEqualTo(new PoolChange(
                        Fate.KEPT,
                        5,
                        names("comes"),
                        names("goes", "moves"),
                        names("changes", "replaced"),
                        names("replaced")));
        assertThat(pool(change, "b"))
                .isEqualTo(new PoolChange(Fate.CHANGED, 0, names("moves"), List.of(), List.of(), List.of()));
        assertThat(pool(change, "c").nothing()).isTrue();
        assertThat(pool(change, "gone"))
                .isEqualTo(new PoolChange(Fate.REMOVED, 1, List.of(), names("last"), List.of(), List.of()));
        assertThat(change.nothing()).isFalse();
    }

    @Test
    void sameFileWrittenDifferentlyChangesNothing() throws Exception {
        Configuration before = parsing.parse("pools: { a: { provider: fixed, session: 60m } }");
        Configuration after = parsing.parse("# a comment\npools: { a: { session: 1h, provider: fixed } }");

        assertThat(ConfigurationChange.between(before, after).nothing()).isTrue();
        assertThat(before.digest()).isNotEqualTo(after.digest());
    }

    @Test
    void policyVariablesAndRevocabilityAreChangesOfAPool() throws Exception {
        Configuration before = parsing.parse("pools: { a: { provider: fixed } }");

        for (String setting : List.of(
                "session: 1h",
                "env: { A: connection.a }",
                "revocable: false",
                "max-priority: 1",
                "queue: { aging: 1m }",
                "queue: { order: fair }",
                "quota: { held: 1 }",
                "quota: { principals: { admin: { queued: 1 } } }",
                "hold: {}")) {
            Configuration after = parsing.parse("pools: { a: { provider: fixed, " + setting + " } }");
            assertThat(pool(ConfigurationChange.between(before, after), "a").fate())
                    .as(setting)
                    .isEqualTo(Fate.CHANGED);
        }
    }

    @Test
    void firstFileOnlyAdds() throws Exception {
        ConfigurationChange change = ConfigurationChange.between(Configuration.empty(), pool(10, 0, 0));

        assertThat(pool(change, "a").registered()).hasSize(10);
        assertThat(change.removals()).isEmpty();
    }

    /** A pool that had so many, of which so many go, so many stand for another thing, and so many come. */
    @ParameterizedTest
    @CsvSource({
        "  1,  0, 0, 0, true",
        "  5,  4, 0, 0, true",
        "  1,  1, 0, 0, false",
        "  1,  1, 0, 1, true",
        "  5,  5, 0, 5, true",
        "  5,  5, 0, 0, false",
        "  6,  5, 0, 0, true",
        "  7,  6, 0, 0, false",
        "  7,  6, 0, 6, false",
        "  7,  3, 2, 0, true",
        "  7,  3, 3, 0, false",
        " 29,  5, 0, 0, true",
        " 29,  6, 0, 0, false",
        " 30,  6, 0, 0, true",
        " 30,  7, 0, 0, false",
        "100, 20, 0, 0, true",
        "100, 21, 0, 0, false",
        "100,  0, 21, 0, false",
        "100, 10, 10, 50, true",
        "  0,  0, 0, 9, true",
    })
    void mostOfAPoolGoesOnlyWithLeave(int had, int going, int replaced, int coming, boolean free) throws Exception {
        Configuration before = pool(had, 0, 0);
        Configuration after = pool(had - going, replaced, coming);

        assertThat(ConfigurationChange.between(before, after).removals()).hasSize(free ? 0 : 1);
    }

    @Test
    void wholePoolGoesOnlyWithLeaveUnlessItIsEmpty() throws Exception {
        Configuration nothing = parsing.parse("{}");

        assertThat(ConfigurationChange.between(pool(1, 0, 0), nothing).removals())
                .containsExactly("pool 'a' would lose all of its environments, 1");
        assertThat(ConfigurationChange.between(pool(0, 0, 0), nothing).removals())
                .isEmpty();
    }

    @Test
    void refusalTellsTheNumbers() throws Exception {
        assertThat(ConfigurationChange.between(pool(40, 0, 0), pool(20, 0, 0)).removals())
                .containsExactly("pool 'a' would lose 20 of its 40 environments, more than 8");
    }

    private Configuration pool(int count, int replaced, int more) throws ConfigurationInvalid {
        StringBuilder text = new StringBuilder("pools: { a: { provider: fixed } }\nenvironments: [");
        for (int i = 0; i < count; i++) {
            text.append("{ name: e%d, pool: a, account: '%d', region: %s },"
                    .formatted(i, i, i < replaced ? "elsewhere" : "here"));
        }
        for (int i = 0; i < more; i++) {
            text.append("{ name: new%d, pool: a },".formatted(i));
        }
        return parsing.parse(text.append("]").toString());
    }

    private static PoolChange pool(ConfigurationChange change, String name) {
        return Objects.requireNonNull(change.pools().get(new PoolName(name)));
    }

    private static List<EnvironmentName> names(String... names) {
        return List.of(names).stream().map(EnvironmentName::new).toList();
    }
}
