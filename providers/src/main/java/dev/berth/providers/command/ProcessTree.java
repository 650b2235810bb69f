package dev.berth.providers.command;

import dev.berth.providers.command.ProcessTable.Listing;
import dev.berth.providers.command.ProcessTable.Row;
import dev.berth.providers.command.RunRecords.Leader;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a program started, and its end. A process belongs to the tree when it is in the program's session, when a process
 * of the tree is its parent, or when it carries the claim in its environment: a daemon that forked twice and made a session of its
 * own has only the last of these left. One that also cleared its environment is not found; it is nothing that happens by accident.
 */
final class ProcessTree {
    /** How long to go on killing before giving up: longer only helps where a process hangs in the kernel or is another user's. */
    private static final Duration GIVE_UP = Duration.ofSeconds(10);

    /** Session 0 is real: threads of the kernel have it, and programs of other containers seem to. */
    private static final long NO_SESSION = Long.MIN_VALUE;

    private static final long FIRST_PAUSE = Duration.ofMillis(2).toNanos();
    private static final long LONGEST_PAUSE = Duration.ofMillis(40).toNanos();

    private static final Comparator<Row> OLDEST_FIRST =
            Comparator.comparingLong(Row::start).thenComparingLong(Row::pid);

    private final ProcessTable table;

    ProcessTree(ProcessTable table) {
        this.table = table;
    }

    /**
     * Which tree.
     *
     * @param claim what its processes carry
     * @param leader its first process; null when nothing is known of it
     * @param sessionIsOurs the caller knows that the leader's number was not used again since: it started the leader just now. A
     *     session is then ours though its leader has ended
     */
    record Root(String claim, @Nullable Leader leader, boolean sessionIsOurs) {}

    private record Id(long pid, long start) {
        static Id of(Row row) {
            return new Id(row.pid(), row.start());
        }
    }

    private record Found(Set<Row> rows, boolean complete) {}

    /**
     * Ends all of it, and returns when nothing of it runs. An interrupt does not stop this; it is kept for the caller.
     *
     * @param grace time between the request to end (SIGTERM) and the killing; zero to kill at once
     * @return what could not be ended, normally nothing
     */
    List<Long> end(Root root, Duration grace) {
        boolean interrupted = Thread.interrupted();
        try {
            return kill(root, grace);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private List<Long> kill(Root root, Duration grace) {
        long killAt = System.nanoTime() + grace.toNanos();
        long giveUpAt = killAt + GIVE_UP.toNanos();
        long pause = FIRST_PAUSE;
        Set<Id> known = new HashSet<>();
        Root tree = root;
        int empty = 0;
        while (true) {
            Found found = find(tree, known);
            // A process that forked and went away while the table was read may have a child that was not in it yet:
            // look again.
            empty = found.rows().isEmpty() ? empty + 1 : 0;
            if (empty > 1 || (empty == 1 && found.complete())) {
                return List.of();
            }
            long now = System.nanoTime();
            if (now - giveUpAt > 0) {
                return found.rows().stream().map(Row::pid).sorted().toList();
            }
            if (found.rows().stream().anyMatch(row -> isLeader(row, root.leader()))) {
                // It goes first, but its session has been seen to be the tree's.
                tree = new Root(root.claim(), root.leader(), true);
            }
            boolean force = now - killAt >= 0;
            // Parents first: a shell whose child goes before it would begin its next command.
            for (Row row : found.rows().stream().sorted(OLDEST_FIRST).toList()) {
                if (known.add(Id.of(row)) || force) {
                    signal(row, force);
                }
            }
            if (empty == 0) {
                // There is no event to wait for: these are mostly not children of ours. The loop is bounded by the time
                // to give up.
                LockSupport.parkNanos(pause);
                pause = Math.min(pause * 2, LONGEST_PAUSE);
            }
        }
    }

    /**
     * @param known what was found before: still of the tree when the parent that it was found by has ended meanwhile
     */
    private Found find(Root root, Set<Id> known) {
        Leader leader = root.leader();
        if (leader != null && !leader.boot().equals(table.boot())) {
            return new Found(Set.of(), true);
        }
        Listing listing = table.list();
        Map<Long, Row> byPid = new HashMap<>();
        listing.rows().forEach(row -> byPid.put(row.pid(), row));
        long ownSession = ownSession(root, byPid);
        long self = ProcessHandle.current().pid();
        Set<Row> found = new HashSet<>();
        for (Row row : listing.rows()) {
            // What started before the leader is nothing of its tree. This also spares the reading of most environments.
            boolean candidate = !row.ended() && row.pid() != self && (leader == null || row.start() >= leader.start());
            if (candidate
                    && (isLeader(row, leader)
                            || row.session() == ownSession
                            || known.contains(Id.of(row))
                            || table.carries(row.pid(), root.claim()))) {
                found.add(row);
            }
        }
        addChildren(listing.rows(), found, self);
        return new Found(found, listing.complete());
    }

    /**
     * The session of the tree; {@link #NO_SESSION} when it is not known to be the tree's. The kernel does not use a number again
     * while a session of that number has members, but once they are all gone it may: a session counts only while its leader is there,
     * or when the caller has just seen it.
     */
    private static long ownSession(Root root, Map<Long, Row> byPid) {
        Leader leader = root.leader();
        if (leader == null) {
            return NO_SESSION;
        }
        Row row = byPid.get(leader.pid());
        boolean ours = row == null ? root.sessionIsOurs() : row.start() == leader.start();
        return ours ? leader.pid() : NO_SESSION;
    }

    private static boolean isLeader(Row row, @Nullable Leader leader) {
        return leader != null && row.pid() == leader.pid() && row.start() == leader.start();
    }

    private static void addChildren(List<Row> rows, Set<Row> found, long self) {
        Set<Long> pids = new HashSet<>();
        found.forEach(row -> pids.add(row.pid()));
        boolean grown = !pids.isEmpty();
        while (grown) {
            grown = false;
            for (Row row : rows) {
                if (!row.ended() && row.pid() != self && pids.contains(row.parent()) && pids.add(row.pid())) {
                    found.add(row);
                    grown = true;
                }
            }
        }
    }

    /** Signals that very process: the handle holds its start time too, and is checked against the row after it was made. */
    private void signal(Row row, boolean force) {
        ProcessHandle.of(row.pid())
                .filter(handle -> table.find(row.pid())
                        .filter(now -> now.start() == row.start())
                        .isPresent())
                .ifPresent(handle -> {
                    if (force) {
                        handle.destroyForcibly();
                    } else {
                        handle.destroy();
                    }
                });
    }
}
