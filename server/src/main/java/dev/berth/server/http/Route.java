package dev.berth.server.http;

import dev.berth.server.auth.Principal;
import dev.berth.server.auth.Role;
import dev.berth.server.config.Callers;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One call of the API.
 *
 * @param path with {@code {name}} for what varies
 * @param roles any of which lets a principal in; empty for a call that is open to everybody
 * @param bodyLimit the most bytes that its body may have
 * @param page what it shows to everybody unless the configuration says otherwise; null for nothing of that kind
 */
record Route(
        String method,
        String path,
        Set<Role> roles,
        int bodyLimit,
        Dialect dialect,
        Callers.@Nullable Page page,
        Handler handler) {
    static final Set<Role> OPEN = Set.of();
    static final int BODY_LIMIT = 1 << 20;

    /** Answers a call, or throws a {@link Problem}. */
    @FunctionalInterface
    interface Handler {
        Reply answer(Call call);
    }

    Route(String method, String path, Set<Role> roles, Handler handler) {
        this(method, path, roles, BODY_LIMIT, handler);
    }

    Route(String method, String path, Set<Role> roles, int bodyLimit, Handler handler) {
        this(method, path, roles, bodyLimit, Dialect.BERTH, null, handler);
    }

    Route(String method, String path, Set<Role> roles, Dialect dialect, Handler handler) {
        this(method, path, roles, BODY_LIMIT, dialect, null, handler);
    }

    Route(String method, String path, Set<Role> roles, Callers.Page page, Handler handler) {
        this(method, path, roles, BODY_LIMIT, Dialect.BERTH, page, handler);
    }

    /** Whether it is open to everybody now. */
    boolean isOpen(Callers callers) {
        return page == null ? roles.isEmpty() : !callers.closed().contains(page);
    }

    /** Whether it gives back what was lent, or keeps it: that is not refused because there are too many. */
    boolean isSpared() {
        return path.endsWith("/keepalive") || (method.equals("DELETE") && !path.startsWith("/tokens"));
    }

    /** Its own, and HEAD where probes of load balancers call. */
    Stream<String> methods() {
        return method.equals("GET") && (page != null || roles.isEmpty())
                ? Stream.of(method, "HEAD")
                : Stream.of(method);
    }

    boolean hasParameters() {
        return path.contains("{");
    }

    boolean admits(Principal principal) {
        for (var role : roles) {
            if (principal.has(role)) {
                return true;
            }
        }
        return false;
    }
}
