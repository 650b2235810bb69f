package dev.berth.server.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataWriter;
import java.time.Duration;

/** What goes out on one connection, and since when a part of it waits for its caller to take it. */
final class Outgoing implements DataWriter {
    private static final long NOTHING = 0;

    private final DataWriter socket;
    /** Of {@link System#nanoTime}, which may be anything but is not worth a second field: a part that begins at 0 is not waited for. */
    private volatile long since = NOTHING;

    Outgoing(DataWriter socket) {
        this.socket = socket;
    }

    /** Whether a part has waited for longer than this. May be asked by any thread. */
    boolean hasWaited(Duration longest) {
        long began = since;
        return began != NOTHING && System.nanoTime() - began > longest.toNanos();
    }

    private void timed(Runnable write) {
        since = System.nanoTime();
        try {
            write.run();
        } finally {
            since = NOTHING;
        }
    }

    @Override
    public void write(BufferData... buffers) {
        timed(() -> socket.write(buffers));
    }

    @Override
    public void write(BufferData buffer) {
        timed(() -> socket.write(buffer));
    }

    @Override
    public void writeNow(BufferData... buffers) {
        timed(() -> socket.writeNow(buffers));
    }

    @Override
    public void writeNow(BufferData buffer) {
        timed(() -> socket.writeNow(buffer));
    }

    @Override
    public void flush() {
        timed(socket::flush);
    }

    @Override
    public void close() {
        socket.close();
    }
}
