package dev.berth.server.app;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A thread that does something again and again: when it is time, and when it is nudged. A failure is logged, and tried again. */
final class Loop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Loop.class);
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);

    private final Body body;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition wakes = lock.newCondition();
    private boolean nudged;
    private boolean closed;

    /** What it does, without input and idempotent. */
    @FunctionalInterface
    interface Body {
        /** Returns when it is to be done again, unless there is a nudge before. */
        Duration run() throws InterruptedException;
    }

    Loop(String name, Body body) {
        this.body = body;
        this.thread = Thread.ofPlatform().name("berth-" + name).daemon(true).unstarted(this::run);
    }

    Loop start() {
        thread.start();
        return this;
    }

    void nudge() {
        lock.lock();
        try {
            nudged = true;
            wakes.signal();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            while (true) {
                var pause = AFTER_FAILURE;
                try {
                    pause = body.run();
                } catch (RuntimeException e) {
                    LOG.warn("{} failed, and is tried again", thread.getName(), e);
                }
                if (!pause(pause)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("{} was interrupted, and ends", thread.getName());
        }
    }

    /** Returns false when it is over. */
    private boolean pause(Duration most) throws InterruptedException {
        lock.lock();
        try {
            long nanos = most.isNegative() ? 0 : TimeUnit.MILLISECONDS.toNanos(most.toMillis()) + 1;
            while (!nudged && !closed && nanos > 0) {
                nanos = wakes.awaitNanos(nanos);
            }
            nudged = false;
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    /** Ends it after what it is at. */
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
    }
}
