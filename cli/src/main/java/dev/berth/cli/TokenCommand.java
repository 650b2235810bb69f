package dev.berth.cli;

import dev.berth.client.BerthClient;
import dev.berth.client.CreatedAccessKey;
import dev.berth.client.CreatedToken;
import dev.berth.client.TokenInfo;
import dev.berth.client.TokenList;
import dev.berth.server.app.StoreChores;
import dev.berth.server.auth.TokenDesk;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/** {@code berth token}: the secrets with which principals call the service. */
@Command(
        name = "token",
        header = "Create, list and revoke tokens and access keys.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth token create --principal ci --expires 90d --output json",
            "  berth token create --principal ci --sigv4",
            "  berth token list",
            "  berth token revoke \"$ID\""
        })
final class TokenCommand implements Runnable {
    @Override
    public void run() {
        throw new CliFailure(ExitCode.USAGE, "say what to do: berth token create, list or revoke");
    }

    /** The commands below this one. */
    static List<Object> commands(Surroundings around) {
        return List.of(new Create(around), new Show(around), new Revoke(around));
    }

    /** {@code berth token create}. */
    @Command(
            name = "create",
            header = "Make a token or an access key for a principal and print it, this once.",
            description = "%nA service on PostgreSQL makes no admin token by itself. Where no principal is configured"
                    + " either, --store makes the first one, in the database.",
            footerHeading = "%nExamples:%n",
            footer = {
                "  berth token create --principal ci --expires 90d",
                "  berth token create --principal admin --store 'postgresql://berth@db.example/berth?sslmode=verify-full'",
                "  berth token create --principal ci --output json | jq -r .token > ci-token",
                "  berth token create --principal ci --sigv4 --expires 90d --output json"
            })
    static final class Create extends ServiceCommand {
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
                names = "--sigv4",
                description = "Make an access key, for clients that sign with AWS Signature Version 4.")
        private boolean sigv4;

        @Option(
                names = "--store",
                paramLabel = "URL",
                description = "Make it in this database, as for 'berth serve', without a service. For admin alone.")
        private @Nullable String store;

        Create(Surroundings around) {
            super(around);
        }

        @Override
        public Integer call() {
            if (sigv4 && store != null) {
                throw new CliFailure(ExitCode.USAGE, "--store makes bearer tokens alone, not access keys");
            }
            if (sigv4) {
                print(service.client().createAccessKey(principal, expires));
                return ExitCode.OK;
            }
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

        private void print(CreatedAccessKey key) {
            if (output.json()) {
                ObjectNode shown = Json.MAPPER
                        .createObjectNode()
                        .put("id", key.id())
                        .put("accessKeyId", key.accessKeyId())
                        .put("secretAccessKey", key.secretAccessKey());
                around.out().println(shown);
            } else {
                Text.table(
                                List.of("id", key.id()),
                                List.of(
                                        List.of("access key", key.accessKeyId()),
                                        List.of("secret", key.secretAccessKey()),
                                        List.of("principal", Text.orDash(key.principal())),
                                        List.of("expires", end(key.expiresAt()))))
                        .forEach(around.out()::println);
            }
        }

        private static String end(@Nullable Instant end) {
            return end == null ? "never" : Text.orDash(end);
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
                                        List.of("expires", end(end))))
                        .forEach(around.out()::println);
            }
        }
    }

    /** {@code berth token list}. */
    @Command(
            name = "list",
            header = "List the tokens and access keys that were created, without their secrets.",
            footerHeading = "%nExamples:%n",
            footer = "  berth token list -o json")
    static final class Show extends ServiceCommand {
        @Mixin
        private final OutputOption output = new OutputOption();

        Show(Surroundings around) {
            super(around);
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
                        Text.orDash(token.kind()),
                        Text.orDash(token.createdAt()),
                        token.expiresAt() == null ? "never" : Text.orDash(token.expiresAt()),
                        token.lastUsedAt() == null ? "never" : Text.orDash(token.lastUsedAt())));
            }
            return rows.isEmpty()
                    ? List.of("no tokens")
                    : Text.table(List.of("ID", "PRINCIPAL", "KIND", "CREATED", "EXPIRES", "LAST USED"), rows);
        }
    }

    /** {@code berth token revoke}. */
    @Command(
            name = "revoke",
            header = "End tokens or access keys at once.",
            footerHeading = "%nExamples:%n",
            footer = "  berth token revoke \"$ID\"")
    static final class Revoke extends ServiceCommand {
        @Parameters(arity = "1..*", paramLabel = "ID", description = "The tokens' ids.")
        private List<String> ids = List.of();

        Revoke(Surroundings around) {
            super(around);
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
