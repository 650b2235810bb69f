package dev.berth.server.http;

import dev.berth.server.config.Network;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.function.Supplier;

/**
 * Where requests come from: whoever opened the connection, or, where that is a proxy that the configuration trusts, whom it names in
 * {@code X-Forwarded-For}. Each proxy adds there whom it heard, at the end; what stands before the first that is not trusted may be
 * anybody's invention and is not looked at. Other headers of proxies are not believed at all.
 */
final class Origins {
    private static final HeaderName FORWARDED_FOR = HeaderNames.create("X-Forwarded-For");
    private static final int MOST_HOPS = 100;

    private final Supplier<List<Network>> trusted;

    Origins(Supplier<List<Network>> trusted) {
        this.trusted = trusted;
    }

    InetAddress of(ServerRequest request) {
        var peer = address(request.remotePeer().address());
        var proxies = trusted.get();
        if (proxies.isEmpty() || !isAmong(proxies, peer) || !request.headers().contains(FORWARDED_FOR)) {
            return peer;
        }
        return of(
                peer,
                proxies,
                String.join(",", request.headers().get(FORWARDED_FOR).allValues()));
    }

    /**
     * The last one named that is no trusted proxy.
     *
     * @param peer a trusted proxy
     */
    static InetAddress of(InetAddress peer, List<Network> proxies, String forwardedFor) {
        var hops = forwardedFor.split(",", -1);
        var nearest = peer;
        for (int i = hops.length - 1; i >= Math.max(0, hops.length - MOST_HOPS); i--) {
            var hop = Network.address(withoutPort(hops[i].strip()));
            if (hop.isEmpty()) {
                return nearest;
            }
            nearest = hop.get();
            if (!isAmong(proxies, nearest)) {
                return nearest;
            }
        }
        return nearest;
    }

    private static boolean isAmong(List<Network> proxies, InetAddress address) {
        for (var proxy : proxies) {
            if (proxy.has(address)) {
                return true;
            }
        }
        return false;
    }

    /** Some proxies add the port: {@code 192.0.2.1:4711}, {@code [2001:db8::1]:4711}. */
    private static String withoutPort(String hop) {
        if (hop.startsWith("[")) {
            int end = hop.indexOf(']');
            return end < 0 ? "" : hop.substring(1, end);
        }
        int colon = hop.indexOf(':');
        return colon >= 0 && colon == hop.lastIndexOf(':') ? hop.substring(0, colon) : hop;
    }

    private static InetAddress address(SocketAddress peer) {
        if (peer instanceof InetSocketAddress internet) {
            return internet.getAddress();
        }
        throw new IllegalStateException("a connection that came by no network");
    }
}
