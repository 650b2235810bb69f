package dev.berth.server.app;

import dev.berth.providers.Kind;
import dev.berth.server.config.Configuration;
import dev.berth.server.config.ConfigurationChange;
import dev.berth.server.config.ConfigurationInvalid;
import dev.berth.server.config.ConfigurationParser;
import dev.berth.server.http.ConfigurationDesk;
import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Holds the configuration in force, and decides whether another one comes into force. */
final class ConfigurationKeeper implements ConfigurationDesk {
    private static final Logger LOG = LoggerFactory.getLogger(ConfigurationKeeper.class);

    private final Store store;
    private final TimeSource time;
    private final Collection<Kind> kinds;
    private final Path folder;
    private final Runnable onChange;
    private final AtomicReference<Configuration> inForce = new AtomicReference<>(Configuration.empty());
    /** Of the row that was read last. */
    private long sequence;

    private volatile boolean loaded = true;

    /**
     * @param folder what file references in a configuration are relative to
     * @param onChange called when another configuration came into force
     */
    ConfigurationKeeper(Store store, TimeSource time, Collection<Kind> kinds, Path folder, Runnable onChange) {
        this.store = store;
        this.time = time;
        this.kinds = List.copyOf(kinds);
        this.folder = folder;
        this.onChange = onChange;
    }

    Configuration inForce() {
        return inForce.get();
    }

    /** Whether what is in force in the store is what this process goes by. */
    boolean isLoaded() {
        return loaded;
    }

    /** Takes up what another process on the same store put in force. Tried again each time where it cannot be used here. */
    synchronized void follow() {
        var row = store.configuration();
        if (row.isEmpty() || (row.get().sequence() == sequence && loaded)) {
            return;
        }
        boolean known = row.get().sequence() == sequence;
        try {
            takeUp(row.get());
            onChange.run();
        } catch (ConfigurationInvalid e) {
            if (!known) {
                LOG.error("configuration {} is in force and cannot be used here: {}", sequence, e.getMessage());
            }
        }
    }

    /**
     * Takes up what was in force when the service stopped.
     *
     * @throws ConfigurationInvalid when it can be used no more (a secret's file is gone, say)
     */
    synchronized void resume() throws ConfigurationInvalid {
        var row = store.configuration();
        if (row.isPresent()) {
            takeUp(row.get());
        }
    }

    private void takeUp(Store.ConfigurationInForce row) throws ConfigurationInvalid {
        sequence = row.sequence();
        loaded = false;
        inForce.set(parse(row.text()));
        loaded = true;
    }

    @Override
    public synchronized Outcome diff(String yaml) {
        follow();
        try {
            var next = parse(yaml);
            return change(next, ConfigurationChange.between(inForce.get(), next));
        } catch (ConfigurationInvalid e) {
            return invalid(e);
        }
    }

    @Override
    public synchronized Outcome apply(String yaml, boolean allowRemovals, String principal) {
        follow();
        Configuration next;
        try {
            next = parse(yaml);
        } catch (ConfigurationInvalid e) {
            return invalid(e);
        }
        var change = ConfigurationChange.between(inForce.get(), next);
        if (!allowRemovals && !change.removals().isEmpty()) {
            return new MassRemoval(String.join("; ", change.removals()));
        }
        var row = store.configuration();
        if (row.isPresent() && row.get().digest().equals(next.digest())) {
            sequence = row.get().sequence();
        } else {
            sequence = store.putInForce(yaml, next.digest(), time.now()).sequence();
            LOG.info(
                    "configuration {} is in force, put there by {}",
                    next.digest().substring(0, 12),
                    principal);
        }
        inForce.set(next);
        loaded = true;
        next.warnings().forEach(warning -> LOG.warn("configuration: {}", warning));
        onChange.run();
        return change(next, change);
    }

    private Configuration parse(String yaml) throws ConfigurationInvalid {
        return ConfigurationParser.parse(yaml, folder, System::getenv, kinds);
    }

    private static Outcome invalid(ConfigurationInvalid e) {
        return new Invalid(e.mistakes().stream()
                .map(mistake -> new Mistake(mistake.line(), mistake.field(), mistake.message()))
                .toList());
    }

    private static Change change(Configuration next, ConfigurationChange change) {
        var pools = new ArrayList<String>();
        var register = new ArrayList<String>();
        var deregister = new ArrayList<String>();
        var changed = new ArrayList<String>();
        change.pools().forEach((name, pool) -> {
            if (pool.fate() != ConfigurationChange.Fate.KEPT) {
                pools.add(name.value());
            }
            pool.registered().forEach(environment -> register.add(environment.value()));
            pool.deregistered().forEach(environment -> deregister.add(environment.value()));
            pool.changed().forEach(environment -> changed.add(environment.value()));
        });
        return new Change(next.digest(), pools, register, deregister, changed);
    }
}
