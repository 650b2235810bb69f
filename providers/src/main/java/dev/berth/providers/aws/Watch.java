package dev.berth.providers.aws;

import dev.berth.providers.Task;
import java.time.Duration;

/** What bounds a step: its claim and its time. */
final class Watch {
    private final Task task;
    private final long end;

    /** Begins now; a tenth of the time, at most 10 s, is kept for what is under way when it ends. */
    Watch(Task task) {
        this.task = task;
        Duration grace = task.timeout().dividedBy(10);
        this.end = System.nanoTime()
                + task.timeout()
                        .minus(grace.compareTo(Duration.ofSeconds(10)) < 0 ? grace : Duration.ofSeconds(10))
                        .toNanos();
    }

    /** To be called before each changing call. */
    void check() {
        if (!task.claimHeld().getAsBoolean()) {
            throw new StoppedException("was stopped: the claim it worked under is no longer held");
        }
        if (over()) {
            throw new StoppedException("did not end within " + task.timeout().toSeconds() + " s and was stopped");
        }
    }

    boolean over() {
        return System.nanoTime() - end >= 0;
    }

    /** Waits, but not past the end of the time; says whether it waited for all of it. */
    boolean pause(Duration time) throws InterruptedException {
        long left = end - System.nanoTime();
        if (left > 0) {
            Thread.sleep(Duration.ofNanos(Math.min(left, time.toNanos())));
        }
        return left >= time.toNanos();
    }

    /** The step goes no further; the message completes a sentence that begins with its name. */
    static final class StoppedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        StoppedException(String message) {
            super(message, null, false, false);
        }
    }
}
