package dev.berth.cli;

import dev.berth.client.Baseline;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth environments baseline}: what belongs to an environment, and stays. */
@Command(
        name = "baseline",
        header = "Show what belongs to an environment, or accept what was found as that.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth environments baseline show 111111111111-us-east-1",
            "  berth environments baseline accept 111111111111-us-east-1"
        })
final class BaselineCommand implements Runnable {
    /** The commands below this one. */
    static List<Object> commands(Surroundings around) {
        return List.of(new Show(around), new Accept(around));
    }

    @Override
    public void run() {
        throw new CliFailure(ExitCode.USAGE, "say what to do: show or accept");
    }

    private static void add(List<String> lines, String title, Map<String, List<String>> things) {
        if (things.isEmpty()) {
            return;
        }
        lines.add("");
        lines.add(title);
        things.forEach((type, names) -> {
            lines.add("  " + Text.clean(type));
            names.forEach(name -> lines.add("    " + Text.clean(name)));
        });
    }

    /** {@code berth environments baseline show}. */
    @Command(
            name = "show",
            header = "Show what belongs to an environment, and how that differs which was found there.",
            footerHeading = "%nExamples:%n",
            footer = {
                "  berth environments baseline show 111111111111-us-east-1",
                "  berth environments baseline show 111111111111-us-east-1 --version 1"
            })
    static final class Show extends ServiceCommand {
        @Mixin
        private final OutputOption output = new OutputOption();

        @Option(names = "--version", paramLabel = "N", description = "An earlier one; the last ten are kept.")
        private @Nullable Integer version;

        @Parameters(arity = "1", paramLabel = "NAME", description = "The environment.")
        private String name = "";

        Show(Surroundings around) {
            super(around);
        }

        @Override
        public Integer call() {
            Baseline baseline = service.client().baseline(name, version);
            output.print(around, baseline.json(), () -> lines(baseline));
            return ExitCode.OK;
        }

        private static List<String> lines(Baseline baseline) {
            List<String> lines = new ArrayList<>();
            lines.add(
                    baseline.version() == null
                            ? Text.clean(baseline.environment()) + ": nobody has said yet what belongs to it"
                            : "%s: version %d, kept at %s by %s"
                                    .formatted(
                                            Text.clean(baseline.environment()),
                                            baseline.version(),
                                            Text.orDash(baseline.at()),
                                            Text.orDash(baseline.by())));
            add(lines, "belongs to it", baseline.things());
            if (baseline.foundAt() != null) {
                add(lines, "found at " + baseline.foundAt() + " beside that", baseline.more());
                add(lines, "not found at " + baseline.foundAt(), baseline.missing());
            }
            return lines;
        }
    }

    /** {@code berth environments baseline accept}. */
    @Command(
            name = "accept",
            header = "Have what the last verification found belong to the environment, and verify it.",
            footerHeading = "%nExamples:%n",
            footer = "  berth environments baseline accept 111111111111-us-east-1")
    static final class Accept extends ServiceCommand {
        @Parameters(arity = "1..*", paramLabel = "NAME", description = "The environments.")
        private List<String> names = List.of();

        Accept(Surroundings around) {
            super(around);
        }

        @Override
        public Integer call() {
            var client = service.client();
            return new EachOf(around).apply(names, name -> {
                Baseline baseline = client.acceptBaseline(name);
                around.out().println(Text.clean(name) + ": version " + baseline.version() + " is to be verified");
            });
        }
    }
}
