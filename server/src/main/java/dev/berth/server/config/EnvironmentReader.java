package dev.berth.server.config;

import dev.berth.core.EnvironmentName;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads the records of environments, one after the other, and keeps of each what is needed later: there can be a million. */
final class EnvironmentReader {
    static final int MOST = 1_000_000;
    static final int LARGEST_FACTS = 64 * 1024;

    private static final Pattern PLACE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:@-]{0,99}");
    /** What only those records have whose pool says of what kind they are. */
    private static final List<String> TELLING = List.of("name", "connection", "secrets", "access");

    private static final List<String> ROLES = List.of("admin_role", "admin_role_arn", "adminRoleArn");

    private final Mistakes mistakes;
    private final Json json;
    private final SecretReferences references;
    private final Capabilities capabilities;
    private final AccessReader access;
    private final List<Draft> drafts = new ArrayList<>();
    private final Map<String, PoolName> pools = new HashMap<>();
    private final Map<String, Integer> lineOfName = new HashMap<>();
    private final Map<String, Integer> lineOfIdentity = new HashMap<>();
    private final Map<EnvironmentName, EnvironmentSecrets> secrets = new HashMap<>();
    private final Map<String, Shape> shapes = new HashMap<>();
    private int count;

    EnvironmentReader(Mistakes mistakes, Json json, SecretReferences references) {
        this.mistakes = mistakes;
        this.json = json;
        this.references = references;
        this.capabilities = new Capabilities(mistakes);
        this.access = new AccessReader(mistakes, json, references);
    }

    /**
     * A record that is right by itself.
     *
     * @param founding whether it has the keys only that every environment of the default provider has
     */
    record Draft(PoolName pool, Registration registration, int line, int column, boolean founding) {}

    List<Draft> drafts() {
        return drafts;
    }

    /** The line of the record of a name; null where there is none. */
    @Nullable
    Integer lineOf(String name) {
        return lineOfName.get(name);
    }

    /** Of those that have some. */
    Map<EnvironmentName, EnvironmentSecrets> secrets() {
        return secrets;
    }

    void read(Yaml value) {
        int index = count++;
        String path = "environments[" + index + "]";
        if (index >= MOST) {
            if (index == MOST) {
                mistakes.add(value, "environments", "has more than " + MOST + " records");
            }
            return;
        }
        Section.of(path, value, Keys.ENVIRONMENT, mistakes).ifPresent(this::read);
    }

    private void read(Section record) {
        int before = mistakes.count();
        PoolName pool = pool(record);
        String account = place(record, "account");
        String region = place(record, "region");
        String name = name(record, account, region);
        AccessReader.Profiles profiles = access.read(record.path("access"), record.value("access"));
        Map<String, @Nullable Object> facts = facts(record, account, region, profiles);
        EnvironmentSecrets own = new EnvironmentSecrets(secrets(record), profiles.secrets());
        String identity = account != null && region != null ? account + "/" + region : name;
        unique(record, name, identity);
        String text = facts == null ? null : json.write(facts);
        if (text != null && text.length() > LARGEST_FACTS) {
            mistakes.add(record.mapping(), record.path(), "has more than 64 KiB");
        }
        if (mistakes.count() != before
                || pool == null
                || name == null
                || identity == null
                || facts == null
                || text == null) {
            return;
        }
        Shape shape = shape(facts, region, profiles);
        Registration registration = new Registration(
                new EnvironmentName(name),
                identity,
                account,
                shape,
                text,
                Configuration.digestOf(identity + "\n" + shape.digest() + "\n" + text));
        if (!own.isEmpty()) {
            secrets.put(registration.name(), own);
        }
        drafts.add(new Draft(
                pool,
                registration,
                record.mapping().line(),
                record.mapping().column(),
                TELLING.stream().noneMatch(record::has)));
    }

    private Map<String, Secret> secrets(Section record) {
        Yaml value = record.value("secrets");
        return value == null ? Map.of() : references.byName(record.path("secrets"), value);
    }

    /** Many environments share a shape. */
    private Shape shape(Map<String, @Nullable Object> facts, @Nullable String region, AccessReader.Profiles profiles) {
        Shape shape = Shape.of(
                facts.get("capabilities") instanceof Map<?, ?> own ? Capabilities.values(own) : Map.of(),
                region == null ? Map.of() : Map.of("region", region),
                profiles.facts().keySet());
        return shapes.computeIfAbsent(shape.digest(), _ -> shape);
    }

    private @Nullable PoolName pool(Section record) {
        String text = record.require("pool", "every environment is in one") ? record.text("pool", 1000) : null;
        if (text != null && !PoolName.isValid(text)) {
            record.mistake("pool", "is not a pool name: 1 to 100 letters, digits, '.', '_' or '-' are");
            return null;
        }
        return text == null ? null : pools.computeIfAbsent(text, PoolName::new);
    }

    private static @Nullable String place(Section record, String key) {
        String text = record.text(key, 1000);
        if (text != null && !PLACE.matcher(text).matches()) {
            record.mistake(key, "must be 1 to 100 letters, digits, '.', '_', '-', ':' or '@'");
            return null;
        }
        return text;
    }

    private static @Nullable String name(Section record, @Nullable String account, @Nullable String region) {
        if (record.has("name")) {
            String text = record.text("name", 1000);
            if (text != null && !EnvironmentName.isValid(text)) {
                record.mistake(
                        "name", "is not an environment name: 1 to 200 letters, digits, '.', '_', '-', ':' or '@' are");
                return null;
            }
            return text;
        }
        if (record.has("account") && record.has("region")) {
            String made = account + "-" + region;
            if (account == null || region == null) {
                return null;
            }
            if (EnvironmentName.isValid(made)) {
                return made;
            }
            record.mistake("name", "is missing: account and region are too long to make one of them");
            return null;
        }
        record.require("name", "give one, or both account and region");
        return null;
    }

    /** Null where something is wrong, which is noted. */
    private @Nullable Map<String, @Nullable Object> facts(
            Section record, @Nullable String account, @Nullable String region, AccessReader.Profiles profiles) {
        int before = mistakes.count();
        Map<String, @Nullable Object> facts = new TreeMap<>();
        if (account != null) {
            facts.put("account", account);
        }
        if (region != null) {
            facts.put("region", region);
        }
        String role = role(record);
        if (role != null) {
            facts.put("adminRoleArn", role);
        }
        facts.put("capabilities", capabilities(record));
        connection(record, facts);
        if (record.has("access")) {
            facts.put("access", profiles.facts());
        }
        return mistakes.count() == before ? facts : null;
    }

    private Map<String, @Nullable Object> capabilities(Section record) {
        Yaml value = record.value("capabilities");
        if (value == null) {
            return Map.of();
        }
        int before = mistakes.count();
        capabilities.check(record.path("capabilities"), value);
        return mistakes.count() == before
                ? json.object(record.path("capabilities"), value, true).orElse(Map.of())
                : Map.of();
    }

    private void connection(Section record, Map<String, @Nullable Object> facts) {
        Yaml value = record.value("connection");
        if (value == null) {
            return;
        }
        String path = record.path("connection");
        json.object(path, value, false).ifPresent(object -> {
            facts.put("connection", object);
            Suspects.warn(mistakes, path, value, object.keySet());
        });
    }

    private static @Nullable String role(Section record) {
        List<String> given = ROLES.stream().filter(record::has).toList();
        if (given.isEmpty()) {
            return null;
        }
        if (given.size() > 1) {
            record.mistake(given.get(1), "says the same as " + given.getFirst() + ": keep one of them");
            return null;
        }
        String key = given.getFirst();
        String role = record.text(key, 2048);
        if (role != null && !role.toLowerCase(Locale.ROOT).startsWith("arn:")) {
            record.mistake(key, "must be the ARN of a role, like arn:aws:iam::111111111111:role/Admin");
            return null;
        }
        return role;
    }

    private void unique(Section record, @Nullable String name, @Nullable String identity) {
        int line = record.mapping().line();
        boolean placed = identity != null && !identity.equals(name);
        Integer twin = placed ? lineOfIdentity.putIfAbsent(identity, line) : null;
        Integer namesake = name == null ? null : lineOfName.putIfAbsent(name, line);
        if (twin != null) {
            record.mistake("account", "and region are those of the record on line " + twin + ": one record for each");
        }
        if (namesake != null && !namesake.equals(twin)) {
            record.mistake("name", "'" + name + "' is the name of the record on line " + namesake + " too");
        }
    }
}
