package dev.berth.server.app;

import org.jspecify.annotations.Nullable;

/** Wakes a loop that is made later than whoever wakes it. Does nothing before. */
final class Nudge implements Runnable {
    private volatile @Nullable Loop loop;

    void wakes(Loop made) {
        loop = made;
    }

    @Override
    public void run() {
        var made = loop;
        if (made != null) {
            made.nudge();
        }
    }
}
