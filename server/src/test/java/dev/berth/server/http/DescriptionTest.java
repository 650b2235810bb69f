package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.EndReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What is written about the API is what it is. */
class DescriptionTest extends ServiceTest {

    @Test
    void theDescriptionHasEveryRouteAndNoOther() {
        assertThat(new OpenApi().operations())
                .isEqualTo(service.api.routes().stream()
                        .map(route -> route.method() + " " + route.path())
                        .collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void theDescriptionIsServed() {
        assertThat(service.call("", "GET", "/openapi.json", null).body()).isEqualTo(new OpenApi().document());
    }

    @Test
    void theDescriptionHasEveryErrorAndEachIsSaidWhereItComes() {
        var document = new OpenApi().document();
        var codes =
                Arrays.stream(ErrorCode.values()).map(ErrorCode::slug).collect(Collectors.toCollection(TreeSet::new));
        var described = new TreeSet<String>();
        document.at("/components/schemas/Problem/properties/code/enum").forEach(code -> described.add(code.asString()));
        assertThat(described).isEqualTo(codes);
        var text = document.path("paths").toString() + document.path("info");
        assertThat(codes).allSatisfy(code -> assertThat(text).contains(code));
    }

    @Test
    void theDescriptionHasEveryEnd() {
        var described = new TreeSet<String>();
        new OpenApi()
                .document()
                .at("/components/schemas/Allocation/properties/endReason/enum")
                .forEach(reason -> {
                    if (!reason.isNull()) {
                        described.add(reason.asString());
                    }
                });
        assertThat(described)
                .isEqualTo(Arrays.stream(EndReason.values())
                        .map(EndReason::slug)
                        .collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void theManualListsEveryErrorAsItIs() throws IOException {
        var manual = Files.readString(root().resolve("docs/errors.md"));
        var rows = manual.lines()
                .filter(line -> line.startsWith("| `"))
                .map(line ->
                        String.join("|", Arrays.asList(line.split(" \\| ", -1)).subList(0, 4)))
                .toList();
        assertThat(rows)
                .containsExactlyElementsOf(Arrays.stream(ErrorCode.values())
                        .map(code -> "| `%s`|%d|%s|%s"
                                .formatted(
                                        code.slug(),
                                        code.status(),
                                        code.category().name().toLowerCase(java.util.Locale.ROOT),
                                        code.isRetryable() ? "yes" : "no"))
                        .toList());
    }

    private static Path root() {
        var folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("docs"))) {
            folder = folder.getParent();
        }
        return folder;
    }
}
