package dev.berth.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.PriorityQueue;
import java.util.regex.Pattern;

/**
 * More callers than a service may have room for, who keep to what it says: each allocates and releases again and again over a connection
 * of its own; refused, it comes again after {@code Retry-After}, on a new connection where that one was closed. One thread.
 */
final class Crowd implements AutoCloseable {
    private static final Pattern RETRY_AFTER = Pattern.compile("\r\nretry-after: ([0-9]+)\r\n");
    private static final String CLOSING = "\r\nconnection: close\r\n";
    private static final int BUFFER = 8 << 10;
    private static final int CONNECTED_AT_ONCE = 200;
    private static final long FINISHING_NANOS = Duration.ofSeconds(30).toNanos();

    private final InetSocketAddress address;
    private final Selector selector;
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER);
    private final List<One> all = new ArrayList<>();
    private final PriorityQueue<One> resting = new PriorityQueue<>(Comparator.comparingLong(one -> one.wakesAt));
    private final Latencies pairs = new Latencies();
    private final Latencies refusals = new Latencies();
    private int busy;
    private int cut;

    /**
     * What came of it.
     *
     * @param pairs allocated and released, a second
     * @param refused requests, a second
     * @param cut connections that ended without an answer
     */
    record Outcome(double pairs, double refused, int cut, double pairP99, double refusalP50, double refusalP99) {}

    Crowd(URI url, int callers) throws IOException {
        address = new InetSocketAddress(url.getHost(), url.getPort());
        selector = Selector.open();
        long run = System.nanoTime();
        for (int i = 0; i < callers; i++) {
            all.add(new One(new Pairs(Service.TOKEN, run + i)));
        }
    }

    /** Comes all at once, and stays for so long; what was allocated is released at the end. */
    Outcome run(Duration time) throws IOException {
        long began = System.nanoTime();
        all.forEach(one -> {
            one.wakesAt = began;
            resting.add(one);
        });
        long end = began + time.toNanos();
        for (long now = began; now < end; now = System.nanoTime()) {
            begin(now);
            poll(now);
        }
        var outcome = outcome(System.nanoTime() - began);
        while (busy > 0) {
            if (System.nanoTime() > end + FINISHING_NANOS) {
                throw new IOException(busy + " callers have no answer");
            }
            poll(System.nanoTime());
        }
        return outcome;
    }

    private Outcome outcome(long nanos) {
        return new Outcome(
                pairs.count * 1e9 / nanos,
                refusals.count * 1e9 / nanos,
                cut,
                pairs.milliseconds(0.99),
                refusals.milliseconds(0.5),
                refusals.milliseconds(0.99));
    }

    private void begin(long now) throws IOException {
        for (int i = 0; i < CONNECTED_AT_ONCE; i++) {
            var next = resting.peek();
            if (next == null || next.wakesAt > now) {
                return;
            }
            resting.remove();
            busy++;
            next.begin(now);
        }
    }

    private void poll(long now) throws IOException {
        var next = resting.peek();
        long millis = next == null ? 10 : Math.clamp((next.wakesAt - now) / 1_000_000, 0, 10);
        int ready = millis == 0 ? selector.selectNow() : selector.select(millis);
        if (ready == 0) {
            return;
        }
        for (var key : selector.selectedKeys()) {
            if (key.isValid()) {
                ((One) key.attachment()).goOn(key);
            }
        }
        selector.selectedKeys().clear();
    }

    @Override
    public void close() throws IOException {
        for (var one : all) {
            one.disconnect();
        }
        selector.close();
    }

    private static final class Latencies {
        private long[] nanos = new long[1 << 14];
        private int count;

        void add(long one) {
            if (count == nanos.length) {
                nanos = Arrays.copyOf(nanos, 2 * count);
            }
            nanos[count++] = one;
        }

        double milliseconds(double part) {
            return Contest.quantile(nanos, count, part) / 1e6;
        }
    }

    private final class One {
        private final Pairs pairs;
        private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER);
        private final Reply reply = new Reply();
        private SocketChannel channel;
        private int request;
        private long pairBegan;
        private long requestBegan;
        private long wakesAt;

        One(Pairs pairs) throws IOException {
            this.pairs = pairs;
            this.channel = connect();
        }

        private SocketChannel connect() throws IOException {
            var fresh = SocketChannel.open();
            fresh.setOption(StandardSocketOptions.TCP_NODELAY, true);
            fresh.configureBlocking(false);
            return fresh;
        }

        void begin(long now) throws IOException {
            requestBegan = now;
            if (request == 0) {
                pairBegan = now;
            }
            if (!channel.isOpen()) {
                channel = connect();
            }
            if (channel.isConnected()) {
                send();
            } else if (channel.connect(address)) {
                channel.register(selector, SelectionKey.OP_READ, this);
                send();
            } else {
                channel.register(selector, SelectionKey.OP_CONNECT, this);
            }
        }

        private void send() throws IOException {
            in.clear();
            out.clear();
            pairs.write(request, out);
            out.flip();
            while (out.hasRemaining()) {
                channel.write(out); // smaller than any socket's buffer
            }
        }

        void goOn(SelectionKey key) throws IOException {
            try {
                if (key.isConnectable()) {
                    channel.finishConnect();
                    key.interestOps(SelectionKey.OP_READ);
                    send();
                } else if (channel.read(in) < 0) {
                    throw new IOException("closed");
                } else if (reply.isWhole(in)) {
                    answered();
                }
            } catch (IOException e) {
                cut++;
                disconnect();
                rest(1);
            }
        }

        private void answered() throws IOException {
            long now = System.nanoTime();
            int status = reply.status();
            if (status == 429 || status == 503) {
                refusals.add(now - requestBegan);
                refused();
                return;
            }
            in.flip().position(reply.bodyAt());
            pairs.read(request, status, in);
            if (request == 0) {
                request = 1;
                requestBegan = now;
                send();
                return;
            }
            request = 0;
            Crowd.this.pairs.add(now - pairBegan);
            rest(0);
        }

        private void refused() throws IOException {
            var bytes = new byte[reply.bodyAt()];
            in.get(0, bytes);
            var head = new String(bytes, StandardCharsets.US_ASCII).toLowerCase(Locale.ROOT);
            var seconds = RETRY_AFTER.matcher(head);
            if (!seconds.find()) {
                throw new IllegalStateException("refused without Retry-After: " + head);
            }
            if (head.contains(CLOSING)) {
                disconnect();
            }
            rest(Integer.parseInt(seconds.group(1)));
        }

        private void rest(int seconds) {
            busy--;
            wakesAt = System.nanoTime() + seconds * 1_000_000_000L;
            resting.add(this);
        }

        private void disconnect() throws IOException {
            channel.close();
        }
    }
}
