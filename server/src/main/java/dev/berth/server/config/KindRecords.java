package dev.berth.server.config;

import dev.berth.core.EnvironmentName;
import dev.berth.core.Registration;
import dev.berth.providers.Kind;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The records of a pool as its kind reads them, made when they are read: a million at once would fill the memory. */
final class KindRecords extends AbstractMap<String, Kind.Record> {
    private final Map<EnvironmentName, Registration> records;
    private final Map<EnvironmentName, EnvironmentSecrets> secrets;
    private final Json json;

    KindRecords(
            Map<EnvironmentName, Registration> records, Map<EnvironmentName, EnvironmentSecrets> secrets, Json json) {
        this.records = records;
        this.secrets = secrets;
        this.json = json;
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return get(key) != null;
    }

    @Override
    public Kind.@Nullable Record get(@Nullable Object key) {
        Registration record = key instanceof String name && EnvironmentName.isValid(name)
                ? records.get(new EnvironmentName(name))
                : null;
        return record == null ? null : of(record);
    }

    @Override
    public Set<Entry<String, Kind.Record>> entrySet() {
        return new AbstractSet<>() {
            @Override
            public Iterator<Entry<String, Kind.Record>> iterator() {
                return records.values().stream()
                        .map(record -> Map.entry(record.name().value(), of(record)))
                        .iterator();
            }

            @Override
            public int size() {
                return records.size();
            }
        };
    }

    private Kind.Record of(Registration record) {
        EnvironmentSecrets own = secrets.get(record.name());
        return new Kind.Record(
                json.read(record.facts()),
                own == null ? Kind.Secrets.NONE : revealed(own, record.shape().profiles()));
    }

    private static Kind.Secrets revealed(EnvironmentSecrets secrets, Set<String> profiles) {
        return new Kind.Secrets(
                revealed(secrets.own()),
                profiles.stream()
                        .collect(Collectors.toMap(
                                profile -> profile,
                                profile -> revealed(secrets.profiles().getOrDefault(profile, secrets.own())))));
    }

    private static Map<String, String> revealed(Map<String, Secret> secrets) {
        return secrets.entrySet().stream()
                .collect(Collectors.toMap(
                        Entry::getKey, secret -> secret.getValue().reveal()));
    }
}
