package dev.berth.cli;

import dev.berth.server.app.StoreChores;
import dev.berth.server.store.StorePlace;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code berth migrate}: the schema, without serving. */
@Command(
        name = "migrate",
        header = "Bring the store's schema up to date without serving.",
        description =
                "%n'berth serve' does the same when it starts. Several at once are fine: one does it, the others wait."
                        + " Replicas of the version before go on while the schema is already the next version's.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the schema is up to date",
            "69:the store is not reachable",
            "75:with --check: there is something to be done; else: another process has the data folder",
            "78:a database that does not fit"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth migrate --store 'postgresql://berth@db.example/berth?sslmode=verify-full'",
            "  berth migrate --store \"$URL\" --check || echo 'migrate first'"
        })
final class MigrateCommand implements Callable<Integer> {
    private final Surroundings around;

    @Option(
            names = "--store",
            paramLabel = "URL",
            description = "The database, as for 'berth serve'. Default: SQLite in the data folder.")
    private @Nullable String store;

    @Mixin
    private final DataOption data = new DataOption();

    @Option(names = "--check", description = "Change nothing; exit with 75 where there is something to be done.")
    private boolean check;

    MigrateCommand(Surroundings around) {
        this.around = around;
    }

    @Override
    public Integer call() {
        String place = store == null ? data.folder(around).toString() : store;
        if (check) {
            StorePlace.Versions versions = StoreChores.versions(place);
            around.out().println(versions.isUpToDate() ? current(versions) : "to be brought " + change(versions));
            return versions.isUpToDate() ? ExitCode.OK : ExitCode.NOTHING_FREE;
        }
        StorePlace.Versions versions = StoreChores.migrate(place);
        around.out().println(versions.isUpToDate() ? current(versions) : "brought " + change(versions));
        return ExitCode.OK;
    }

    private static String change(StorePlace.Versions versions) {
        return versions.from() == null
                ? "from nothing to version " + versions.to()
                : "from version " + versions.from() + " to version " + versions.to();
    }

    private static String current(StorePlace.Versions versions) {
        return versions.isNewer()
                ? "at version " + versions.from() + ", newer than this berth's " + versions.to() + ": nothing to do"
                : "at version " + versions.to() + ": nothing to do";
    }
}
