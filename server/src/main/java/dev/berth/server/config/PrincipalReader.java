package dev.berth.server.config;

import dev.berth.core.PoolName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads who may call. */
final class PrincipalReader {
    static final int MOST = 10_000;

    private static final int MOST_TOKENS = 5;
    private static final int USUAL_TOKEN = 20;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@-]{0,99}");

    private static final Pattern ACCOUNT = Pattern.compile("[0-9]{12}");
    private static final Pattern ROLE = Pattern.compile("[A-Za-z0-9_+=,.@*-]{1,128}");
    private static final Pattern ARN = Pattern.compile("arn:[a-z*-]{1,20}:(sts|iam|\\*)::[0-9*]{1,12}:[!-~]{1,1000}");
    private static final Pattern ARN_OF_ACCOUNT =
            Pattern.compile("arn:[a-z-]{1,20}:(sts|iam)::[0-9]{12}:[!-~]{1,1000}");

    private final Mistakes mistakes;
    private final SecretReferences references;
    private final Predicate<String> pools;
    private final Map<String, ConfiguredPrincipal> principals = new LinkedHashMap<>();
    private final Map<String, Integer> lines = new HashMap<>();
    private final Map<Secret, String> owners = new HashMap<>();

    /** @param pools whether a pool of this name is declared or has a record */
    PrincipalReader(Mistakes mistakes, SecretReferences references, Predicate<String> pools) {
        this.mistakes = mistakes;
        this.references = references;
        this.pools = pools;
    }

    Map<String, ConfiguredPrincipal> read(@Nullable Yaml value) {
        if (value instanceof Yaml.Sequence list && list.items().size() <= MOST) {
            for (int i = 0; i < list.items().size(); i++) {
                Section.of("principals[" + i + "]", list.items().get(i), Keys.PRINCIPAL, mistakes)
                        .ifPresent(this::read);
            }
        } else if (value != null) {
            mistakes.add(value, "principals", "must be a list of at most " + MOST + ", [] for none");
        }
        return principals;
    }

    /** Whether one of this name is there, perhaps with mistakes; the built-in one is. */
    boolean isNamed(String name) {
        return lines.containsKey(name) || name.equals(ConfiguredPrincipal.RESERVED);
    }

    private void read(Section section) {
        int before = mistakes.count();
        String name = name(section);
        Set<String> roles = roles(section);
        Set<PoolName> usable = pools(section, roles);
        List<Secret> own = tokens(section, name);
        ConfiguredPrincipal.Aws aws = aws(section.section("aws", Keys.PRINCIPAL_AWS));
        if (mistakes.count() == before && name != null) {
            principals.put(name, new ConfiguredPrincipal(name, roles, usable, own, aws));
        }
    }

    private @Nullable String name(Section section) {
        String name = section.require("name", "every principal has one") ? section.text("name", 1000) : null;
        if (name == null) {
            return null;
        }
        if (!NAME.matcher(name).matches()) {
            section.mistake("name", "must be 1 to 100 letters, digits, '.', '_', '@' or '-'");
        } else if (name.equals(ConfiguredPrincipal.RESERVED)) {
            section.mistake("name", "'" + ConfiguredPrincipal.RESERVED + "' is the built-in principal: take another");
        } else {
            Integer first = lines.putIfAbsent(name, section.mapping().line());
            if (first != null) {
                section.mistake("name", "'" + name + "' is the name of the principal on line " + first + " too");
            }
        }
        return name;
    }

    private Set<String> roles(Section section) {
        if (!section.require("roles", "some of " + String.join(", ", ConfiguredPrincipal.ROLES))) {
            return Set.of();
        }
        Set<String> roles = new LinkedHashSet<>();
        words(section, "roles", (at, path, role) -> {
            if (ConfiguredPrincipal.ROLES.contains(role)) {
                roles.add(role);
            } else {
                mistakes.add(at, path, "'" + Keys.shown(role) + "' " + Keys.unknown(role, ConfiguredPrincipal.ROLES));
            }
        });
        return roles;
    }

    private Set<PoolName> pools(Section section, Set<String> roles) {
        if (roles.contains("consumer") && !section.has("pools")) {
            section.require("pools", "a consumer uses only those that are named here");
        }
        if (section.has("pools") && !roles.isEmpty() && !roles.contains("consumer")) {
            section.warn("pools", "has no effect: it says what a consumer may use");
        }
        Set<PoolName> own = new LinkedHashSet<>();
        words(section, "pools", (at, path, pool) -> {
            if (PoolName.isValid(pool) && pools.test(pool)) {
                own.add(new PoolName(pool));
            } else {
                mistakes.add(at, path, "'" + Keys.shown(pool) + "' is not a pool of this file");
            }
        });
        return own;
    }

    private ConfiguredPrincipal.@Nullable Aws aws(@Nullable Section section) {
        if (section == null) {
            return null;
        }
        Set<String> accounts = new LinkedHashSet<>();
        words(section, "accounts", (at, path, account) -> {
            if (ACCOUNT.matcher(account).matches()) {
                accounts.add(account);
            } else {
                mistakes.add(at, path, "'" + Keys.shown(account) + "' is not an account number: twelve digits, quoted");
            }
        });
        List<String> roles = new ArrayList<>();
        words(section, "roles", (at, path, role) -> {
            if (ROLE.matcher(role).matches()) {
                roles.add(role);
            } else {
                mistakes.add(
                        at,
                        path,
                        "must be the name of a role, without path and ARN, where '*' stands for any characters");
            }
        });
        List<String> arns = new ArrayList<>();
        boolean bare = !section.has("accounts");
        words(section, "principals", (at, path, arn) -> {
            if (!(bare ? ARN_OF_ACCOUNT : ARN).matcher(arn).matches()) {
                mistakes.add(
                        at,
                        path,
                        "must be an ARN as GetCallerIdentity tells it, like arn:aws:sts::222222222222:assumed-role/ci/*,"
                                + (bare ? " with its account, since no accounts are named" : " of STS or IAM"));
            } else {
                arns.add(arn);
            }
        });
        if (bare && !section.has("principals")) {
            section.mistake("accounts", "is missing: say which accounts, or which principals");
        }
        return new ConfiguredPrincipal.Aws(accounts, roles, arns);
    }

    private interface Word {
        void found(Yaml at, String path, String word);
    }

    private void words(Section section, String key, Word word) {
        Yaml value = section.value(key);
        if (value == null) {
            return;
        }
        if (!(value instanceof Yaml.Sequence list) || list.items().isEmpty()) {
            section.mistake(key, "must be a list of at least one name");
            return;
        }
        for (int i = 0; i < list.items().size(); i++) {
            String path = section.path(key) + "[" + i + "]";
            Yaml item = list.items().get(i);
            String text = Section.text(item, path, 1000, mistakes);
            if (text != null) {
                word.found(item, path, text);
            }
        }
    }

    /** One, or several while one takes the place of another. */
    private List<Secret> tokens(Section section, @Nullable String name) {
        Yaml value = section.value("token");
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof Yaml.Sequence list)) {
            Secret token = token(section.path("token"), value, name);
            return token == null ? List.of() : List.of(token);
        }
        if (list.items().isEmpty() || list.items().size() > MOST_TOKENS) {
            section.mistake("token", "must be a reference, or a list of 1 to " + MOST_TOKENS);
            return List.of();
        }
        List<Secret> all = new ArrayList<>();
        for (int i = 0; i < list.items().size(); i++) {
            Secret token =
                    token(section.path("token") + "[" + i + "]", list.items().get(i), name);
            if (token != null) {
                all.add(token);
            }
        }
        return all;
    }

    private @Nullable Secret token(String path, Yaml value, @Nullable String name) {
        Secret token = references.resolve(path, value);
        if (token == null) {
            return null;
        }
        String text = token.reveal();
        if (!text.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            mistakes.add(value, path, "has characters that no Authorization header carries: ASCII without blanks is");
            return null;
        }
        if (text.length() < USUAL_TOKEN) {
            mistakes.warn(value.line(), path, "is shorter than " + USUAL_TOKEN + " characters: it can be guessed");
        }
        if (owners.putIfAbsent(token, name == null ? "" : name) != null) {
            mistakes.add(value, path, "is another's too, or given twice: a token names one principal");
        }
        return token;
    }
}
