package dev.berth.server.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Syncs the write-ahead log, on a thread of its own: whoever committed goes on with the next transaction meanwhile, and all that was
 * committed during one sync is durable with the next. SQLite would sync within each commit, and its only writer would wait.
 *
 * <p>After a sync that failed nobody knows what the disk has, and a later one that succeeds does not tell: nothing is taken any more
 * until the store is opened anew, which finds what is there.
 */
final class LogSync implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LogSync.class);
    /** So many commits wait for a sync at most: who comes then is kept waiting. */
    private static final int MOST = 64;

    private final Log log;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final Condition room = lock.newCondition();
    private final ArrayDeque<CompletableFuture<Void>> waiting = new ArrayDeque<>();
    private volatile CompletableFuture<Void> last = Durable.ALREADY;
    private volatile @Nullable StoreException failure;
    private boolean closed;

    /** What is synced. */
    interface Log extends Closeable {
        /** Returns when all that was written before is on the disk. */
        void sync() throws IOException;
    }

    /** A file, which need not be there before the first commit. */
    static final class LogFile implements Log {
        private final Path path;
        private @Nullable FileChannel channel;

        LogFile(Path path) {
            this.path = path;
        }

        @Override
        public void sync() throws IOException {
            if (channel == null) {
                channel = FileChannel.open(path, StandardOpenOption.WRITE);
            }
            channel.force(false);
        }

        @Override
        public void close() throws IOException {
            if (channel != null) {
                channel.close();
            }
        }
    }

    /**
     * @param log closed with this
     */
    LogSync(Log log) {
        this.log = log;
        this.thread = Thread.ofPlatform().name("berth-sync").daemon(true).unstarted(this::run);
        thread.start();
    }

    /**
     * Something was committed.
     *
     * @return completes once it is durable, in the order of commits; exceptionally with a {@link StoreException} where nobody knows
     *     whether it is
     */
    CompletableFuture<Void> committed() {
        lock.lock();
        try {
            while (waiting.size() >= MOST && failure == null) {
                room.awaitUninterruptibly();
            }
            if (failure != null) {
                return CompletableFuture.failedFuture(failure);
            }
            var durable = new CompletableFuture<Void>();
            waiting.add(durable);
            last = durable;
            arrived.signal();
            return durable;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until all is durable that was committed before: what was read may not be told sooner.
     *
     * @throws StoreException where that will never be known
     */
    void await() {
        if (Thread.currentThread().equals(thread)) {
            throw new IllegalStateException("who is told of commits cannot read");
        }
        Durable.await(last);
    }

    /**
     * Whether more may be committed.
     *
     * @throws StoreException where a sync failed
     */
    void check() {
        var known = failure;
        if (known != null) {
            throw new StoreException(String.valueOf(known.getMessage()), known);
        }
    }

    private void run() {
        for (var those = take(); !those.isEmpty(); those = take()) {
            try {
                log.sync();
            } catch (IOException e) {
                fail(those, e);
                return;
            }
            those.forEach(durable -> durable.complete(null));
        }
    }

    private void fail(List<CompletableFuture<Void>> those, IOException why) {
        var failed = new StoreException(
                "the disk did not take what was committed (%s): the service has to be started anew"
                        .formatted(why.getMessage()),
                why);
        LOG.error("nothing is taken any more: {}", failed.getMessage());
        var all = new ArrayList<>(those);
        lock.lock();
        try {
            failure = failed;
            all.addAll(waiting);
            waiting.clear();
            room.signalAll();
        } finally {
            lock.unlock();
        }
        all.forEach(durable -> durable.completeExceptionally(failed));
    }

    /** All that wait, as soon as there are some; none once it is over. */
    private List<CompletableFuture<Void>> take() {
        lock.lock();
        try {
            while (waiting.isEmpty() && !closed) {
                arrived.awaitUninterruptibly();
            }
            var those = new ArrayList<>(waiting);
            waiting.clear();
            room.signalAll();
            return those;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signal();
        } finally {
            lock.unlock();
        }
        try {
            thread.join();
            log.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw new StoreException("the log cannot be closed", e);
        }
    }
}
