package dev.berth.server.app;

import dev.berth.core.Allocation;
import dev.berth.core.EnvironmentName;
import dev.berth.core.Grant;
import dev.berth.core.PoolName;
import dev.berth.providers.Kind;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.Task;
import dev.berth.server.auth.StandingAccess;
import dev.berth.server.config.Configuration;
import dev.berth.server.store.Store;
import dev.berth.server.upkeep.Workbench;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** The providers of all pools: those of the configuration in force, and for a pool that it has no more, one made of what is kept of it. */
final class Providers implements Workbench, StandingAccess {
    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

    private final Supplier<Configuration> configuration;
    private final Store store;
    private final Collection<Kind> kinds;

    Providers(Supplier<Configuration> configuration, Store store, Collection<Kind> kinds) {
        this.configuration = configuration;
        this.store = store;
        this.kinds = kinds;
    }

    @Override
    public Provider provider(PoolName pool) {
        var configured = configuration.get().pools().get(pool);
        return configured == null ? ofThePast(pool) : configured.provider();
    }

    private Provider ofThePast(PoolName name) {
        var pool = store.pool(name).orElseThrow(() -> new IllegalStateException("no pool " + name));
        var policy = pool.policy();
        for (var kind : kinds) {
            if (kind.name().equals(policy.provider())) {
                try {
                    return kind.create(
                            name.value(), JsonMapper.shared().readValue(policy.settings(), OBJECT), Map.of());
                } catch (Kind.InvalidSettings e) {
                    throw new IllegalStateException(
                            "the settings kept of pool %s cannot be used: %s".formatted(name, e.mistakes()), e);
                }
            }
        }
        throw new IllegalStateException(
                "pool %s has provider %s, which there is none of".formatted(name, policy.provider()));
    }

    @Override
    public @Nullable Map<String, Object> credentials(
            PoolName pool, EnvironmentName environment, @Nullable String profile) {
        var configured = configuration.get().pools().get(pool);
        return configured == null ? null : configured.provider().standingCredentials(environment.value(), profile);
    }

    @Override
    public StepResult.@Nullable Access refresh(
            Allocation allocation, Grant grant, Duration timeout, BooleanSupplier held)
            throws InterruptedException, Provider.RefreshFailed {
        Provider provider;
        try {
            provider = provider(allocation.pool());
        } catch (IllegalStateException e) {
            throw new Provider.RefreshFailed(String.valueOf(e.getMessage()));
        }
        var id = allocation.id().value();
        return provider.refresh(new Task(
                grant.environment().value(),
                JsonMapper.shared().readValue(grant.facts(), OBJECT),
                grant.epoch(),
                new Task.Holder(id, allocation.request().requester(), allocation.principal(), grant.profile()),
                "refresh-" + id,
                timeout,
                held));
    }

    @Override
    public Map<String, String> variables(PoolName pool) {
        var configured = configuration.get().pools().get(pool);
        return configured == null ? Map.of() : configured.variables();
    }
}
