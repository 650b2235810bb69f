package dev.berth.server.store;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * SQLite: one connection writes; a few read, beside it and without waiting for it. Who writes has the whole database, so that nothing
 * in it needs a lock of its own.
 */
final class SqliteDatabase implements Database {
    private static final Logger LOG = LoggerFactory.getLogger(SqliteDatabase.class);

    private final Lane writer;
    /** Fair: a caller that came first is not starved by those that come often. */
    private final ReentrantLock writing = new ReentrantLock(true);

    private final @Nullable BlockingQueue<Lane> readers;
    private final int readersThereAre;
    private final @Nullable Checkpoints checkpoints;
    private final @Nullable LogSync sync;
    private final int generation;
    private final @Nullable Mark mark;

    /** All on one connection. */
    SqliteDatabase(Lane only) {
        this.writer = only;
        this.readers = null;
        this.readersThereAre = 0;
        this.checkpoints = null;
        this.sync = null;
        this.generation = 0;
        this.mark = null;
    }

    /**
     * @param readers all that there are
     * @param checkpoints for copying the log
     * @param sync makes commits durable, closed with this; null where they are, or need not be
     * @param generation of the store
     * @param mark where it is noted how far the store has come
     */
    SqliteDatabase(
            Lane writer, List<Lane> readers, Lane checkpoints, @Nullable LogSync sync, int generation, Mark mark) {
        this.writer = writer;
        this.readers = new ArrayBlockingQueue<>(readers.size(), true, readers);
        this.readersThereAre = readers.size();
        this.checkpoints = new Checkpoints(checkpoints, writing);
        this.sync = sync;
        this.generation = generation;
        this.mark = mark;
        writer.one(row -> true, "PRAGMA wal_autocheckpoint = " + Checkpoints.LONGEST);
    }

    static boolean isConflict(SQLException e) {
        return e instanceof SQLiteException known
                && (known.getResultCode().code & 0xff) == SQLiteErrorCode.SQLITE_CONSTRAINT.code;
    }

    @Override
    public Session begin() {
        writing.lock();
        try {
            if (sync != null) {
                sync.check();
            }
            writer.update("BEGIN IMMEDIATE");
            return new Writing();
        } catch (RuntimeException e) {
            writing.unlock();
            throw e;
        }
    }

    private final class Writing implements Session {
        private boolean over;

        @Override
        public Lane lane() {
            return writer;
        }

        @Override
        public CompletableFuture<Void> commitAsync() {
            writer.update("COMMIT");
            over = true;
            long rows = writer.takeTouched();
            var durable = sync == null ? Durable.ALREADY : sync.committed();
            if (mark != null && mark.isDue()) {
                var _ = durable.thenAccept(noteOf(mark));
            }
            if (checkpoints != null) {
                checkpoints.committed(rows);
            }
            return durable;
        }

        @Override
        public void close() {
            try {
                if (!over) {
                    rollBack();
                }
            } finally {
                writing.unlock();
            }
        }

        /** A failed commit may have ended the transaction already: then there is nothing to roll back. */
        private void rollBack() {
            try {
                writer.update("ROLLBACK");
            } catch (StoreException e) {
                if (e.getCause() == null
                        || !String.valueOf(e.getCause().getMessage()).contains("no transaction is active")) {
                    throw e;
                }
            }
        }
    }

    /** Notes how far the store has come by now. A note that fails changes nothing about what is committed. */
    private Consumer<@Nullable Object> noteOf(Mark to) {
        try {
            var progress = new Mark.Progress(generation, Generations.events(writer));
            return _ -> to.note(progress);
        } catch (StoreException e) {
            LOG.debug("how far the store has come is not noted: {}", e.toString());
            return _ -> {};
        }
    }

    @Override
    public <T extends @Nullable Object> T read(Function<Lane, T> query) {
        if (readers == null) {
            writing.lock();
            try {
                return query.apply(writer);
            } finally {
                writing.unlock();
            }
        }
        Lane lane;
        try {
            lane = readers.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException("interrupted while waiting for a connection", e);
        }
        T result;
        try {
            result = query.apply(lane);
        } finally {
            readers.add(lane);
        }
        if (sync != null) {
            sync.await();
        }
        return result;
    }

    @Override
    public String lockingClause() {
        return "";
    }

    @Override
    public Optional<Notifications> notifications(String process) {
        return Optional.empty();
    }

    @Override
    public Store.Moment moment(Lane lane) {
        return new Store.Moment(null, generation);
    }

    @Override
    public void close() {
        if (checkpoints != null) {
            checkpoints.close();
        }
        writing.lock();
        try {
            if (readers != null) {
                var taken = new ArrayList<Lane>();
                for (int i = 0; i < readersThereAre; i++) {
                    taken.add(readers.take());
                }
                taken.forEach(Lane::close);
                readers.addAll(taken); // who reads now is told that it is closed, rather than to wait
            }
            if (sync != null) {
                sync.close();
            }
            if (mark != null) {
                noteOf(mark).accept(null);
            }
            writer.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            writing.unlock();
        }
    }
}
