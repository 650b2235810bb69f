package dev.berth.cli;

import dev.berth.client.BerthClient;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth release}. */
@Command(
        name = "release",
        header = "Give allocations back.",
        description = "%nAccess to them ends and clean-up begins. Releasing one again changes nothing.",
        footerHeading = "%nExamples:%n",
        footer = {"  berth release \"$ID\"", "  berth release --outcome failure \"$ID\" \"$OTHER\""})
final class ReleaseCommand extends ServiceCommand {
    @Option(
            names = "--outcome",
            paramLabel = "TEXT",
            description = "What to keep on record about the work, such as success or failure.")
    private @Nullable String outcome;

    @Parameters(arity = "1..*", paramLabel = "ID", description = "The allocations.")
    private List<String> ids = List.of();

    ReleaseCommand(Surroundings around) {
        super(around);
    }

    @Override
    public Integer call() {
        BerthClient client = service.client();
        return new EachOf(around).apply(ids, id -> {
            client.release(id, outcome);
            around.out().println("released " + Text.clean(id));
        });
    }
}
