package dev.berth.server.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Stands between a client and a server, and cuts what goes by. */
public final class CuttingProxy implements AutoCloseable {
    private final ServerSocket listening;
    private volatile int server;
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    private volatile At cut = At.NEVER;
    private volatile boolean refuses;
    private volatile CountDownLatch released = new CountDownLatch(1);
    private volatile CountDownLatch flowing = new CountDownLatch(0);
    private final AtomicReference<At> once = new AtomicReference<>(At.NEVER);
    private final AtomicInteger cuts = new AtomicInteger();

    /** Where a connection is cut that brings a COMMIT. The client is always told at once that it is cut. */
    public enum At {
        NEVER,
        /** The server never gets it, and is told that its client has gone. */
        BEFORE_COMMIT,
        /** The server gets it, and nobody its answer. */
        AFTER_COMMIT,
        /** The server gets it some time later, when {@link #release} says so: it was under way. */
        COMMIT_ON_ITS_WAY,
        /** The server gets neither a COMMIT nor the news that its client has gone before {@link #release} says so. */
        NEWS_ON_ITS_WAY
    }

    public CuttingProxy(int server) {
        this.server = server;
        try {
            listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofPlatform().daemon().name("proxy").start(this::accept);
    }

    public int port() {
        return listening.getLocalPort();
    }

    /** From now on new connections are led to this port. */
    public void leadTo(int server) {
        this.server = server;
    }

    void cut(At at) {
        cut = at;
    }

    /** Cuts the next COMMIT alone, of whatever connection. What an earlier one held back must have been released. */
    public void cutNext(At at) {
        released = new CountDownLatch(1);
        once.set(at);
    }

    /** How many connections were cut because of a COMMIT. */
    public int cuts() {
        return cuts.get();
    }

    /** Lets go on what was held back on its way. */
    public void release() {
        released.countDown();
    }

    /** From now on nobody gets through, and whoever is through is cut off. */
    public void goAway() {
        refuses = true;
        open.forEach(CuttingProxy::close);
    }

    public void comeBack() {
        refuses = false;
    }

    /** From now on nothing comes through, and nobody is told: new connections are accepted, and get no answer. */
    public void stall() {
        flowing = new CountDownLatch(1);
    }

    /** What was held up goes on to where it was sent. */
    public void flow() {
        flowing.countDown();
    }

    private void accept() {
        try {
            while (true) {
                var client = listening.accept();
                if (refuses) {
                    close(client);
                } else {
                    join(client);
                }
            }
        } catch (IOException e) {
            open.forEach(CuttingProxy::close); // closed
        }
    }

    private void join(Socket client) {
        Socket upstream;
        try {
            upstream = new Socket(InetAddress.getLoopbackAddress(), server);
        } catch (IOException e) {
            close(client); // there is no server now
            return;
        }
        try {
            upstream.setTcpNoDelay(true);
            client.setTcpNoDelay(true);
        } catch (SocketException e) {
            close(client);
            close(upstream);
            return;
        }
        open.addAll(List.of(client, upstream));
        if (refuses) {
            close(client); // it went away meanwhile, and may not have seen this one
            close(upstream);
            return;
        }
        Thread.ofPlatform().daemon().name("proxy-up").start(() -> upwards(client, upstream));
        Thread.ofPlatform().daemon().name("proxy-down").start(() -> downwards(client, upstream));
    }

    /** Sees a COMMIT go by on one connection: as text, and by the name under which the driver had it prepared. */
    private static final class Commits {
        private static final Pattern PREPARED = Pattern.compile("P....(S_[0-9]+)\0COMMIT\0", Pattern.DOTALL);
        private @Nullable String bound;

        boolean isIn(String sent) {
            var prepared = PREPARED.matcher(sent);
            if (prepared.find()) {
                bound = "\0" + prepared.group(1) + "\0";
            }
            return sent.contains("COMMIT") || (bound != null && sent.contains(bound));
        }
    }

    private At cutOf(boolean isCommit) {
        if (!isCommit) {
            return At.NEVER;
        }
        return cut != At.NEVER ? cut : once.getAndSet(At.NEVER);
    }

    private void upwards(Socket client, Socket upstream) {
        var commits = new Commits();
        try {
            var buffer = new byte[64 * 1024];
            for (int read = client.getInputStream().read(buffer);
                    read >= 0;
                    read = client.getInputStream().read(buffer)) {
                var at = cutOf(commits.isIn(new String(buffer, 0, read, StandardCharsets.ISO_8859_1)));
                if (at != At.NEVER) {
                    cuts.incrementAndGet();
                }
                if (at == At.COMMIT_ON_ITS_WAY || at == At.NEWS_ON_ITS_WAY) {
                    close(client);
                    released.await();
                }
                if (at == At.AFTER_COMMIT) {
                    close(client);
                }
                flowing.await();
                if (at != At.BEFORE_COMMIT && at != At.NEWS_ON_ITS_WAY) {
                    upstream.getOutputStream().write(buffer, 0, read);
                }
                if (at != At.NEVER) {
                    break;
                }
            }
        } catch (IOException e) {
            // either side has gone
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close(client);
        endOutput(upstream);
    }

    private void downwards(Socket client, Socket upstream) {
        var buffer = new byte[64 * 1024];
        while (true) {
            int read;
            try {
                read = upstream.getInputStream().read(buffer);
            } catch (IOException e) {
                read = -1; // a server that crashed
            }
            if (read < 0) {
                close(client);
                close(upstream);
                return;
            }
            try {
                flowing.await();
                client.getOutputStream().write(buffer, 0, read);
            } catch (IOException e) {
                return; // the client was cut off; what the server still has to say is nobody's
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** The server reads what is on its way before it learns that there is no more. */
    private static void endOutput(Socket socket) {
        try {
            socket.shutdownOutput();
        } catch (IOException e) {
            close(socket);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        release();
        flow();
        listening.close();
        new ArrayList<>(open).forEach(CuttingProxy::close);
    }
}
