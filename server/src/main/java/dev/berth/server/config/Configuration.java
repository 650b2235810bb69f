package dev.berth.server.config;

import dev.berth.core.EnvironmentName;
import dev.berth.core.PoolName;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A whole configuration, checked and immutable. */
public final class Configuration {
    private final String digest;
    private final Map<PoolName, ConfiguredPool> pools;
    private final Map<EnvironmentName, EnvironmentSecrets> secrets;
    private final Map<String, ConfiguredPrincipal> principals;
    private final Callers callers;
    private final AwsCallers awsCallers;
    private final List<String> warnings;

    Configuration(
            String digest,
            Map<PoolName, ConfiguredPool> pools,
            Map<EnvironmentName, EnvironmentSecrets> secrets,
            Map<String, ConfiguredPrincipal> principals,
            Callers callers,
            AwsCallers awsCallers,
            List<String> warnings) {
        this.digest = digest;
        this.pools = Collections.unmodifiableMap(new LinkedHashMap<>(pools));
        this.secrets = Map.copyOf(secrets);
        this.principals = Collections.unmodifiableMap(new LinkedHashMap<>(principals));
        this.callers = callers;
        this.awsCallers = awsCallers;
        this.warnings = List.copyOf(warnings);
    }

    /** A configuration of nothing: what is in force before the first one. */
    public static Configuration empty() {
        return new Configuration(
                digestOf(""), Map.of(), Map.of(), Map.of(), Callers.USUAL, AwsCallers.USUAL, List.of());
    }

    /** SHA-256 of the text in UTF-8, in lower-case hexadecimal. */
    public static String digestOf(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** {@linkplain #digestOf The digest} of the text that this was read from. */
    public String digest() {
        return digest;
    }

    /** Every pool that the file declares or that a record names; declared ones first, in the order of the file. */
    public Map<PoolName, ConfiguredPool> pools() {
        return pools;
    }

    /** The secrets of an environment by name, but for those of its access profiles, resolved; empty where it has none. */
    public Map<String, Secret> secrets(EnvironmentName environment) {
        return secrets.getOrDefault(environment, EnvironmentSecrets.NONE).own();
    }

    public Map<String, ConfiguredPrincipal> principals() {
        return principals;
    }

    public Callers callers() {
        return callers;
    }

    public AwsCallers awsCallers() {
        return awsCallers;
    }

    /** What is no mistake, yet perhaps not what was meant: sentences that begin with their line. */
    public List<String> warnings() {
        return warnings;
    }

    /** Without secrets. */
    @Override
    public String toString() {
        return "Configuration[" + digest + ", pools " + pools.values() + ", principals " + principals.keySet() + "]";
    }
}
