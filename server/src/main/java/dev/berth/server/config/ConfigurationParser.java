package dev.berth.server.config;

import dev.berth.core.EnvironmentName;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Step;
import dev.berth.providers.Kind;
import dev.berth.providers.Provider;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads a configuration and checks the whole of it before any of it is used. */
public final class ConfigurationParser {
    /** The most characters a file may have, and as many again that its aliases repeat. A million short records fit. */
    public static final int LARGEST = 64 * 1024 * 1024;

    static final String TOP_LEVEL = "it has the keys " + String.join(", ", Keys.TOP.names());

    /** What differs in what requests can ask for, in one pool: all of it is looked at to find an environment. */
    static final int MOST_SHAPES = 1000;

    private static final int MOST_POOLS = 10_000;

    private final String text;
    private final Mistakes mistakes = new Mistakes();
    private final Json json = new Json(mistakes);
    private final SecretReferences references;
    private final PoolReader poolReader;
    private final EnvironmentReader environments;

    /** Drafts of pools by name; null for one that is there but not usable. */
    private final Map<PoolName, PoolReader.@Nullable Draft> pools = new LinkedHashMap<>();

    private final Set<PoolName> declared = new LinkedHashSet<>();

    private ConfigurationParser(
            String text, Path baseFolder, Function<String, @Nullable String> env, Collection<Kind> kinds) {
        this.text = text;
        this.references = new SecretReferences(baseFolder.toAbsolutePath(), env, mistakes);
        this.poolReader = new PoolReader(
                kinds.stream().collect(Collectors.toMap(Kind::name, Function.identity())), mistakes, json);
        this.environments = new EnvironmentReader(mistakes, json, references);
    }

    /**
     * Reads a configuration.
     *
     * @param baseFolder what the paths of secret files are relative to: the folder of the file
     * @param env the variables that references to secrets name; null for one that is not set
     * @param kinds the kinds of environments there are
     * @throws ConfigurationInvalid with every mistake, in the order of the file
     */
    public static Configuration parse(
            String text, Path baseFolder, Function<String, @Nullable String> env, Collection<Kind> kinds)
            throws ConfigurationInvalid {
        return new ConfigurationParser(text.startsWith("\uFEFF") ? text.substring(1) : text, baseFolder, env, kinds)
                .parse(Configuration.digestOf(text));
    }

    private Configuration parse(String digest) throws ConfigurationInvalid {
        if (text.length() > LARGEST) {
            mistakes.add(1, 1, "", "has more than " + LARGEST + " characters");
            mistakes.throwIfAny();
        }
        Yaml.Mapping root = new YamlReader(text, LARGEST, mistakes).read("environments", environments::read);
        Section top =
                root == null ? null : Section.of("", root, Keys.TOP, mistakes).orElse(null);
        if (top == null) {
            mistakes.throwIfAny();
            throw new IllegalStateException("a file without a top level is a mistake");
        }
        readPools(top.value("pools"));
        readEnvironments(top.value("environments"));
        assign();
        Map<PoolName, ConfiguredPool> configured = configure();
        PrincipalReader principalReader =
                new PrincipalReader(mistakes, references, name -> pools.containsKey(new PoolName(name)));
        Map<String, ConfiguredPrincipal> principals = principalReader.read(top.value("principals"));
        poolReader.check(principalReader::isNamed);
        Callers callers = new CallersReader(mistakes).read(top);
        AwsCallers awsCallers = AwsCallersReader.read(top);
        mistakes.throwIfAny();
        return new Configuration(
                digest, configured, environments.secrets(), principals, callers, awsCallers, mistakes.warnings());
    }

    private void readPools(@Nullable Yaml value) {
        if (value == null) {
            return;
        }
        if (!(value instanceof Yaml.Mapping mapping) || mapping.entries().size() > MOST_POOLS) {
            mistakes.add(value, "pools", "must be a mapping of at most " + MOST_POOLS + " names to pools, {} for none");
            return;
        }
        for (Yaml.Entry entry : Section.unique("pools", mapping, mistakes)) {
            String path = "pools." + Keys.shown(entry.key().text());
            String name = Section.text(entry.key(), path, 1000, mistakes);
            if (name == null) {
                continue;
            }
            if (!PoolName.isValid(name)) {
                mistakes.add(entry.key(), path, "is not a pool name: 1 to 100 letters, digits, '.', '_' or '-' are");
                continue;
            }
            PoolName pool = new PoolName(name);
            declared.add(pool);
            pools.put(pool, poolReader.read(pool, path, entry.value()));
        }
    }

    private void readEnvironments(@Nullable Yaml value) {
        if (value instanceof Yaml.Sequence list) {
            list.items().forEach(environments::read); // those of an alias: others were read as they came
        } else if (value != null) {
            mistakes.add(value, "environments", "must be a list, [] for none");
        }
    }

    /** Gives each record its pool, and a pool that is not declared its defaults. */
    private void assign() {
        for (EnvironmentReader.Draft record : environments.drafts()) {
            PoolName name = record.pool();
            if (!declared.contains(name) && (!pools.containsKey(name) || !record.founding())) {
                boolean first = !pools.containsKey(name);
                if (record.founding()) {
                    Yaml.Mapping nothing = new Yaml.Mapping(record.line(), record.column(), 0, 0, List.of());
                    pools.put(name, poolReader.read(name, "pools." + name, nothing));
                } else {
                    pools.put(name, null);
                    if (first) {
                        mistakes.add(
                                record.line(),
                                record.column(),
                                "pools." + name,
                                "is missing: declare the pool with its provider, which cannot be told from this record");
                    }
                }
            }
            PoolReader.Draft pool = pools.get(name);
            EnvironmentSecrets secrets =
                    environments.secrets().get(record.registration().name());
            if (pool != null && pool.revocable() && secrets != null) {
                mistakes.add(
                        record.line(),
                        record.column(),
                        "environments." + record.registration().name()
                                + (secrets.own().isEmpty() ? ".access" : ".secrets"),
                        "cannot be taken back once handed out: pool " + name + " must say revocable: false");
            }
        }
    }

    private Map<PoolName, ConfiguredPool> configure() {
        Map<PoolName, Map<EnvironmentName, Registration>> records = new LinkedHashMap<>();
        for (EnvironmentReader.Draft record : environments.drafts()) {
            records.computeIfAbsent(record.pool(), _ -> new LinkedHashMap<>())
                    .put(record.registration().name(), record.registration());
        }
        Map<PoolName, ConfiguredPool> configured = new LinkedHashMap<>();
        pools.forEach((name, draft) -> {
            Map<EnvironmentName, Registration> own = records.getOrDefault(name, Map.of());
            if (draft != null) {
                count(draft, own.values());
            }
            Provider provider = draft == null ? null : provider(draft, own);
            if (draft != null && provider != null) {
                warn(draft, provider, own.isEmpty());
                configured.put(
                        name,
                        new ConfiguredPool(
                                name,
                                draft.policy().apply(provider.steps()),
                                draft.revocable(),
                                draft.variables(),
                                own,
                                provider));
            }
        });
        keepTogether(configured);
        return configured;
    }

    /** A pool that isolates accounts sees its own environments alone: those of another pool would be lent beside them. */
    private void keepTogether(Map<PoolName, ConfiguredPool> configured) {
        Map<String, PoolName> isolated = new HashMap<>();
        for (EnvironmentReader.Draft record : environments.drafts()) {
            ConfiguredPool pool = configured.get(record.pool());
            String account = record.registration().account();
            if (account != null && pool != null && pool.policy().isolates()) {
                isolated.put(account, record.pool());
            }
        }
        for (EnvironmentReader.Draft record : environments.drafts()) {
            PoolName pool = isolated.get(String.valueOf(record.registration().account()));
            if (pool != null && !pool.equals(record.pool())) {
                mistakes.add(
                        record.line(),
                        record.column(),
                        "environments." + record.registration().name() + ".pool",
                        "must be '%s', which lends one environment of account %s at a time (isolate: account)"
                                .formatted(pool, record.registration().account()));
            }
        }
    }

    private void count(PoolReader.Draft pool, Collection<Registration> records) {
        Set<String> shapes = HashSet.newHashSet(MOST_SHAPES);
        records.forEach(record -> shapes.add(record.shape().digest()));
        if (shapes.size() > MOST_SHAPES) {
            mistakes.add(
                    pool.at(),
                    "pools." + pool.name(),
                    "has environments of %d different kinds by their capabilities, region and access profiles, may have %d: leave out capabilities like serial numbers, and have requests use constraints on name for them"
                            .formatted(shapes.size(), MOST_SHAPES));
        }
    }

    private @Nullable Provider provider(PoolReader.Draft pool, Map<EnvironmentName, Registration> own) {
        try {
            return pool.kind()
                    .create(
                            pool.name().value(),
                            json.read(pool.settings()),
                            new KindRecords(own, environments.secrets(), json));
        } catch (Kind.InvalidSettings e) {
            for (Kind.Mistake mistake : e.mistakes()) {
                note(pool, mistake);
            }
            return null;
        }
    }

    /** Finds the line of what a kind complains of. */
    private void note(PoolReader.Draft pool, Kind.Mistake mistake) {
        String field = mistake.field();
        if (field.startsWith("environments.")) {
            String rest = field.substring("environments.".length());
            for (int end = rest.length(); end > 0; end = rest.lastIndexOf('.', end - 1)) {
                Integer line = environments.lineOf(rest.substring(0, end));
                if (line != null) {
                    mistakes.add(line, 1, field, mistake.message());
                    return;
                }
            }
        }
        mistakes.add(
                Places.find(pool.own(), field),
                field.isEmpty() ? pool.path() : Section.child(pool.path(), field),
                mistake.message());
    }

    private void warn(PoolReader.Draft pool, Provider provider, boolean empty) {
        String path = "pools." + pool.name();
        if (empty) {
            mistakes.warn(pool.at().line(), path, "has no environments");
        }
        Set<Step> steps = provider.steps();
        for (Step step : pool.spokenOf()) {
            if (!steps.contains(step)) {
                mistakes.warn(
                        pool.at().line(),
                        Section.child(path, PoolReader.key(step)),
                        "has no effect: its environments have no such step");
            }
        }
        if (pool.revocable() && steps.contains(Step.ISSUE) && !steps.contains(Step.REVOKE)) {
            mistakes.warn(
                    pool.at().line(),
                    path,
                    "issues access and has nothing to revoke it: if it hands out secrets, say revocable: false");
        }
    }
}
