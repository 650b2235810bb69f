package dev.berth.providers.command;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/**
 * Reads all that a program writes to one of its outputs, so that it never waits for us, and keeps a bounded part of it: the first
 * bytes or the last.
 */
final class Capture {

    /** Which end of a long output is kept. */
    enum Keep {
        FIRST,
        LAST
    }

    private final Keep keep;
    private final byte[] kept;
    private final Thread thread;
    private long total;

    private Capture(InputStream in, Keep keep, int limit, String name) {
        this.keep = keep;
        this.kept = new byte[limit];
        // A platform thread: a read of a pipe holds its carrier, and a few programs that say nothing would hold them
        // all.
        this.thread = Thread.ofPlatform().daemon().name(name).unstarted(() -> readAll(in));
    }

    static Capture start(InputStream in, Keep keep, int limit, String name) {
        Capture capture = new Capture(in, keep, limit, name);
        capture.thread.start();
        return capture;
    }

    /**
     * Waits for the end of the output.
     *
     * @return false when it is still open after that time: something that was not found has it
     */
    boolean ended(Duration atMost) throws InterruptedException {
        return thread.join(atMost);
    }

    /** What was kept so far. */
    synchronized Part part() {
        int length = (int) Math.min(total, kept.length);
        byte[] bytes = new byte[length];
        int from = keep == Keep.LAST && total > kept.length ? (int) (total % kept.length) : 0;
        System.arraycopy(kept, from, bytes, 0, length - from);
        System.arraycopy(kept, 0, bytes, length - from, from);
        return new Part(bytes, total - length);
    }

    private void readAll(InputStream in) {
        byte[] buffer = new byte[8192];
        try (in) {
            int read;
            while ((read = in.read(buffer)) >= 0) {
                add(buffer, read);
            }
        } catch (IOException e) {
            // The JDK closes the stream under us when the program has ended: what came before is all there is.
        }
    }

    private synchronized void add(byte[] bytes, int length) {
        for (int i = 0; i < length; i++, total++) {
            if (keep == Keep.LAST) {
                kept[(int) (total % kept.length)] = bytes[i];
            } else if (total < kept.length) {
                kept[(int) total] = bytes[i];
            }
        }
    }

    /** A part of an output. A class and not a record, since its bytes are not to be compared or printed. */
    static final class Part {
        private final byte[] bytes;
        private final long omitted;

        private Part(byte[] bytes, long omitted) {
            this.bytes = bytes;
            this.omitted = omitted;
        }

        /** The bytes in the order they were written; not to be changed. */
        byte[] bytes() {
            return bytes;
        }

        /** How many bytes are missing from it. */
        long omitted() {
            return omitted;
        }
    }
}
