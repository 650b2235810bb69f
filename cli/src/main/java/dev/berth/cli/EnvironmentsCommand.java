package dev.berth.cli;

import dev.berth.client.BerthClient;
import dev.berth.client.Environment;
import dev.berth.client.EnvironmentAction;
import dev.berth.client.EnvironmentPage;
import dev.berth.client.EnvironmentQuery;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code berth environments}: the list, one with its history, and what operators do to them. */
@Command(
        name = "environments",
        header = "Show environments, or one with its history; clean, verify, retire or quarantine them.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth environments --pool scratch",
            "  berth environments --state dirty",
            "  berth environments scratch-1",
            "  berth environments clean scratch-1 scratch-2",
            "  berth environments quarantine scratch-1 --reason 'disk makes noises'"
        })
final class EnvironmentsCommand extends ServiceCommand {
    private static final int PAGE = 500;

    @Mixin
    private final OutputOption output = new OutputOption();

    @Option(names = "--pool", paramLabel = "POOL", description = "Only those of this pool.")
    private @Nullable String pool;

    @Option(
            names = "--state",
            paramLabel = "STATE",
            description = "Only those in this state: available, allocated, cleaning, checking, withheld or dirty.")
    private @Nullable String state;

    @Parameters(arity = "0..1", paramLabel = "NAME", description = "The one to show with its history.")
    private @Nullable String name;

    EnvironmentsCommand(Surroundings around) {
        super(around);
    }

    @Override
    public Integer call() {
        BerthClient client = service.client();
        if (name == null) {
            list(client);
        } else {
            Environment one = client.environment(name);
            output.print(around, one.json(), () -> detail(one));
        }
        return ExitCode.OK;
    }

    private void list(BerthClient client) {
        ArrayNode documents = Json.MAPPER.createArrayNode();
        List<List<String>> rows = new ArrayList<>();
        String cursor = null;
        do {
            EnvironmentPage page = client.environments(new EnvironmentQuery(pool, state, cursor, PAGE));
            for (Environment environment : page.environments()) {
                if (output.json()) {
                    documents.add(Json.MAPPER.readTree(environment.json()));
                } else {
                    rows.add(row(environment));
                }
            }
            cursor = page.next();
        } while (cursor != null);
        if (output.json()) {
            ObjectNode all = Json.MAPPER.createObjectNode();
            all.set("environments", documents);
            around.out().println(Json.pretty(all.toString()));
        } else if (rows.isEmpty()) {
            around.out().println("no environments");
        } else {
            Text.table(List.of("NAME", "POOL", "STATE", "SINCE", "HOLDER", "REASON"), rows)
                    .forEach(around.out()::println);
        }
    }

    private static List<String> row(Environment environment) {
        return List.of(
                environment.name(),
                Text.orDash(environment.pool()),
                environment.state() + (environment.retiring() ? " (retiring)" : ""),
                Text.orDash(environment.since()),
                Text.orDash(environment.holder()),
                Text.orDash(environment.reason()));
    }

    private static List<String> detail(Environment environment) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("pool", Text.orDash(environment.pool())));
        rows.add(List.of("state", environment.state() + (environment.retiring() ? " (retiring)" : "")));
        rows.add(List.of("since", Text.orDash(environment.since())));
        rows.add(List.of("holder", Text.orDash(environment.holder())));
        rows.add(List.of("reason", Text.orDash(environment.reason())));
        if (environment.retiredAt() != null) {
            rows.add(List.of("retired", environment.retiredAt().toString()));
        }
        List<String> lines = Text.table(List.of("environment", environment.name()), rows);
        if (environment.report() != null) {
            lines.add("");
            lines.add("report");
            environment.report().lines().forEach(line -> lines.add("  " + Text.clean(line)));
        }
        if (!environment.history().isEmpty()) {
            lines.add("");
            lines.add("history");
            environment.history().forEach(entry -> lines.add("  " + EventText.line(entry)));
        }
        return lines;
    }

    /** One of the things that operators do; made once for each {@link EnvironmentAction}. */
    @Command
    static final class Act extends ServiceCommand {
        private final EnvironmentAction action;

        @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for the record.")
        private @Nullable String reason;

        @Parameters(arity = "1..*", paramLabel = "NAME", description = "The environments.")
        private List<String> names = List.of();

        Act(Surroundings around, EnvironmentAction action) {
            super(around);
            this.action = action;
        }

        @Override
        public Integer call() {
            BerthClient client = service.client();
            return new EachOf(around).apply(names, name -> {
                client.act(name, action, reason);
                around.out().println(Text.clean(name) + ": " + said());
            });
        }

        private String said() {
            return switch (action) {
                case CLEAN -> "is to be cleaned";
                case VERIFY -> "is to be verified";
                case RETIRE -> "is to be retired";
                case QUARANTINE -> "is quarantined";
            };
        }

        static String header(EnvironmentAction action) {
            return switch (action) {
                case CLEAN -> "Clean environments now, dirty ones too.";
                case VERIFY -> "Check environments now; a dirty one that agrees is lent again.";
                case RETIRE -> "Lend environments no more; they go away once they are free.";
                case QUARANTINE -> "Take environments out of use; allocated ones at their end.";
            };
        }
    }
}
