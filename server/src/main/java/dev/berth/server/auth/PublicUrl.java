package dev.berth.server.auth;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Optional;

/**
 * Where callers find the service, when a proxy before it rewrites the host or takes a prefix off the path.
 *
 * @param host with its port where that is not the scheme's own, as a {@code Host} header has it
 * @param prefix of all paths, still encoded, without a slash at its end; empty for none
 */
public record PublicUrl(String host, String prefix) {
    private static final int LONGEST = 1000;

    /**
     * Reads a URL like {@code https://ci.example/berth/}.
     *
     * @return empty where it is none, or has a user, a query, a fragment, or dots or doubled slashes in its path
     */
    public static Optional<PublicUrl> parse(String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException _) {
            return Optional.empty();
        }
        var scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
        boolean web = scheme.equals("http") || scheme.equals("https");
        if (text.length() > LONGEST
                || !web
                || uri.getHost() == null
                || uri.getRawUserInfo() != null
                || uri.getRawQuery() != null
                || uri.getRawFragment() != null) {
            return Optional.empty();
        }
        var path = uri.getRawPath();
        var prefix = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        if (!prefix.matches("(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")) {
            return Optional.empty();
        }
        int usual = scheme.equals("http") ? 80 : 443;
        var host = uri.getHost().toLowerCase(Locale.ROOT);
        return Optional.of(
                new PublicUrl(uri.getPort() < 0 || uri.getPort() == usual ? host : host + ":" + uri.getPort(), prefix));
    }
}
