package dev.berth.cli;

import dev.berth.client.Allocation;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code berth keepalive}. */
@Command(
        name = "keepalive",
        header = "Give a sign of life for an allocation.",
        description = "%nExit code 79 tells that it has ended.",
        footerHeading = "%nExamples:%n",
        footer = {"  while berth keepalive \"$ID\"; do sleep 15; done"})
final class KeepaliveCommand extends ServiceCommand {
    @Mixin
    private final OutputOption output = new OutputOption();

    @Parameters(paramLabel = "ID", description = "The allocation.")
    private String id = "";

    KeepaliveCommand(Surroundings around) {
        super(around);
    }

    @Override
    public Integer call() {
        Allocation kept = service.client().keepalive(id);
        output.print(around, kept.json(), () -> List.of(said(kept)));
        return ExitCode.OK;
    }

    private static String said(Allocation kept) {
        return switch (kept.state()) {
            case PENDING -> "waiting; its place is kept";
            case GRANTING -> "its access is being issued";
            case ACTIVE, ENDED ->
                kept.heldUntil() != null
                        ? "kept until " + kept.heldUntil()
                        : kept.keepaliveBy() == null
                                ? "held; its keepalive is off"
                                : "held; next sign of life by " + kept.keepaliveBy();
        };
    }
}
