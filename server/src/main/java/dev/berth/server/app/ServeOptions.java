package dev.berth.server.app;

import dev.berth.server.auth.PublicUrl;
import dev.berth.server.config.ConfigurationFile;
import dev.berth.server.config.ConfigurationSource;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a service is to run.
 *
 * @param config where the configuration is; null for none, where what is in force stays
 * @param data the data folder; made where missing, for its owner alone
 * @param host the address to listen on
 * @param port 0 for any free one
 * @param store the URL of a PostgreSQL; null for SQLite in the data folder
 * @param keyFile the key that encrypts stored access; null for one in the data folder, made where missing, which a PostgreSQL does not
 *     allow
 * @param tls what to encrypt with; null for plain HTTP
 * @param publicUrl where callers find the service, when a proxy rewrites the host or takes a prefix off the path; null for none
 */
public record ServeOptions(
        @Nullable ConfigurationSource config,
        Path data,
        String host,
        int port,
        @Nullable String store,
        @Nullable Path keyFile,
        @Nullable Tls tls,
        @Nullable PublicUrl publicUrl) {
    public ServeOptions {
        Objects.requireNonNull(data);
        Objects.requireNonNull(host);
    }

    /** How a service runs that speaks plain HTTP, with nothing before it that changes what callers send. */
    public ServeOptions(
            @Nullable Path config, Path data, String host, int port, @Nullable String store, @Nullable Path keyFile) {
        this(config == null ? null : new ConfigurationFile(config), data, host, port, store, keyFile, null, null);
    }

    /**
     * Two files in PEM, read again when they change.
     *
     * @param certificate the service's own, and after it those of the authorities in between
     * @param key the private key of the first, without a passphrase
     */
    public record Tls(Path certificate, Path key) {
        public Tls {
            Objects.requireNonNull(certificate);
            Objects.requireNonNull(key);
        }
    }

    /** Whether other processes, on other machines, may use the same store. */
    boolean isShared() {
        return store != null;
    }
}
