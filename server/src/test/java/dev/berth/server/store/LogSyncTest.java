package dev.berth.server.store;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.policy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.core.Policy;
import dev.berth.core.PoolName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteConfig.SynchronousMode;

class LogSyncTest {
    private final Disk disk = new Disk();
    private final LogSync sync = new LogSync(disk);

    /** Each sync of it takes until the test lets it end. */
    private static final class Disk implements LogSync.Log {
        private final LinkedTransferQueue<String> outcomes = new LinkedTransferQueue<>();
        volatile boolean closed;
        volatile boolean free;

        @Override
        public void sync() throws IOException {
            if (free) {
                return;
            }
            try {
                var outcome = outcomes.poll(60, TimeUnit.SECONDS);
                if (!"done".equals(outcome)) {
                    throw new IOException(outcome);
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }

        @Override
        public void close() {
            closed = true;
        }

        /** Returns once a sync went on, and has that outcome. */
        void ends(String outcome) throws InterruptedException {
            assertThat(outcomes.tryTransfer(outcome, 60, TimeUnit.SECONDS))
                    .as("a sync goes on")
                    .isTrue();
        }

        void awaitSync() {
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!outcomes.hasWaitingConsumer()) {
                assertThat(System.nanoTime()).as("a sync goes on by then").isLessThan(until);
                Thread.onSpinWait();
            }
        }
    }

    @AfterEach
    void close() {
        sync.close();
        assertThat(disk.closed).isTrue();
    }

    @Test
    void whatIsCommittedDuringASyncIsDurableWithTheNext() throws Exception {
        var told = new ArrayList<String>();
        var first = sync.committed().thenRun(() -> told.add("first"));
        disk.awaitSync();
        var second = sync.committed().thenRun(() -> told.add("second"));
        var third = sync.committed().thenRun(() -> told.add("third"));
        disk.ends("done");
        first.get(60, TimeUnit.SECONDS);
        disk.awaitSync();
        assertThat(second).isNotDone();
        disk.ends("done");
        third.get(60, TimeUnit.SECONDS);
        assertThat(told).containsExactly("first", "second", "third");
    }

    @Test
    void aReaderWaitsForWhatItMayHaveSeen() throws Exception {
        sync.await(); // nothing was committed
        var commit = sync.committed();
        var read = CompletableFuture.runAsync(sync::await);
        assertThat(read).isNotDone();
        disk.ends("done");
        read.get(60, TimeUnit.SECONDS);
        assertThat(commit).isDone();
    }

    @Test
    void whoIsToldOfACommitCannotRead() throws Exception {
        var told = sync.committed().handle((nothing, failure) -> {
            sync.await();
            return true;
        });
        disk.ends("done");
        assertThatThrownBy(told::join).hasCauseInstanceOf(IllegalStateException.class);
    }

    @Test
    void afterASyncThatFailedNothingIsTakenAnyMore() throws Exception {
        var commits = List.of(sync.committed(), sync.committed(), sync.committed());
        sync.check();
        disk.ends("no space");
        for (var commit : commits) {
            assertThatThrownBy(commit::join)
                    .hasCauseInstanceOf(StoreException.class)
                    .hasMessageContaining("no space");
        }
        assertThatThrownBy(sync::check).isInstanceOf(StoreException.class).hasMessageContaining("no space");
        assertThatThrownBy(sync::await).isInstanceOf(StoreException.class);
        assertThat(sync.committed()).isCompletedExceptionally();
    }

    @Test
    void noMoreCommitsThanThatWaitForOneSync() throws Exception {
        var commits = Collections.synchronizedList(new ArrayList<CompletableFuture<Void>>());
        commits.add(sync.committed());
        var all = new CountDownLatch(1);
        var committing = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < 200; i++) {
                commits.add(sync.committed());
            }
            all.countDown();
        });
        while (all.getCount() > 0) {
            assertThat(List.copyOf(commits).stream().filter(commit -> !commit.isDone()))
                    .hasSizeLessThanOrEqualTo(2 * 64 + 1);
            disk.outcomes.tryTransfer("done", 100, TimeUnit.MILLISECONDS);
        }
        committing.join();
        offerUntil(commits.getLast());
        assertThat(commits).hasSize(201).allMatch(CompletableFuture::isDone);
    }

    @Test
    void aClosedOneHasSyncedAll() throws Exception {
        var commit = sync.committed();
        var closing = Thread.ofPlatform().start(sync::close);
        disk.ends("done");
        closing.join();
        assertThat(commit).isCompleted();
    }

    private void offerUntil(CompletableFuture<Void> commit) throws InterruptedException {
        while (!commit.isDone()) {
            disk.outcomes.tryTransfer("done", 100, TimeUnit.MILLISECONDS);
        }
    }

    @Test
    void aStoreGoesOnWhileTheDiskIsBusyAndTellsNothingBefore(@TempDir Path folder) throws Exception {
        try (var store = SqliteStore.open(folder.resolve("berth.db"), SynchronousMode.FULL, disk)) {
            var first = create(store, "first");
            var second = create(store, "second");
            disk.awaitSync();
            var read = CompletableFuture.supplyAsync(store::pools);
            assertThatThrownBy(() -> read.get(300, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
            assertThat(first).isNotDone();
            assertThat(second).isNotDone();
            var reading = read.thenAccept(pools -> assertThat(pools).hasSize(2));
            offerUntil(reading);
            reading.join();
            assertThat(first).isCompleted();
            assertThat(second).isCompleted();
            disk.free = true;
        }
    }

    private static CompletableFuture<Void> create(Store store, String name) {
        try (var transaction = store.begin()) {
            transaction.create(
                    new PoolName(name), policy(Set.of(), Policy.Queueing.DEFAULT, new Policy.Quota(1, null)), NOON);
            return transaction.commitAsync();
        }
    }
}
