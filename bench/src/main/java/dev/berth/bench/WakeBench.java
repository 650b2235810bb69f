package dev.berth.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/** How long after the release's first byte was sent the request that waited has its answer. */
final class WakeBench {
    /** For the waiting request to get into the queue. */
    private static final Duration QUEUEING = Duration.ofMillis(4);

    private final Report report;
    private final Effort effort;

    WakeBench(Report report, Effort effort) {
        this.report = report;
        this.effort = effort;
    }

    void run() throws Exception {
        report.section("Over HTTP: from a release to the answer of the request that waited for it");
        try (var stores = new Stores();
                var service = HttpBench.service(stores, Service.Kind.WHOLE, 1);
                var caller = new Caller(service.url());
                var waiting = new Line(service.url());
                var releasing = new Line(service.url())) {
            var holder = new String[] {Caller.id(caller.allocate())};
            new Contest(report, effort).run(Map.of("Berth", time -> handOvers(holder, waiting, releasing, time)));
        }
    }

    private Map<String, Double> handOvers(String[] holder, Line waiting, Line releasing, Duration time)
            throws IOException {
        var ask = Exchange.bytes(
                "POST",
                "/allocations",
                Service.TOKEN,
                "Prefer: wait=25\r\n",
                "{\"pool\":\"" + BenchPool.NAME + "\",\"requester\":\"next\",\"maxWait\":\"10m\"}");
        long end = System.nanoTime() + time.toNanos();
        var latencies = new long[1 << 16];
        int count = 0;
        while (System.nanoTime() < end && count < latencies.length) {
            var release = Exchange.bytes(
                    "DELETE", "/allocations/" + holder[0], Service.TOKEN, "", "{\"outcome\":\"success\"}");
            waiting.send(ask);
            LockSupport.parkNanos(QUEUEING.toNanos());
            long began = System.nanoTime();
            releasing.send(release);
            holder[0] = Caller.id(waiting.receive());
            latencies[count++] = System.nanoTime() - began;
            releasing.receive();
        }
        var sorted = Arrays.copyOf(latencies, count);
        var figures = new LinkedHashMap<String, Double>();
        figures.put("p50 ms", Contest.quantile(sorted, count, 0.5) / 1e6);
        figures.put("p99 ms", Contest.quantile(sorted, count, 0.99) / 1e6);
        return figures;
    }

    /** A connection that blocks. */
    private static final class Line implements AutoCloseable {
        private final SocketChannel channel;
        private final ByteBuffer in = ByteBuffer.allocate(64 * 1024);
        private final Reply reply = new Reply();

        Line(URI url) throws IOException {
            channel = SocketChannel.open(new InetSocketAddress(url.getHost(), url.getPort()));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }

        void send(byte[] request) throws IOException {
            var out = ByteBuffer.wrap(request);
            while (out.hasRemaining()) {
                channel.write(out);
            }
        }

        /** The body of the reply. */
        String receive() throws IOException {
            in.clear();
            do {
                if (channel.read(in) < 0) {
                    throw new IOException("the service closed a connection");
                }
            } while (!reply.isWhole(in));
            in.flip().position(reply.bodyAt());
            var body = StandardCharsets.UTF_8.decode(in).toString();
            if (reply.status() != 200) {
                throw new IOException(reply.status() + ": " + body);
            }
            return body;
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
