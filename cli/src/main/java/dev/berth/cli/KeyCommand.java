package dev.berth.cli;

import dev.berth.server.app.StoreChores;
import dev.berth.server.auth.AccessVault;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth key}: the key that encrypts stored access. */
@Command(
        name = "key",
        header = "Make or change the key that encrypts stored access.",
        footerHeading = "%nExamples:%n",
        footer = {"  berth key create /etc/berth/key", "  berth key rotate /etc/berth/key"})
final class KeyCommand implements Runnable {
    @Override
    public void run() {
        throw new CliFailure(ExitCode.USAGE, "say what to do: berth key create, rotate or replace");
    }

    /** The commands below this one. */
    static List<Object> commands(Surroundings around) {
        return List.of(new Create(around), new Rotate(around), new Replace(around));
    }

    /** {@code berth key create}. */
    @Command(
            name = "create",
            header = "Make a key in a new file that only its owner can read.",
            description = "%nWhoever loses it loses the access that is stored, so keep a copy. An existing file is"
                    + " left as it is.",
            footerHeading = "%nExamples:%n",
            footer = "  berth key create /etc/berth/key && berth serve --key-file /etc/berth/key")
    static final class Create implements Callable<Integer> {
        private final Surroundings around;

        @Parameters(paramLabel = "FILE", description = "The file to make.")
        private Path file = Path.of("key");

        Create(Surroundings around) {
            this.around = around;
        }

        @Override
        public Integer call() {
            if (Files.exists(file)) {
                throw new CliFailure(ExitCode.USAGE, file + " is there already, and is left as it is");
            }
            try {
                AccessVault.open(file);
            } catch (AccessVault.UnusableKey e) {
                throw new CliFailure(ExitCode.BAD_CONFIGURATION, String.valueOf(e.getMessage()), e);
            }
            around.out().println("made " + file);
            return ExitCode.OK;
        }
    }

    /** {@code berth key rotate}. */
    @Command(
            name = "rotate",
            header = "Have a new key encrypt what comes.",
            description = "%nThe keys before it stay in the file and open what they encrypted: nothing is encrypted"
                    + " anew, and what is lent stays lent. A service takes the file at its next start. Where several"
                    + " share a PostgreSQL, give all of them the new key first (--prepare, copy the file, restart them"
                    + " one by one), then have it used (without, copy, restart): one that does not have it yet could"
                    + " not show the access that another one issued.",
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:done", "78:the file is missing, cannot be written, or is no key"},
            footerHeading = "%nExamples:%n",
            footer = {"  berth key rotate /var/lib/berth/key", "  berth key rotate --prepare /etc/berth/key"})
    static final class Rotate implements Callable<Integer> {
        private final Surroundings around;

        @Option(names = "--prepare", description = "Only add the new key, so that what it will encrypt can be opened.")
        private boolean prepare;

        @Parameters(paramLabel = "FILE", description = "The key file; a data folder's is DIR/key.")
        private Path file = Path.of("key");

        Rotate(Surroundings around) {
            this.around = around;
        }

        @Override
        public Integer call() {
            if (Files.notExists(file)) {
                throw new CliFailure(ExitCode.BAD_CONFIGURATION, "the key file " + file + " is missing");
            }
            try {
                around.out()
                        .println(
                                switch (AccessVault.rotate(file, prepare)) {
                                    case PREPARED -> file + " has a new key, which encrypts nothing yet";
                                    case PREPARED_BEFORE ->
                                        file + " has a key already that encrypts nothing yet, and is left as it is";
                                    case ROTATED ->
                                        file + " has another key that encrypts what comes, from the next start on";
                                });
            } catch (AccessVault.UnusableKey e) {
                throw new CliFailure(ExitCode.BAD_CONFIGURATION, String.valueOf(e.getMessage()), e);
            }
            return ExitCode.OK;
        }
    }

    /** {@code berth key replace}. */
    @Command(
            name = "replace",
            header = "Have a store take another key, because the one before is lost.",
            description = "%nAccess that is stored under the lost key can never be read again: whoever holds it now is"
                    + " not shown it any more, and has to release and ask anew. Stop every service of the store first.",
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {
                "0:done",
                "69:the database is not reachable",
                "75:a service has the data folder",
                "78:the key file is missing or is no key, or the database does not fit"
            },
            footerHeading = "%nExamples:%n",
            footer = "  berth key create new-key && berth key replace --store \"$URL\" new-key")
    static final class Replace implements Callable<Integer> {
        private final Surroundings around;

        @Option(
                names = "--store",
                required = true,
                paramLabel = "URL|DIR",
                description = "The PostgreSQL, as for 'berth serve', or a data folder.")
        private String store = "";

        @Parameters(paramLabel = "FILE", description = "The key file to take.")
        private Path file = Path.of("key");

        Replace(Surroundings around) {
            this.around = around;
        }

        @Override
        public Integer call() {
            StoreChores.replaceKey(store, file);
            around.out().println("the store takes " + file + " from now on");
            return ExitCode.OK;
        }
    }
}
