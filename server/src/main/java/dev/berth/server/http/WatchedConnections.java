package dev.berth.server.http;

import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.http.ServerRequest;
import java.net.SocketAddress;
import java.security.Principal;
import java.security.cert.Certificate;
import java.util.Optional;
import java.util.concurrent.ExecutorService;

/**
 * Connections whose incoming bytes go through an {@link Incoming}, by which a handler can have its caller's going away told.
 */
final class WatchedConnections {
    private WatchedConnections() {}

    /** What comes in on the connection of a request. */
    static Incoming of(ServerRequest request) {
        if (request.remotePeer() instanceof Peer peer) {
            return peer.incoming();
        }
        throw new IllegalStateException("a request that did not come by a watched connection");
    }

    /** The same connection, with what comes in read from there, and what goes out written there. */
    static ConnectionContext context(ConnectionContext connection, Incoming incoming, Outgoing outgoing) {
        return new Watched(connection, incoming, DataReader.create(incoming), outgoing);
    }

    /** The other side. The one thing of a connection's context that a request shows. */
    private record Peer(PeerInfo peer, Incoming incoming) implements PeerInfo {
        @Override
        public SocketAddress address() {
            return peer.address();
        }

        @Override
        public String host() {
            return peer.host();
        }

        @Override
        public int port() {
            return peer.port();
        }

        @Override
        public Optional<Principal> tlsPrincipal() {
            return peer.tlsPrincipal();
        }

        @Override
        public Optional<Certificate[]> tlsCertificates() {
            return peer.tlsCertificates();
        }
    }

    private record Watched(ConnectionContext context, Incoming incoming, DataReader dataReader, DataWriter dataWriter)
            implements ConnectionContext {
        @Override
        public PeerInfo remotePeer() {
            return new Peer(context.remotePeer(), incoming);
        }

        @Override
        public PeerInfo localPeer() {
            return context.localPeer();
        }

        @Override
        public boolean isSecure() {
            return context.isSecure();
        }

        @Override
        public String socketId() {
            return context.socketId();
        }

        @Override
        public String childSocketId() {
            return context.childSocketId();
        }

        @Override
        public ListenerContext listenerContext() {
            return context.listenerContext();
        }

        @Override
        public ExecutorService executor() {
            return context.executor();
        }

        @Override
        public Router router() {
            return context.router();
        }

        @Override
        public Optional<ProxyProtocolData> proxyProtocolData() {
            return context.proxyProtocolData();
        }

        @Override
        public HelidonSocket serverSocket() {
            return context.serverSocket();
        }
    }
}
