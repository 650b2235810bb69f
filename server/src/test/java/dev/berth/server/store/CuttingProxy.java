package dev.berth.server.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** Stands between a client and a server, and cuts what goes by. */
public final class CuttingProxy implements AutoCloseable {
    private final ServerSocket listening;
    private final int server;
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    private volatile At cut = At.NEVER;
    private volatile boolean refuses;
    private final CountDownLatch released = new CountDownLatch(1);

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

    void cut(At at) {
        cut = at;
    }

    void release() {
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

    private void accept() {
        try {
            while (true) {
                var client = listening.accept();
                if (refuses) {
                    close(client);
                } else {
                    var upstream = new Socket(InetAddress.getLoopbackAddress(), server);
                    upstream.setTcpNoDelay(true);
                    client.setTcpNoDelay(true);
                    open.addAll(List.of(client, upstream));
                    Thread.ofPlatform().daemon().name("proxy-up").start(() -> upwards(client, upstream));
                    Thread.ofPlatform().daemon().name("proxy-down").start(() -> downwards(client, upstream));
                }
            }
        } catch (IOException e) {
            open.forEach(CuttingProxy::close); // closed
        }
    }

    private void upwards(Socket client, Socket upstream) {
        try {
            var buffer = new byte[64 * 1024];
            for (int read = client.getInputStream().read(buffer);
                    read >= 0;
                    read = client.getInputStream().read(buffer)) {
                boolean isCommit = new String(buffer, 0, read, StandardCharsets.ISO_8859_1).contains("COMMIT");
                var at = isCommit ? cut : At.NEVER;
                if (at == At.COMMIT_ON_ITS_WAY || at == At.NEWS_ON_ITS_WAY) {
                    close(client);
                    released.await();
                }
                if (at == At.AFTER_COMMIT) {
                    close(client);
                }
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
        try {
            upstream.getInputStream().transferTo(client.getOutputStream());
        } catch (IOException e) {
            return; // the client was cut off; what the server still has to say is nobody's
        }
        close(client);
        close(upstream);
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
        listening.close();
        new ArrayList<>(open).forEach(CuttingProxy::close);
    }
}
