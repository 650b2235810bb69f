package dev.berth.cli;

import dev.berth.server.auth.AccessVault;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code berth key}: the key that encrypts stored access. */
@Command(
        name = "key",
        header = "Make the key that encrypts stored access.",
        footerHeading = "%nExamples:%n",
        footer = "  berth key create /etc/berth/key")
final class KeyCommand implements Runnable {
    private final Surroundings around;

    KeyCommand(Surroundings around) {
        this.around = around;
    }

    @Override
    public void run() {
        throw new CliFailure(ExitCode.USAGE, "say what to do: berth key create");
    }

    /** The commands below this one. */
    List<Object> commands() {
        return List.of(new Create(around));
    }

    /** {@code berth key create}. */
    @Command(
            name = "create",
            header = "Make a key in a new file that only its owner can read.",
            description = "%nWhoever loses it loses the access that is stored, so keep a copy. An existing file is"
                    + " left as it is.",
            footerHeading = "%nExamples:%n",
            footer = "  berth key create /etc/berth/key && berth serve --key-file /etc/berth/key")
    static final class Create implements Callable<Integer> {
        private final Surroundings around;

        @Parameters(paramLabel = "FILE", description = "The file to make.")
        private Path file = Path.of("key");

        Create(Surroundings around) {
            this.around = around;
        }

        @Override
        public Integer call() {
            if (Files.exists(file)) {
                throw new CliFailure(ExitCode.USAGE, file + " is there already, and is left as it is");
            }
            try {
                AccessVault.open(file);
            } catch (AccessVault.UnusableKey e) {
                throw new CliFailure(ExitCode.BAD_CONFIGURATION, String.valueOf(e.getMessage()), e);
            }
            around.out().println("made " + file);
            return ExitCode.OK;
        }
    }
}
