package dev.berth.server.store;

import java.time.Instant;

/**
 * The last batch of each process that was committed: how a lost answer to COMMIT is found out. Ids of batches are made of a process and
 * a number: {@code PROCESS/NUMBER}.
 */
final class Batches {
    private Batches() {}

    /**
     * In the transaction of the batch, and answered before its COMMIT is sent: from here on the transaction holds the row, until it has
     * ended in the database itself.
     */
    static void stamp(Lane lane, String batch, Instant now) {
        lane.updateOne("""
                INSERT INTO batch (process, id, at) VALUES (?, ?, ?)
                ON CONFLICT (process) DO UPDATE SET id = excluded.id, at = excluded.at""", process(batch), batch, now);
    }

    /**
     * Whether it is the last that its process committed. A connection that was cut says nothing of the transaction at its other end,
     * which may go on, and even commit, after somebody looked. Hence no look, but a change that changes nothing: it needs the row that the
     * transaction holds, also where that is about to make it, and so waits until the transaction has ended.
     */
    static boolean committed(Lane lane, String batch) {
        return lane.one(row -> row.getString(1), """
                        INSERT INTO batch (process, id, at) VALUES (?, '', 0)
                        ON CONFLICT (process) DO UPDATE SET id = batch.id RETURNING id""", process(batch))
                .filter(batch::equals)
                .isPresent();
    }

    /** Of processes that are long gone. */
    static int prune(Lane lane, Instant before) {
        return lane.update("DELETE FROM batch WHERE at < ?", before);
    }

    private static String process(String batch) {
        return batch.substring(0, Math.max(0, batch.lastIndexOf('/')));
    }
}
