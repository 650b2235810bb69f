package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** Holds docs/cli.md to what the commands say of themselves. */
class CommandReferenceTest {
    private static final Path PAGE = Path.of("").toAbsolutePath().getParent().resolve("docs/cli.md");

    @Test
    void thePageOfTheCommandsSaysWhatTheirHelpSays() throws Exception {
        PrintStream none = new PrintStream(PrintStream.nullOutputStream());
        StringBuilder page = new StringBuilder("""
                # The command line

                What `berth COMMAND --help` prints, for all commands. Made by `CommandReferenceTest`, which fails when this page is not
                up to date; `-Dberth.update=true` writes it anew.
                """);
        append(page, BerthCommand.tree(new Surroundings(Map.of(), Path.of("/home/me"), none, none, false, false)));

        if (Boolean.getBoolean("berth.update")) {
            Files.writeString(PAGE, page);
        }
        assertThat(page.toString()).isEqualTo(Files.readString(PAGE));
    }

    private static void append(StringBuilder page, CommandLine command) {
        page.append("\n## ").append(command.getCommandSpec().qualifiedName()).append("\n\n```text\n");
        page.append(command.getUsageMessage(Ansi.OFF)
                        .replaceAll("[ \r]+\n", "\n")
                        .stripTrailing())
                .append("\n```\n");
        command.getSubcommands().values().stream().distinct().forEach(below -> append(page, below));
    }
}
