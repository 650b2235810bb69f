package dev.berth.server.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.task.InterruptableTask;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Every connection, from its beginning: so many are served at once, and who comes beyond that is told so at once. None is kept that
 * brings no request, or only the beginning of one, or does not take its answer. What does not begin as HTTP/1.1 does (HTTP/1.0 of a
 * probe or of a proxy that was not set up, a request line that is none) is answered too: the HTTP server by itself would close without
 * a word.
 */
final class Connections implements ServerConnectionSelector {
    /** How often the HTTP server is to look for connections to close. */
    static final Duration LOOKING = Duration.ofSeconds(1);
    /** How long one that is idle between two requests is kept. */
    static final Duration IDLE = Duration.ofMinutes(5);
    /** By this factor sooner where the places run out. */
    private static final int SOONER = 10;

    private static final Duration FOREVER = Duration.ofDays(1);
    /** So long whoever was refused has for reading that: closed sooner, with something unread, it would be lost. */
    private static final Duration LINGERING = Duration.ofSeconds(2);

    private static final int MOST_DRAINED = 1 << 20;
    private static final int LONGEST_LINE = 8 << 10;
    private static final String SERVED = " HTTP/1.1\r";
    /** Served also where no place is free: a service that has much to do is not to be restarted for it. */
    private static final String PROBE = "GET /healthz/";

    private final ServerConnectionSelector http;
    private final Answers answers;
    private final HttpApi.Limits limits;
    private final Semaphore places;

    /** Whole answers to what is not served as HTTP/1.1. */
    record Answers(Function<String, byte[]> otherProtocol, Supplier<byte[]> crowded) {}

    /**
     * @param http serves them
     */
    Connections(ServerConnectionSelector http, Answers answers, HttpApi.Limits limits) {
        this.http = http;
        this.answers = answers;
        this.limits = limits;
        this.places = new Semaphore(limits.connections());
    }

    /** How many there may be at all, those that are refused included. */
    static int most(HttpApi.Limits limits) {
        return limits.connections() + limits.connections() / 4 + 10;
    }

    private boolean areCrowded() {
        return places.availablePermits() <= limits.connections() / 10;
    }

    /** Not asked for: there is no other selector. */
    @Override
    public int bytesToIdentifyConnection() {
        return 0;
    }

    @Override
    public Support supports(BufferData data) {
        return Support.SUPPORTED;
    }

    @Override
    public Set<String> supportedApplicationProtocols() {
        return http.supportedApplicationProtocols();
    }

    @Override
    public ServerConnection connection(ConnectionContext context) {
        return new One(context);
    }

    /** Handled by a thread of its own, and asked and closed by others. */
    private final class One implements ServerConnection, InterruptableTask<Void> {
        private final ConnectionContext context;
        private volatile long waitsSince = System.nanoTime();
        private volatile boolean refused;
        private volatile boolean closed;
        private volatile @Nullable Thread thread;
        private volatile @Nullable Served served;

        private One(ConnectionContext context) {
            this.context = context;
        }

        @Override
        public void handle(Limit limit) throws InterruptedException {
            thread = Thread.currentThread();
            var begin = read();
            int end = new String(begin, StandardCharsets.ISO_8859_1).indexOf('\n');
            var line = new String(
                    begin, 0, Math.min(LONGEST_LINE, end < 0 ? begin.length : end), StandardCharsets.ISO_8859_1);
            if (end >= 0 && !line.endsWith(SERVED)) {
                refuse(answers.otherProtocol().apply(line.strip()));
                return;
            }
            boolean placed = places.tryAcquire();
            try {
                if (placed || line.startsWith(PROBE)) {
                    serve(begin, limit);
                } else {
                    refuse(answers.crowded().get());
                }
            } finally {
                if (placed) {
                    places.release();
                }
            }
        }

        private void serve(byte[] begin, Limit limit) throws InterruptedException {
            var incoming = new Incoming(begin, () -> context.serverSocket().get());
            var outgoing = new Outgoing(context.dataWriter());
            var now = new Served(
                    http.connection(WatchedConnections.context(context, incoming, outgoing)), incoming, outgoing);
            served = now;
            if (!closed) {
                now.connection.handle(limit);
            }
        }

        private void refuse(byte[] answer) {
            context.dataWriter().writeNow(BufferData.create(answer));
            refused = true;
            waitsSince = System.nanoTime();
            int drained = 0;
            while (!closed && drained < MOST_DRAINED) {
                drained += read().length;
            }
        }

        private byte[] read() {
            try {
                var reader = context.dataReader();
                reader.ensureAvailable();
                return reader.readBuffer(reader.available()).readBytes();
            } catch (RuntimeException e) {
                throw new CloseConnectionException("nothing more comes", e);
            }
        }

        /** Whether it has waited for long enough for what its caller does not send, or does not take. */
        private boolean isStuck() {
            var now = served;
            if (now == null) {
                long waits = System.nanoTime() - waitsSince;
                return waits > (refused ? LINGERING : limits.patience()).toNanos();
            }
            return now.outgoing.hasWaited(limits.patience()) || now.isWaitedFor(limits.patience());
        }

        @Override
        public Duration idleTime() {
            if (isStuck()) {
                return FOREVER;
            }
            var now = served;
            if (now == null) {
                return Duration.ZERO;
            }
            var idle = now.connection.idleTime();
            return now.isBetweenRequests() && areCrowded() ? idle.multipliedBy(SOONER) : idle;
        }

        @Override
        public void close(boolean interrupt) {
            boolean stuck = isStuck();
            closed = true;
            var now = served;
            var handling = thread;
            if (now != null) {
                now.connection.close(interrupt || stuck);
            } else if (handling != null) {
                handling.interrupt();
            }
        }

        @Override
        public boolean canInterrupt() {
            var now = served;
            return now == null || now.isBetweenRequests();
        }
    }

    private record Served(ServerConnection connection, Incoming incoming, Outgoing outgoing) {
        /** Whether the rest of a request has been waited for, for longer than this. */
        boolean isWaitedFor(Duration longest) {
            return incoming.isWaitedFor()
                    && !isBetweenRequests()
                    && connection.idleTime().compareTo(longest) > 0;
        }

        boolean isBetweenRequests() {
            return connection instanceof InterruptableTask<?> task && task.canInterrupt();
        }
    }
}
