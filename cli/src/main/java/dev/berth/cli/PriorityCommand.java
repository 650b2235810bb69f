package dev.berth.cli;

import dev.berth.client.Allocation;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code berth priority}. */
@Command(
        name = "priority",
        header = "Give a waiting allocation another priority, as an operator.",
        footerHeading = "%nExamples:%n",
        footer = {"  berth priority \"$ID\" 10", "  berth priority \"$ID\" -5"})
final class PriorityCommand extends ServiceCommand {
    @Mixin
    private final OutputOption output = new OutputOption();

    @Parameters(index = "0", paramLabel = "ID", description = "The allocation.")
    private String id = "";

    @Parameters(index = "1", paramLabel = "N", description = "Higher is served first, -100 to 100.")
    private int priority;

    PriorityCommand(Surroundings around) {
        super(around);
    }

    @Override
    public Integer call() {
        RequestOptions.checkPriority("N", priority);
        Allocation changed = service.client().prioritise(id, priority);
        output.print(around, changed.json(), () -> AllocationText.lines(changed));
        return ExitCode.OK;
    }
}
