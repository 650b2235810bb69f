package dev.berth.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Puts load on an HTTP service: one thread, HTTP/1.1 over connections that stay open, one request at a time on each. Either as fast as
 * answers come, or at a given rate whatever comes; then time counts from when an operation was due, not from when a connection was
 * free for it.
 */
final class Load implements AutoCloseable {
    private static final int BUFFER = 64 * 1024;
    private static final long STUCK_NANOS = Duration.ofSeconds(30).toNanos();
    private static final long LONGEST_PAUSE_NANOS = Duration.ofMillis(10).toNanos();
    /** An answer is noticed so much later at most: little beside the milliseconds that are measured. */
    private static final long NAP_NANOS = 50_000;

    private final Selector selector;
    private final List<Connection> connections = new ArrayList<>();

    /** What came of it. */
    static final class Outcome {
        private final double perSecond;
        private final long[] latencies;
        private final long[] first;

        /**
         * @param latencies of whole operations, in nanoseconds
         * @param first of the first request of each
         */
        Outcome(double perSecond, long[] latencies, long[] first) {
            this.perSecond = perSecond;
            this.latencies = latencies;
            this.first = first;
        }

        /** Operations. */
        double perSecond() {
            return perSecond;
        }

        double milliseconds(double part) {
            return Contest.quantile(latencies, latencies.length, part) / 1e6;
        }

        double firstMilliseconds(double part) {
            return Contest.quantile(first, first.length, part) / 1e6;
        }
    }

    Load(URI url, List<? extends Exchange> exchanges) throws IOException {
        selector = Selector.open();
        for (var exchange : exchanges) {
            var channel = SocketChannel.open(new InetSocketAddress(url.getHost(), url.getPort()));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.configureBlocking(false);
            connections.add(new Connection(channel, channel.register(selector, SelectionKey.OP_READ), exchange));
        }
    }

    /** As fast as answers come. */
    Outcome closed(Duration time) throws IOException {
        long began = System.nanoTime();
        long end = began + time.toNanos();
        var run = new Run();
        for (var connection : connections) {
            connection.begin(System.nanoTime());
            run.busy++;
        }
        while (run.busy > 0) {
            poll(run, STUCK_NANOS / 1_000_000);
            for (var connection : run.idle) {
                long now = System.nanoTime();
                if (now < end) {
                    connection.begin(now);
                    run.busy++;
                }
            }
            run.idle.clear();
        }
        return run.outcome(System.nanoTime() - began);
    }

    /** So many operations a second, whatever comes. */
    Outcome open(double perSecond, Duration time) throws IOException {
        long began = System.nanoTime();
        long end = began + time.toNanos();
        double every = 1e9 / perSecond;
        long begun = 0;
        var run = new Run();
        run.idle.addAll(connections);
        while (true) {
            long now = System.nanoTime();
            long due = began + (long) (begun * every);
            while (due <= now && due < end && !run.idle.isEmpty()) {
                run.idle.poll().begin(due);
                run.busy++;
                begun++;
                due = began + (long) (begun * every);
            }
            if (due >= end && run.busy == 0) {
                return run.outcome(System.nanoTime() - began);
            }
            if (now > end + STUCK_NANOS) {
                throw new IOException("no answer");
            }
            long pause = run.idle.isEmpty() || due >= end ? LONGEST_PAUSE_NANOS : due - now;
            if (pause > 0 && pause < 1_000_000) {
                // The selector knows milliseconds only, and asked all the time it would take one of two cores.
                LockSupport.parkNanos(Math.min(pause, NAP_NANOS));
            }
            poll(run, pause / 1_000_000);
        }
    }

    private void poll(Run run, long mostMillis) throws IOException {
        int ready = mostMillis == 0 ? selector.selectNow() : selector.select(mostMillis);
        if (ready == 0) {
            if (mostMillis >= STUCK_NANOS / 1_000_000) {
                throw new IOException("no answer");
            }
            return;
        }
        for (var key : selector.selectedKeys()) {
            var connection = (Connection) key.attachment();
            if (connection.read(run)) {
                run.busy--;
                run.idle.add(connection);
            }
        }
        selector.selectedKeys().clear();
    }

    @Override
    public void close() throws IOException {
        for (var connection : connections) {
            connection.channel.close();
        }
        selector.close();
    }

    private static final class Run {
        final ArrayDeque<Connection> idle = new ArrayDeque<>();
        int busy;
        private long[] latencies = new long[1 << 16];
        private long[] first = new long[1 << 16];
        private int count;

        void done(long whole, long firstRequest) {
            if (count == latencies.length) {
                latencies = Arrays.copyOf(latencies, 2 * count);
                first = Arrays.copyOf(first, 2 * count);
            }
            latencies[count] = whole;
            first[count++] = firstRequest;
        }

        Outcome outcome(long nanos) {
            return new Outcome(count * 1e9 / nanos, Arrays.copyOf(latencies, count), Arrays.copyOf(first, count));
        }
    }

    private static final class Connection {
        final SocketChannel channel;
        private final Exchange exchange;
        private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER);
        private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER);
        private final Reply reply = new Reply();
        private int request;
        private long since;
        private long firstDone;

        Connection(SocketChannel channel, SelectionKey key, Exchange exchange) {
            this.channel = channel;
            this.exchange = exchange;
            key.attach(this);
        }

        /** Begins an operation that was due at this time. */
        void begin(long due) throws IOException {
            since = due;
            request = 0;
            send();
        }

        private void send() throws IOException {
            out.clear();
            exchange.write(request, out);
            out.flip();
            while (out.hasRemaining()) {
                channel.write(out); // a request is smaller than any socket's buffer
            }
        }

        /** Reads what is there. Returns true when the operation is over. */
        boolean read(Run run) throws IOException {
            if (channel.read(in) < 0) {
                throw new IOException("the service closed a connection");
            }
            if (!reply.isWhole(in)) {
                return false;
            }
            in.flip().position(reply.bodyAt());
            exchange.read(request, reply.status(), in);
            in.clear();
            long now = System.nanoTime();
            if (request == 0) {
                firstDone = now;
            }
            if (++request < exchange.requests()) {
                send();
                return false;
            }
            run.done(now - since, firstDone - since);
            return true;
        }
    }
}
