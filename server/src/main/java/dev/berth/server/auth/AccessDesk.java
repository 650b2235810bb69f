package dev.berth.server.auth;

import dev.berth.core.Allocation;
import dev.berth.core.Grant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Finds what a holder is given: opens what was issued, or asks the configuration where nothing is. */
public final class AccessDesk {
    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};
    private static final String CREDENTIALS = "credentials.";
    private static final String CONNECTION = "connection.";

    private final AccessVault vault;
    private final StandingAccess standing;
    private final JsonMapper json = JsonMapper.builder().build();

    public AccessDesk(AccessVault vault, StandingAccess standing) {
        this.vault = vault;
        this.standing = standing;
    }

    HolderAccess of(Allocation allocation, Grant grant) {
        var given = given(allocation, grant);
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
            return vault.open(sealed, allocation.id(), grant.environment(), grant.epoch());
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
