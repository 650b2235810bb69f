package dev.berth.cli;

import dev.berth.server.app.StoreChores;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code berth store}: the store as a whole. */
@Command(
        name = "store",
        header = "Move the store to another database, or back it up.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth store backup /backup/berth-monday.db",
            "  berth store copy /var/lib/berth 'postgresql://berth@db.example/berth?sslmode=verify-full'"
        })
final class StoreCommand implements Runnable {
    @Override
    public void run() {
        throw new CliFailure(ExitCode.USAGE, "say what to do: berth store copy or backup");
    }

    /** The commands below this one. */
    static List<Object> commands(Surroundings around) {
        return List.of(new Copy(around), new Backup(around));
    }

    /** {@code berth store copy}. */
    @Command(
            name = "copy",
            header = "Move everything to another, empty database.",
            description = "%nStop every service of both first. All is copied in one transaction and compared; then the"
                    + " source is marked, and 'berth serve' refuses it. What is lent stays lent; everything else is"
                    + " revoked, cleaned and verified before it is lent again. The password of a PostgreSQL is taken as"
                    + " 'berth serve' does.",
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {
                "0:moved",
                "69:a database is not reachable, or the copy failed: nothing was moved",
                "75:a service has the data folder",
                "78:a database that does not fit: it is in use, not empty, or was moved before"
            },
            footerHeading = "%nExamples:%n",
            footer = {
                "  berth store copy /var/lib/berth 'postgresql://berth@db.example/berth?sslmode=verify-full'",
                "  berth store copy \"$URL\" /var/lib/berth"
            })
    static final class Copy implements Callable<Integer> {
        private static final int SHOWN_DIGITS = 12;

        private final Surroundings around;

        @Parameters(
                index = "0",
                paramLabel = "FROM",
                description = "A data folder, the SQLite file in one, or postgresql://USER@HOST:PORT/DATABASE.")
        private String from = "";

        @Parameters(
                index = "1",
                paramLabel = "TO",
                description = "postgresql://USER@HOST:PORT/DATABASE, or a data folder.")
        private String to = "";

        Copy(Surroundings around) {
            this.around = around;
        }

        @Override
        public Integer call() {
            int generation = StoreChores.copy(
                    from,
                    to,
                    copied -> around.out()
                            .println(String.format(
                                    Locale.ROOT,
                                    "%-18s %10d rows  sha256 %s",
                                    copied.table(),
                                    copied.rows(),
                                    copied.digest().substring(0, SHOWN_DIGITS))));
            around.out().println("moved, as generation " + generation + "; what was here is served no more");
            around.out().println(key());
            return ExitCode.OK;
        }

        /** Without it the stored access of what is lent cannot be read. */
        private String key() {
            String needed = "serve the copy with the same key that encrypts stored access";
            if (from.startsWith("postgres")) {
                return needed + ": the --key-file that it was served with";
            }
            Path path = Path.of(from).toAbsolutePath();
            Path key = Files.isRegularFile(path) ? path.resolveSibling("key") : path.resolve("key");
            return needed + ": --key-file " + key + ", or the one that it was served with";
        }
    }

    /** {@code berth store backup}. */
    @Command(
            name = "backup",
            header = "Copy the SQLite database, also of a running service.",
            description = "%nThe copy is of one instant. To put it back: stop the service, remove berth.db-wal and"
                    + " berth.db-shm, copy the file to berth.db, start. What is not lent by the copy is then revoked,"
                    + " cleaned and verified before it is lent again. Keep the data folder's key too. A PostgreSQL is"
                    + " backed up by its own means.",
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {
                "0:done",
                "69:the database cannot be read",
                "75:the file cannot be written",
                "78:there is no database, or the file is there already"
            },
            footerHeading = "%nExamples:%n",
            footer = "  berth store backup --data /var/lib/berth \"/backup/berth-$(date +%%F).db\"")
    static final class Backup implements Callable<Integer> {
        private final Surroundings around;

        @Parameters(paramLabel = "FILE", description = "The file to make.")
        private Path file = Path.of("berth.db");

        @Mixin
        private final DataOption data = new DataOption();

        Backup(Surroundings around) {
            this.around = around;
        }

        @Override
        public Integer call() {
            Path folder = data.folder(around);
            StoreChores.backup(folder, file);
            around.out().println("made " + file + "; keep the key too: " + folder.resolve("key"));
            return ExitCode.OK;
        }
    }
}
