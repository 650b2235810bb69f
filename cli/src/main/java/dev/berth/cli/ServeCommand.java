package dev.berth.cli;

import dev.berth.server.app.BerthServer;
import dev.berth.server.app.ServeOptions;
import dev.berth.server.auth.PublicUrl;
import dev.berth.server.config.ConfigurationFile;
import dev.berth.server.config.ConfigurationInS3;
import dev.berth.server.config.ConfigurationSource;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code berth serve}: the service itself, in this process. */
@Command(
        name = "serve",
        header = "Run the service.",
        description = "%nThe configuration is read again whenever its file changes. The first start on a data folder"
                + " with no principal configured makes an admin token there, which berth on this machine finds by"
                + " itself. SIGTERM and Ctrl-C stop it gracefully; nothing lent is lost by that.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:stopped as asked",
            "69:the store is not reachable, or the address is not to be had",
            "75:another process has the data folder",
            "78:bad configuration, a missing or wrong key, a certificate that does not fit its key, or a database that"
                    + " does not fit"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth serve --config examples/scratch/berth.yaml",
            "  berth serve --config berth.yaml --data /var/lib/berth --host 0.0.0.0",
            "  berth serve --host 0.0.0.0 --port 443 --tls-cert fullchain.pem --tls-key privkey.pem",
            "  berth serve --store 'postgresql://berth@db.example/berth?sslmode=verify-full' --key-file berth.key"
        })
final class ServeCommand implements Callable<Integer> {
    private static final int HIGHEST_PORT = 65_535;

    private final Surroundings around;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration file, or s3://BUCKET/KEY, which is read with the AWS credentials of the"
                    + " environment. Default: berth.yaml, where there is one.")
    private @Nullable String config;

    @Mixin
    private final DataOption data = new DataOption();

    @Mixin
    private final ListenOptions listen = new ListenOptions();

    @Option(
            names = "--store",
            paramLabel = "URL",
            description =
                    "The database, postgresql://USER@HOST:PORT/DATABASE; its password is in BERTH_STORE_PASSWORD or in the"
                            + " file that ?passwordFile=FILE names. Default: SQLite in the data folder.")
    private @Nullable String store;

    @Option(
            names = "--key-file",
            paramLabel = "FILE",
            description =
                    "The key that encrypts stored access. Default: one in the data folder, made where missing. Needed"
                            + " with --store.")
    private @Nullable Path keyFile;

    @Option(
            names = "--tls-cert",
            paramLabel = "FILE",
            description =
                    "The certificate to serve https with, and after it those of the authorities in between, in PEM."
                            + " Read again when it changes. Needs --tls-key. Default: plain http.")
    private @Nullable Path certificate;

    @Option(
            names = "--tls-key",
            paramLabel = "FILE",
            description = "The private key of the certificate, in PEM, without a passphrase.")
    private @Nullable Path certificateKey;

    @Option(
            names = "--public-url",
            paramLabel = "URL",
            description =
                    "Where callers find the service, like https://ci.example/berth, when a proxy rewrites the host or takes"
                            + " a prefix off the path: signatures are of what callers sent.")
    private @Nullable String publicUrl;

    ServeCommand(Surroundings around) {
        this.around = around;
    }

    /** Where a service of this process listens. */
    static final class ListenOptions {
        @Option(
                names = "--host",
                paramLabel = "ADDRESS",
                defaultValue = "127.0.0.1",
                description = "The address to listen on. Default: ${DEFAULT-VALUE}.")
        private String host = "127.0.0.1";

        @Option(
                names = "--port",
                paramLabel = "N",
                defaultValue = "7117",
                description = "The port; 0 for any that is free. Default: ${DEFAULT-VALUE}.")
        private int port = 7117;

        String host() {
            return host;
        }

        int port() {
            if (port < 0 || port > HIGHEST_PORT) {
                throw new CliFailure(ExitCode.USAGE, "--port must be between 0 and " + HIGHEST_PORT);
            }
            return port;
        }
    }

    @Override
    public Integer call() throws Exception {
        Path folder = data.folder(around);
        ConfigurationSource file = configuration();
        BerthServer server = BerthServer.start(
                new ServeOptions(file, folder, listen.host(), listen.port(), store, keyFile, tls(), publicUrl()));
        try {
            AtomicBoolean stopping = new AtomicBoolean();
            Signals.handle(signal -> {
                if (!stopping.compareAndSet(false, true)) {
                    // Asked twice: somebody does not want to wait for the graceful end, and none is needed.
                    Runtime.getRuntime().halt(signal.exitCode());
                }
                around.err().println("berth: stopping");
                server.close();
            });
            tell(server, folder, file);
            server.awaitStopped();
        } finally {
            server.close();
        }
        return ExitCode.OK;
    }

    private ServeOptions.@Nullable Tls tls() {
        if (certificate == null && certificateKey == null) {
            return null;
        }
        if (certificate == null || certificateKey == null) {
            throw new CliFailure(ExitCode.USAGE, "--tls-cert and --tls-key are given together, or neither is");
        }
        return new ServeOptions.Tls(certificate, certificateKey);
    }

    private void tell(BerthServer server, Path folder, @Nullable ConfigurationSource file) {
        PrintStream err = around.err();
        err.println("berth: serving " + server.url());
        err.println("  configuration  " + configuration(server, file));
        err.println("  data           " + folder);
        Path token = new DataFolder(folder).adminToken();
        if (Files.exists(token)) {
            err.println("  admin token    " + token + ", found by berth on this machine by itself"
                    + (standard(folder) ? "" : " where BERTH_DATA or --data names the data folder"));
        }
    }

    private static String configuration(BerthServer server, @Nullable ConfigurationSource file) {
        if (file == null) {
            return "as last put in force by 'berth config apply'";
        }
        return server.isFileInForce()
                ? file + ", read again when it changes"
                : "the one before " + file + ", which is refused; it is read again when it changes";
    }

    private boolean standard(Path folder) {
        return folder.equals(DataFolder.standard(around).path().toAbsolutePath());
    }

    private @Nullable PublicUrl publicUrl() {
        return publicUrl == null
                ? null
                : PublicUrl.parse(publicUrl)
                        .orElseThrow(() -> new CliFailure(
                                ExitCode.USAGE,
                                "--public-url must be like https://ci.example/berth: http or https, a host, and a plain"
                                        + " path or none"));
    }

    private @Nullable ConfigurationSource configuration() {
        if (config != null && ConfigurationInS3.isMeant(config)) {
            return ConfigurationInS3.of(config)
                    .orElseThrow(() -> new CliFailure(
                            ExitCode.USAGE, "--config " + config + ": an object in S3 is s3://BUCKET/KEY"));
        }
        if (config != null) {
            return new ConfigurationFile(Path.of(config));
        }
        Path usual = Path.of("berth.yaml");
        return Files.exists(usual) ? new ConfigurationFile(usual) : null;
    }
}
