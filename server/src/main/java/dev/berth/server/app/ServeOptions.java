package dev.berth.server.app;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a service is to run.
 *
 * @param config the configuration file; null for none, where what is in force stays
 * @param data the data folder; made where missing, for its owner alone
 * @param host the address to listen on
 * @param port 0 for any free one
 * @param store the URL of a PostgreSQL; null for SQLite in the data folder
 * @param keyFile the key that encrypts stored access; null for one in the data folder, made where missing, which a PostgreSQL does not
 *     allow
 */
public record ServeOptions(
        @Nullable Path config,
        Path data,
        String host,
        int port,
        @Nullable String store,
        @Nullable Path keyFile) {
    public ServeOptions {
        Objects.requireNonNull(data);
        Objects.requireNonNull(host);
    }

    /** Whether other processes, on other machines, may use the same store. */
    boolean isShared() {
        return store != null;
    }
}
