package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.BerthClient;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth extend}. */
@Command(
        name = "extend",
        header = "Move the end of an allocation's session.",
        description = "%nWorks where the pool allows it, up to its max-session.",
        footerHeading = "%nExamples:%n",
        footer = {"  berth extend --for 30m \"$ID\"", "  berth extend --until 2030-01-31T18:00:00Z \"$ID\""})
final class ExtendCommand extends ServiceCommand {
    /** Either of the two ways to say it. */
    static final class Until {
        @Option(
                names = "--for",
                paramLabel = "TIME",
                converter = DurationConverter.class,
                description = "By how much, like 30m, from its present end.")
        private @Nullable Duration longer;

        @Option(names = "--until", paramLabel = "INSTANT", description = "Until when, like 2030-01-31T18:00:00Z.")
        private @Nullable Instant until;
    }

    @Mixin
    private final OutputOption output = new OutputOption();

    @ArgGroup(multiplicity = "1")
    private Until until = new Until();

    @Parameters(paramLabel = "ID", description = "The allocation.")
    private String id = "";

    ExtendCommand(Surroundings around) {
        super(around);
    }

    @Override
    public Integer call() {
        BerthClient client = service.client();
        Allocation extended = client.extend(id, end(client));
        output.print(around, extended.json(), () -> List.of("extended until " + extended.expiresAt()));
        return ExitCode.OK;
    }

    private Instant end(BerthClient client) {
        Instant given = until.until;
        if (given != null) {
            return given;
        }
        // Counted from the service's own instant, so that this machine's clock does not matter.
        Instant present = client.allocation(id).expiresAt();
        if (present == null || until.longer == null) {
            throw new CliFailure(ExitCode.USAGE, "allocation " + id + " has no end to be moved");
        }
        return present.plus(until.longer);
    }
}
