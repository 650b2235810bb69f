package dev.berth.cli;

import dev.berth.client.BerthClient;
import dev.berth.client.CreatedToken;
import dev.berth.client.TokenInfo;
import dev.berth.client.TokenList;
import dev.berth.server.app.StoreChores;
import dev.berth.server.auth.TokenDesk;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/** {@code berth token}: the secrets with which principals call the service. */
@Command(
        name = "token",
        header = "Create, list and revoke bearer tokens.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth token create --principal ci --expires 90d --output json",
            "  berth token list",
            "  berth token revoke \"$ID\""
        })
final class TokenCommand implements Runnable {
    private final Surroundings around;

    TokenCommand(Surroundings around) {
        this.around = around;
    }

    @Override
    public void run() {
        throw new CliFailure(ExitCode.USAGE, "say what to do: berth token create, list or revoke");
    }

    /** The commands below this one. */
    List<Object> commands() {
        return List.of(new Create(around), new Show(around), new Revoke(around));
    }

    /** {@code berth token create}. */
    @Command(
            name = "create",
            header = "Make a token for a principal and print it, this once.",
            description = "%nA service on PostgreSQL makes no admin token by itself. Where no principal is configured"
                    + " either, --store makes the first one, in the database.",
            footerHeading = "%nExamples:%n",
            footer = {
                "  berth token create --principal ci --expires 90d",
                "  berth token create --principal admin --store 'postgresql://berth@db.example/berth?sslmode=verify-full'",
                "  berth token create --principal ci --output json | jq -r .token > ci-token"
            })
    static final class Create implements Callable<Integer> {
        private final Surroundings around;

        @Mixin
        private final ServiceOptions service;

        @Mixin
        private final OutputOption output = new OutputOption();

        @Option(
                names = "--principal",
                required = true,
                paramLabel = "NAME",
                description = "Whose token it is: a principal of the configuration, or admin.")
        private String principal = "";

        @Option(
                names = "--expires",
                paramLabel = "TIME",
                converter = DurationConverter.class,
                description = "After how long it stops working, like 90d. Default: never.")
        private @Nullable Duration expires;

        @Option(
                names = "--store",
                paramLabel = "URL",
                description = "Make it in this database, as for 'berth serve', without a service. For admin alone.")
        private @Nullable String store;

        Create(Surroundings around) {
            this.around = around;
            this.service = new ServiceOptions(around);
        }

        @Override
        public Integer call() {
            if (store == null) {
                CreatedToken created = service.client().createToken(principal, expires);
                print(created.id(), created.token(), Text.orDash(created.principal()), created.expiresAt());
                return ExitCode.OK;
            }
            if (!principal.equals("admin")) {
                throw new CliFailure(ExitCode.USAGE, "--store makes tokens of admin alone; ask the service for others");
            }
            TokenDesk.Created created = StoreChores.adminToken(store, expires);
            print(
                    created.token().id(),
                    created.secret(),
                    principal,
                    created.token().expiresAt());
            return ExitCode.OK;
        }

        private void print(String id, String token, String owner, @Nullable Instant end) {
            if (output.json()) {
                ObjectNode shown = Json.MAPPER.createObjectNode().put("id", id).put("token", token);
                around.out().println(shown);
            } else {
                Text.table(
                                List.of("id", id),
                                List.of(
                                        List.of("token", token),
                                        List.of("principal", owner),
                                        List.of("expires", end == null ? "never" : Text.orDash(end))))
                        .forEach(around.out()::println);
            }
        }
    }

    /** {@code berth token list}. */
    @Command(
            name = "list",
            header = "List the tokens that were created, without their secrets.",
            footerHeading = "%nExamples:%n",
            footer = "  berth token list -o json")
    static final class Show implements Callable<Integer> {
        private final Surroundings around;

        @Mixin
        private final ServiceOptions service;

        @Mixin
        private final OutputOption output = new OutputOption();

        Show(Surroundings around) {
            this.around = around;
            this.service = new ServiceOptions(around);
        }

        @Override
        public Integer call() {
            TokenList list = service.client().tokens();
            output.print(around, list.json(), () -> table(list));
            return ExitCode.OK;
        }

        private static List<String> table(TokenList list) {
            List<List<String>> rows = new ArrayList<>();
            for (TokenInfo token : list.tokens()) {
                rows.add(List.of(
                        token.id(),
                        Text.orDash(token.principal()),
                        Text.orDash(token.createdAt()),
                        token.expiresAt() == null ? "never" : Text.orDash(token.expiresAt()),
                        token.lastUsedAt() == null ? "never" : Text.orDash(token.lastUsedAt())));
            }
            return rows.isEmpty()
                    ? List.of("no tokens")
                    : Text.table(List.of("ID", "PRINCIPAL", "CREATED", "EXPIRES", "LAST USED"), rows);
        }
    }

    /** {@code berth token revoke}. */
    @Command(
            name = "revoke",
            header = "End tokens at once.",
            footerHeading = "%nExamples:%n",
            footer = "  berth token revoke \"$ID\"")
    static final class Revoke implements Callable<Integer> {
        private final Surroundings around;

        @Mixin
        private final ServiceOptions service;

        @Parameters(arity = "1..*", paramLabel = "ID", description = "The tokens' ids.")
        private List<String> ids = List.of();

        Revoke(Surroundings around) {
            this.around = around;
            this.service = new ServiceOptions(around);
        }

        @Override
        public Integer call() {
            BerthClient client = service.client();
            return new EachOf(around).apply(ids, id -> {
                client.revokeToken(id);
                around.out().println("revoked " + Text.clean(id));
            });
        }
    }
}
