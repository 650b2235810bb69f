package dev.berth.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The reference says what the parser knows, neither more nor less. */
class ConfigurationDocumentTest {
    private static final Pattern ROW = Pattern.compile("^\\| `([^`]+)` \\|.*", Pattern.MULTILINE);
    private static final Pattern EXAMPLE = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);

    private Parsing parsing;
    private String document;

    @BeforeEach
    void readIt(@TempDir Path folder) throws Exception {
        Files.createDirectory(folder.resolve("secrets"));
        Files.writeString(folder.resolve("secrets/ci-token"), "a-token-of-enough-characters\n");
        parsing = new Parsing(folder, Map.of("BOARD7_PASSWORD", "hidden"));
        document = Files.readString(Path.of("../docs/configuration.md"), StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @EnumSource(Keys.class)
    void everyKeyIsThereAndNoOther(Keys keys) {
        List<String> known = new ArrayList<>(keys.names());
        if (keys == Keys.POOL) {
            parsing.kinds().forEach(kind -> known.add(kind.name()));
        }

        assertThat(rows(keys.heading())).containsExactlyInAnyOrderElementsOf(known);
    }

    private List<String> rows(String heading) {
        String begin = "\n## " + heading + "\n";
        assertThat(document).contains(begin);
        String rest = document.substring(document.indexOf(begin) + begin.length());
        int end = rest.indexOf("\n## ");
        Matcher rows = ROW.matcher(end < 0 ? rest : rest.substring(0, end));
        List<String> keys = new ArrayList<>();
        while (rows.find()) {
            keys.add(rows.group(1));
        }
        return keys;
    }

    @Test
    void exampleIsRightWithoutAWarning() throws Exception {
        Matcher example = EXAMPLE.matcher(document);
        assertThat(example.find()).isTrue();

        Configuration configuration = parsing.parse(example.group(1));

        assertThat(configuration.warnings()).isEmpty();
        assertThat(configuration.pools()).hasSize(2);
    }

    @Test
    void everyExampleOfATableIsRight() throws Exception {
        for (String line : examples("A pool")) {
            String provider = line.startsWith("provider:")
                    ? ""
                    : line.startsWith("command:") ? "provider: command, " : "provider: fixed, ";
            // Its program is the reader's own.
            String pool = provider + line.replace("./clean.sh", "'true'");
            if (line.equals("provider: command")) {
                pool += ", command: { clean: ['true'] }";
            }
            parsing.parse("pools: { a: { " + pool + " } }");
        }
        for (String line : examples("An environment")) {
            String name = line.startsWith("name:") ? "" : "name: a, ";
            String pool = line.startsWith("pool:") ? "" : "pool: lab, ";
            parsing.parse("pools: { lab: { provider: fixed, revocable: false } }\nenvironments: [ { " + name + pool
                    + line + " } ]");
        }
        for (String line : examples("Limits")) {
            parsing.parse("limits: { " + line + " }");
        }
        for (String line : examples("A rate")) {
            parsing.parse("limits: { address: { " + line + " } }");
        }
        for (String line : examples("A principal's AWS identity")) {
            String accounts = line.startsWith("roles:") ? ", accounts: ['222222222222']" : "";
            parsing.parse("principals: [ { name: a, roles: [viewer], aws: { " + line + accounts + " } } ]");
        }
        for (String line : examples("AWS callers")) {
            parsing.parse("aws-callers: { " + line + " }");
        }
        for (String line : examples("A principal")) {
            String name = line.startsWith("name:") ? "" : ", name: a";
            String roles = line.startsWith("roles:") ? "" : ", roles: [consumer]";
            String pools = line.startsWith("pools:") ? "" : ", pools: [lab]";
            parsing.parse(
                    "pools: { lab: { provider: fixed } }\nprincipals: [ { " + line + name + roles + pools + " } ]");
        }
    }

    private List<String> examples(String heading) {
        String begin = "\n## " + heading + "\n";
        String rest = document.substring(document.indexOf(begin) + begin.length());
        Matcher rows = Pattern.compile("^\\| .*\\| `([^`|]+: [^`|]+)` \\|$", Pattern.MULTILINE)
                .matcher(rest.substring(0, rest.indexOf("\n## ")));
        List<String> examples = new ArrayList<>();
        while (rows.find()) {
            examples.add(rows.group(1));
        }
        assertThat(examples).isNotEmpty();
        return examples;
    }
}
