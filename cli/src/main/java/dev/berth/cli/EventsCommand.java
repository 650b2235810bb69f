package dev.berth.cli;

import dev.berth.client.BerthClient;
import dev.berth.client.Event;
import dev.berth.client.EventPage;
import dev.berth.client.EventQuery;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code berth events}. */
@Command(
        name = "events",
        header = "Show what happened, oldest first, or follow it.",
        description = "%nWith --output json, one document a line. Following outlives restarts of the service and leaves"
                + " nothing out.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth events --pool scratch",
            "  berth events --follow",
            "  berth events --since \"$CURSOR\" -o json | jq -r .type"
        })
final class EventsCommand extends ServiceCommand {
    private static final int PAGE = 500;

    @Mixin
    private final OutputOption output = new OutputOption();

    @Option(names = "--pool", paramLabel = "POOL", description = "Only those of this pool.")
    private @Nullable String pool;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with what happens, until Ctrl-C.")
    private boolean follow;

    @Option(names = "--since", paramLabel = "CURSOR", description = "Only those after this cursor.")
    private @Nullable String since;

    EventsCommand(Surroundings around) {
        super(around);
    }

    @Override
    public Integer call() {
        BerthClient client = service.client();
        if (follow) {
            client.follow(new EventQuery(pool, since, null), this::print);
            return ExitCode.OK;
        }
        String cursor = since;
        while (true) {
            EventPage page = client.events(new EventQuery(pool, cursor, PAGE));
            for (Event event : page.events()) {
                if (!print(event)) {
                    return ExitCode.OK;
                }
            }
            if (page.events().isEmpty() || page.next() == null || page.next().equals(cursor)) {
                return ExitCode.OK;
            }
            cursor = page.next();
        }
    }

    /** False when nobody reads any more, as after {@code | head}. */
    private boolean print(Event event) {
        around.out().println(output.json() ? event.json() : EventText.line(event.fields()));
        return !around.out().checkError();
    }
}
