package dev.berth.server.auth;

import dev.berth.core.Allocation;
import dev.berth.core.Grant;
import dev.berth.providers.Provider;
import dev.berth.server.ledger.LedgerException;
import dev.berth.server.store.StoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Finds what a holder is given: opens what was issued, or asks the configuration where nothing is. */
public final class AccessDesk {
    private static final Logger LOG = LoggerFactory.getLogger(AccessDesk.class);
    private static final int MOST_REFRESHING = 32;
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};
    private static final String CREDENTIALS = "credentials.";
    private static final String CONNECTION = "connection.";

    private final AccessVault vault;
    private final StandingAccess standing;
    private final Semaphore refreshing = new Semaphore(MOST_REFRESHING);
    private final JsonMapper json = JsonMapper.builder().build();

    public AccessDesk(AccessVault vault, StandingAccess standing) {
        this.vault = vault;
        this.standing = standing;
    }

    HolderAccess of(Allocation allocation, Grant grant) {
        return withVariables(allocation, grant, given(allocation, grant));
    }

    /**
     * Fresh access to all its environments, in their order: what was issued, where that does not expire.
     *
     * @param held whether it still has them
     * @throws Provider.RefreshFailed where that of one cannot be had now
     */
    List<HolderAccess> fresh(Allocation allocation, BooleanSupplier held) throws Provider.RefreshFailed {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        var tasks = allocation.state().grants().stream()
                .map(grant -> new FutureTask<>(() -> fresh(allocation, grant, deadline, held)))
                .toList();
        tasks.forEach(task -> Thread.ofVirtual().name("refresh").start(task));
        try {
            var fresh = new ArrayList<HolderAccess>();
            for (var task : tasks) {
                fresh.add(task.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS));
            }
            return fresh;
        } catch (ExecutionException e) {
            throw failure(e.getCause());
        } catch (TimeoutException _) {
            throw new Provider.RefreshFailed("it took longer than %d seconds".formatted(PATIENCE.toSeconds()));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new Provider.RefreshFailed("the service is stopping");
        } finally {
            tasks.forEach(task -> task.cancel(true));
        }
    }

    private HolderAccess fresh(Allocation allocation, Grant grant, long deadline, BooleanSupplier held)
            throws InterruptedException, Provider.RefreshFailed {
        if (!refreshing.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            throw new Provider.RefreshFailed("too many others are at it");
        }
        try {
            var given = given(allocation, grant);
            var left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
            var fresh = standing.refresh(allocation, grant, left, held);
            return withVariables(
                    allocation,
                    grant,
                    fresh == null
                            ? given
                            : new HolderAccess(
                                    fresh.credentials(),
                                    fresh.connection() == null ? given.connection() : fresh.connection(),
                                    fresh.env()));
        } finally {
            refreshing.release();
        }
    }

    private static Provider.RefreshFailed failure(@Nullable Throwable cause) {
        return switch (cause) {
            case Provider.RefreshFailed failed -> failed;
            case StoreException e ->
                throw new LedgerException(LedgerException.Kind.STORE_UNAVAILABLE, "the store cannot be used now", e);
            case null, default -> {
                LOG.error("access cannot be refreshed", cause);
                yield new Provider.RefreshFailed("a defect of the provider");
            }
        };
    }

    private HolderAccess withVariables(Allocation allocation, Grant grant, HolderAccess given) {
        var variables = standing.variables(allocation.pool());
        if (variables.isEmpty()) {
            return given;
        }
        var connection = given.connection() == null ? object(facts(grant).get("connection")) : given.connection();
        var env = new HashMap<>(given.env());
        variables.forEach((variable, part) -> {
            var value = part.startsWith(CREDENTIALS)
                    ? field(given.credentials(), part.substring(CREDENTIALS.length()))
                    : part.startsWith(CONNECTION) ? field(connection, part.substring(CONNECTION.length())) : null;
            if (value != null) {
                env.put(variable, value);
            }
        });
        return new HolderAccess(given.credentials(), given.connection(), env);
    }

    private HolderAccess given(Allocation allocation, Grant grant) {
        var given = issuedOrStanding(allocation, grant);
        return given.connection() == null && grant.profile() != null
                ? new HolderAccess(given.credentials(), connection(grant, grant.profile()), given.env())
                : given;
    }

    private HolderAccess issuedOrStanding(Allocation allocation, Grant grant) {
        var sealed = grant.access();
        if (sealed != null) {
            var opened = vault.open(sealed, allocation.id(), grant.environment(), grant.epoch());
            return opened == null ? HolderAccess.NONE : opened; // its key was lost, and replaced
        }
        var credentials = standing.credentials(allocation.pool(), grant.environment(), grant.profile());
        return credentials == null ? HolderAccess.NONE : new HolderAccess(credentials, null, Map.of());
    }

    /** What the profile says in place of the environment's own connection; null for nothing. */
    private @Nullable Map<String, Object> connection(Grant grant, String profile) {
        var profiles = object(facts(grant).get("access"));
        var own = profiles == null ? null : object(profiles.get(profile));
        return own == null ? null : object(own.get("connection"));
    }

    private Map<String, Object> facts(Grant grant) {
        return json.readValue(grant.facts(), OBJECT);
    }

    private @Nullable Map<String, Object> object(@Nullable Object value) {
        return value instanceof Map<?, ?> ? json.convertValue(value, OBJECT) : null;
    }

    /** A part as a variable's value; null where there is none, or it is no single value. */
    private static @Nullable String field(@Nullable Map<?, ?> object, String name) {
        var value = object == null ? null : object.get(name);
        return value instanceof String || value instanceof Number || value instanceof Boolean ? value.toString() : null;
    }
}
