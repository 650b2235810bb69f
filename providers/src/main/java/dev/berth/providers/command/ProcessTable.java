package dev.berth.providers.command;

import java.util.List;
import java.util.Optional;

/** The processes of this machine, as far as they can be seen from here. */
interface ProcessTable {

    /** Everything that runs now. Not atomic: processes come and go while it is read. */
    Listing list();

    /** One process, if there is one of this number now. */
    Optional<Row> find(long pid);

    /** Whether the process was started with {@code BERTH_CLAIM=claim} in its environment; false where that cannot be read. */
    boolean carries(long pid, String claim);

    /** Names this boot of the machine: process numbers and start times of another boot say nothing. */
    String boot();

    /** The table of this machine: {@code /proc} where there is one, else what the JDK can tell. */
    static ProcessTable ofThisMachine() {
        return Proc.isHere() ? new Proc() : new Handles();
    }

    /**
     * One process.
     *
     * @param pid its number, used again for another process some time after its end
     * @param parent the number of its parent, 1 or a sub-reaper's once the parent has ended
     * @param session the number of its session's first process; -1 where that is not known
     * @param start when it started, in a unit of the table's own: together with the number it names the process
     * @param ended it runs no more and only waits for its parent to notice
     */
    record Row(long pid, long parent, long session, long start, boolean ended) {}

    /**
     * What was seen.
     *
     * @param rows the processes
     * @param complete false when a process went away before it could be read, whose children may have been missed
     */
    record Listing(List<Row> rows, boolean complete) {
        public Listing {
            rows = List.copyOf(rows);
        }
    }
}
