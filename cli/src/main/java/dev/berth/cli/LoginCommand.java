package dev.berth.cli;

import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code berth login}: who one is to services, without a token of theirs. */
@Command(
        name = "login",
        header = "Log in to a service without a token of its own.",
        footerHeading = "%nExamples:%n",
        footer = {"  berth login aws --url https://ci.example", "  berth login aws --url https://ci.example --forget"})
final class LoginCommand implements Runnable {
    /** The commands below this one. */
    static List<Object> commands(Surroundings around) {
        return List.of(new Aws(around));
    }

    @Override
    public void run() {
        throw new CliFailure(ExitCode.USAGE, "say how: berth login aws");
    }

    /** {@code berth login aws}. */
    @Command(
            name = "aws",
            header = "Log in with AWS credentials; the commands that follow do so by themselves.",
            description = {
                "%nSigns a GetCallerIdentity of STS with the credentials that AWS's own tools would use, and has the service"
                        + " ask AWS who signed. The credentials stay here. What is remembered for the service's URL, in"
                        + " ~/.config/berth/logins.json, is how to log in and no secret: each command makes a login of its own,"
                        + " and a new one when that ends. A token that is given comes first."
            },
            footerHeading = "%nExamples:%n",
            footer = {
                "  berth login aws --url https://ci.example",
                "  berth login aws --url https://ci.example --profile build --region eu-west-1",
                "  echo \"Authorization: $(berth login aws --print)\" | curl -H @- \"$BERTH_URL/pools\"",
                "  export BERTH_TOKEN=\"$(berth login aws --token)\""
            })
    static final class Aws extends ServiceCommand {
        @Option(
                names = "--service",
                paramLabel = "NAME",
                description =
                        "What the service is called, as its aws-callers.service says. Default: the host of its URL.")
        private @Nullable String named;

        @Option(names = "--profile", paramLabel = "NAME", description = "The AWS profile. Default: as AWS's own tools.")
        private @Nullable String profile;

        @Option(
                names = "--region",
                paramLabel = "REGION",
                description = "Whose STS is asked. Default: AWS_REGION, else AWS_DEFAULT_REGION, else us-east-1.")
        private @Nullable String region;

        @Option(
                names = "--sts-endpoint",
                paramLabel = "URL",
                description = "Where STS is, where the service's aws-callers.endpoint says so. Default: AWS's own.")
        private @Nullable String endpoint;

        @Option(
                names = "--print",
                description = "Print the Authorization header, good for 15 minutes; remember nothing.")
        private boolean print;

        @Option(
                names = "--token",
                description = "Print a token that is good for an hour, for programs that know tokens alone; remember"
                        + " nothing.")
        private boolean token;

        @Option(names = "--forget", description = "Log in to the service no more.")
        private boolean forget;

        Aws(Surroundings around) {
            super(around);
        }

        @Override
        public Integer call() {
            if (Stream.of(print, token, forget).filter(Boolean::booleanValue).count() > 1) {
                throw new CliFailure(ExitCode.USAGE, "--print, --token and --forget go each by itself");
            }
            URI uri = service.uri();
            if (forget) {
                boolean was = Logins.of(around).remove(uri);
                around.out().println(was ? "forgotten" : "nothing was remembered for " + uri);
                return ExitCode.OK;
            }
            AwsLogin.Settings settings = settings(uri);
            AwsLogin login = AwsLogin.of(settings, around.env());
            if (print) {
                around.out().println(login.get());
                return ExitCode.OK;
            }
            if (token) {
                around.out()
                        .println(service.client(() -> null)
                                .exchangeAwsLogin(login.once(), null)
                                .token());
                return ExitCode.OK;
            }
            int pools = service.client(login).pools().pools().size();
            Logins.of(around).put(uri, settings);
            around.out().println(uri + " lets you in, and shows you " + pools + (pools == 1 ? " pool" : " pools"));
            return ExitCode.OK;
        }

        private AwsLogin.Settings settings(URI uri) {
            String where = region;
            for (String variable : List.of("AWS_REGION", "AWS_DEFAULT_REGION")) {
                String value = around.env().getOrDefault(variable, "");
                where = where == null && !value.isEmpty() ? value : where;
            }
            where = where == null ? "us-east-1" : where;
            if (!where.matches("[a-z0-9-]{1,40}")) {
                throw new CliFailure(ExitCode.USAGE, "'" + where + "' is not a region of AWS");
            }
            return new AwsLogin.Settings(named == null ? host(uri) : named, where, profile, endpoint);
        }

        /** With its port where that is not the scheme's own. */
        private static String host(URI uri) {
            String host = String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT);
            int usual = "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
            return uri.getPort() < 0 || uri.getPort() == usual ? host : host + ":" + uri.getPort();
        }
    }
}
