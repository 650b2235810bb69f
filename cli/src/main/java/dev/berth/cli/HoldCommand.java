package dev.berth.cli;

import dev.berth.client.Allocation;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth hold}. */
@Command(
        name = "hold",
        header = "Keep an allocation for persons after a failed run.",
        description = "%nIts own deadlines count no more; it ends at that of the hold, or by 'berth release'. Who is"
                + " named may see its access with 'berth status ID' and release it. Works where the pool allows it, as"
                + " long and as often as that says.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth hold \"$ID\" --for 30m --to alice",
            "  berth hold \"$ID\" --for 2h --to alice,bob --outcome failure"
        })
final class HoldCommand extends ServiceCommand {
    @Mixin
    private final OutputOption output = new OutputOption();

    @Option(
            names = "--for",
            required = true,
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "How long, like 30m.")
    private Duration longest = Duration.ZERO;

    @Option(
            names = "--to",
            paramLabel = "WHO[,WHO]",
            description = "The principals whom it is kept for, beside the one that asked for it.")
    private @Nullable String to;

    @Option(
            names = "--outcome",
            paramLabel = "TEXT",
            description = "What to keep on record about the work, such as failure.")
    private @Nullable String outcome;

    @Parameters(paramLabel = "ID", description = "The allocation.")
    private String id = "";

    HoldCommand(Surroundings around) {
        super(around);
    }

    @Override
    public Integer call() {
        Handover handover = Handover.of("--for", longest, "--to", to);
        Allocation held = service.client().hold(id, handover.longest(), outcome, handover.to());
        output.print(around, held.json(), () -> List.of("kept" + handover.until(held)));
        return ExitCode.OK;
    }
}
