package dev.berth.server.simulation;

import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Something that takes virtual time in the middle of a blocking call. Has a thread of its own that runs only while the simulation's
 * waits for it, so that all is still one thing after the other.
 */
final class Sleeper {
    private final Timeline timeline;
    private final Semaphore mine = new Semaphore(0);
    private final Semaphore theirs = new Semaphore(0);
    private @Nullable Throwable failure;

    private Sleeper(Timeline timeline) {
        this.timeline = timeline;
    }

    /** What is run: told who it is, for sleeping. */
    @FunctionalInterface
    interface Body {
        void run(Sleeper sleeper);
    }

    /** Runs it until it sleeps or ends. */
    static void run(Timeline timeline, Body body) {
        var sleeper = new Sleeper(timeline);
        Thread.ofVirtual().start(() -> {
            sleeper.mine.acquireUninterruptibly();
            try {
                body.run(sleeper);
            } catch (Throwable e) {
                sleeper.failure = e;
            } finally {
                sleeper.theirs.release();
            }
        });
        sleeper.proceed();
    }

    /** Called by the body: gives up the turn until then. */
    void sleep(long millis) {
        timeline.after(millis, this::proceed);
        theirs.release();
        mine.acquireUninterruptibly();
    }

    private void proceed() {
        mine.release();
        theirs.acquireUninterruptibly();
        if (failure != null) {
            throw new IllegalStateException("a step of the simulation failed", failure);
        }
    }
}
