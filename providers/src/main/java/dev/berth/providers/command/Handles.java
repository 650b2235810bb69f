package dev.berth.providers.command;

import java.time.Instant;
import java.util.Optional;

/**
 * Where there is no {@code /proc} (macOS, the BSDs): what the JDK knows. Start times are milliseconds since 1970, so they differ
 * between boots by themselves. Environments and sessions cannot be read: a program whose parent has ended is not found.
 */
final class Handles implements ProcessTable {

    @Override
    public Listing list() {
        return new Listing(ProcessHandle.allProcesses().map(Handles::row).toList(), true);
    }

    @Override
    public Optional<Row> find(long pid) {
        return ProcessHandle.of(pid).map(Handles::row);
    }

    @Override
    public boolean carries(long pid, String claim) {
        return false;
    }

    @Override
    public String boot() {
        return "any";
    }

    private static Row row(ProcessHandle handle) {
        long parent = handle.parent().map(ProcessHandle::pid).orElse(0L);
        long start = handle.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
        return new Row(handle.pid(), parent, -1, start, !handle.isAlive());
    }
}
