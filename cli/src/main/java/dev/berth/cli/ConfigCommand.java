package dev.berth.cli;

import dev.berth.client.BerthClient;
import dev.berth.client.ConfigurationChange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth config}: check a configuration file, see what it would change, put it in force. */
@Command(
        name = "config",
        header = "Check a configuration file, show what it would change, or put it in force.",
        footerHeading = "%nExamples:%n",
        footer = {"  berth config check berth.yaml", "  berth config diff berth.yaml", "  berth config apply berth.yaml"
        })
final class ConfigCommand implements Runnable {
    /** The service refuses larger bodies; no need to send one. */
    private static final long LONGEST_FILE = 64L << 20;

    @Override
    public void run() {
        throw new CliFailure(ExitCode.USAGE, "say what to do: berth config check, diff or apply");
    }

    /** The commands below this one. */
    static List<Object> commands(Surroundings around) {
        return List.of(new Check(around), new Diff(around), new Apply(around));
    }

    /** Reads a configuration file as the service will. */
    static String read(Path file) {
        try {
            if (Files.size(file) > LONGEST_FILE) {
                throw new CliFailure(ExitCode.BAD_CONFIGURATION, file + " is larger than a configuration can be");
            }
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new CliFailure(ExitCode.BAD_CONFIGURATION, file + " is not UTF-8", e);
        } catch (IOException e) {
            throw new CliFailure(ExitCode.USAGE, "cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static void print(Surroundings around, OutputOption output, ConfigurationChange change, boolean done) {
        if (output.json()) {
            around.out().println(Json.pretty(change.json()));
            return;
        }
        each(around, done ? "registered" : "would register", change.register());
        each(around, done ? "de-registered" : "would de-register", change.deregister());
        each(around, done ? "changed" : "would change", change.change());
        each(around, done ? "changed pool" : "would change pool", change.pools());
        if (change.register().isEmpty()
                && change.deregister().isEmpty()
                && change.change().isEmpty()
                && change.pools().isEmpty()) {
            around.out().println("nothing changes");
        }
        if (done && change.digest() != null) {
            around.out().println("in force: " + Text.clean(change.digest()));
        }
    }

    private static void each(Surroundings around, String what, List<String> names) {
        names.forEach(name -> around.out().println(what + " " + Text.clean(name)));
    }

    /** {@code berth config check}: needs no service. */
    @Command(
            name = "check",
            header = "Check a configuration file without a service; tell every mistake with its line.",
            description = "%nWhat its references to secrets name is looked for here: run it where the service runs.",
            footerHeading = "%nExamples:%n",
            footer = "  berth config check berth.yaml")
    static final class Check implements Callable<Integer> {
        private final Surroundings around;

        @Parameters(paramLabel = "FILE", description = "The configuration file.")
        private Path file = Path.of("berth.yaml");

        Check(Surroundings around) {
            this.around = around;
        }

        @Override
        public Integer call() {
            return new ConfigurationCheck(around).check(file);
        }
    }

    /** {@code berth config diff}. */
    @Command(
            name = "diff",
            header = "Show what a configuration file would register, de-register and change.",
            footerHeading = "%nExamples:%n",
            footer = "  berth config diff berth.yaml")
    static final class Diff extends ServiceCommand {
        @Mixin
        private final OutputOption output = new OutputOption();

        @Parameters(paramLabel = "FILE", description = "The configuration file.")
        private Path file = Path.of("berth.yaml");

        Diff(Surroundings around) {
            super(around);
        }

        @Override
        public Integer call() {
            BerthClient client = service.client();
            print(around, output, client.diffConfiguration(read(file)), false);
            return ExitCode.OK;
        }
    }

    /** {@code berth config apply}. */
    @Command(
            name = "apply",
            header = "Put a configuration file in force.",
            description = "%nA change that removes a whole pool, or more than the larger of 5 and 20%% of one, is"
                    + " refused without --allow-removals.",
            footerHeading = "%nExamples:%n",
            footer = {"  berth config apply berth.yaml", "  berth config apply --allow-removals berth.yaml"})
    static final class Apply extends ServiceCommand {
        @Mixin
        private final OutputOption output = new OutputOption();

        @Option(names = "--allow-removals", description = "Remove whole pools or large parts of them, too.")
        private boolean allowRemovals;

        @Parameters(paramLabel = "FILE", description = "The configuration file.")
        private Path file = Path.of("berth.yaml");

        Apply(Surroundings around) {
            super(around);
        }

        @Override
        public Integer call() {
            BerthClient client = service.client();
            print(around, output, client.applyConfiguration(read(file), allowRemovals), true);
            return ExitCode.OK;
        }
    }
}
