package dev.berth.server.store;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies what was committed from the write-ahead log to the database file, on a thread and a connection of its own. SQLite would do so
 * within a commit, every thousand pages: whoever waits for that commit waits for the copy and for a second sync.
 *
 * <p>The log begins anew only when all of it was copied, which never happens beside a writer that goes on: when it is long, the writer
 * is kept waiting for the few pages that came in since the copy before.
 */
final class Checkpoints implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);
    /** Rows changed from one copy to the next. A row is about one page of the log. */
    private static final long EVERY = 4_000;

    /** Pages: 32 MiB. */
    private static final int LONG = 8_192;
    /** Pages, 64 MiB: where nothing is copied here for whatever reason, the writer does it. */
    static final int LONGEST = 16_384;

    private final Lane lane;
    private final ReentrantLock writing;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition wakes = lock.newCondition();
    private long changes;
    private boolean closed;

    /**
     * @param lane closed with this
     * @param writing held while somebody writes
     */
    Checkpoints(Lane lane, ReentrantLock writing) {
        this.lane = lane;
        this.writing = writing;
        this.thread = Thread.ofPlatform().name("berth-checkpoint").daemon(true).unstarted(this::run);
        thread.start();
    }

    /** So many rows were changed and committed. Never waits for a copy. */
    void committed(long rows) {
        lock.lock();
        try {
            changes += rows;
            if (changes >= EVERY) {
                wakes.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            while (await()) {
                copy();
            }
        } catch (InterruptedException e) {
            LOG.debug("{} was interrupted, and ends", thread.getName());
        }
    }

    /** Returns false when it is over. */
    private boolean await() throws InterruptedException {
        lock.lock();
        try {
            while (changes < EVERY && !closed) {
                wakes.await();
            }
            changes = 0;
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    /** A failure leaves the log as it is: it is copied the next time. */
    private void copy() {
        try {
            if (checkpoint() < LONG) {
                return;
            }
            checkpoint(); // what came in meanwhile, so that little is left to keep the writer waiting for
            writing.lock();
            try {
                checkpoint();
            } finally {
                writing.unlock();
            }
        } catch (StoreException e) {
            LOG.warn("the log was not copied to the database, and will be later: {}", e.toString());
        }
    }

    /** Copies what no reader is in the way of. Returns how many pages the log has. */
    private int checkpoint() {
        return lane.one(row -> row.getInt(2), "PRAGMA wal_checkpoint(PASSIVE)").orElse(0);
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            wakes.signal();
        } finally {
            lock.unlock();
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        lane.close();
    }
}
