package dev.berth.server.auth;

import com.google.crypto.tink.Aead;
import com.google.crypto.tink.Configuration;
import com.google.crypto.tink.InsecureSecretKeyAccess;
import com.google.crypto.tink.KeysetHandle;
import com.google.crypto.tink.RegistryConfiguration;
import com.google.crypto.tink.TinkJsonProtoKeysetFormat;
import com.google.crypto.tink.aead.AeadConfig;
import com.google.crypto.tink.aead.PredefinedAeadParameters;
import dev.berth.core.AllocationId;
import dev.berth.core.EnvironmentName;
import dev.berth.core.Sealed;
import dev.berth.providers.StepResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Encrypts access, and the secrets of access keys, before they are stored. Each text is bound to what it is of (allocation, environment
 * and epoch; or the key's id), so that one that is moved to another row does not open. AES-256-GCM of Tink, whose key set names the key in each text: a key can be replaced while older texts
 * still open.
 */
public final class AccessVault {
    private static final Logger LOG = LoggerFactory.getLogger(AccessVault.class);
    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

    private static final byte[] CHECKED = "berth key check".getBytes(StandardCharsets.US_ASCII);
    /** How Tink's texts begin: a version, and the number of the key. */
    private static final int KEY_NUMBER_BYTES = 5;

    private final Aead aead;
    private final JsonMapper json = JsonMapper.builder().build();

    private AccessVault(Aead aead) {
        this.aead = aead;
    }

    /** The vault's key cannot be used. The message says what to do, and has no secret in it. */
    public static final class UnusableKey extends Exception {
        private static final long serialVersionUID = 1L;

        UnusableKey(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Opens the vault with the key of this file, which is made where it is missing.
     *
     * @throws UnusableKey where it cannot be read or is no key
     */
    public static AccessVault open(Path keyFile) throws UnusableKey {
        return with(keyFile, tink -> {
            if (Files.notExists(keyFile)) {
                write(keyFile, KeysetHandle.generateNew(PredefinedAeadParameters.AES256_GCM, tink), tink);
            }
            return new AccessVault(read(keyFile, tink).getPrimitive(tink, Aead.class));
        });
    }

    /** What became of a key file. */
    public enum Rotation {
        /** It has one more key, which encrypts nothing yet. */
        PREPARED,
        /** That was so already. */
        PREPARED_BEFORE,
        /** Another key encrypts what comes; those before it still open what they encrypted. */
        ROTATED
    }

    /**
     * Has another key encrypt what comes: one that was prepared, or else a new one. The file is replaced as a whole or not at all.
     *
     * @param prepare only to add the key, so that all who share a store can open what it will encrypt before one of them uses it
     * @throws UnusableKey where the file is missing, cannot be read or written, or is no key
     */
    public static Rotation rotate(Path keyFile, boolean prepare) throws UnusableKey {
        return with(keyFile, tink -> {
            var keys = read(keyFile, tink);
            var next = KeysetHandle.newBuilder(keys);
            int last = keys.size() - 1;
            boolean prepared = !keys.getAt(last).isPrimary();
            if (prepare && prepared) {
                return Rotation.PREPARED_BEFORE;
            }
            if (!prepared) {
                next.addEntry(KeysetHandle.generateEntryFromParameters(PredefinedAeadParameters.AES256_GCM)
                        .withRandomId());
            }
            if (!prepare) {
                next.getAt(next.size() - 1).makePrimary();
            }
            write(keyFile, next.build(), tink);
            return prepare ? Rotation.PREPARED : Rotation.ROTATED;
        });
    }

    @FunctionalInterface
    private interface Work<T> {
        T with(Configuration tink) throws IOException, GeneralSecurityException;
    }

    private static <T> T with(Path keyFile, Work<T> work) throws UnusableKey {
        try {
            AeadConfig.register();
            return work.with(RegistryConfiguration.get());
        } catch (IOException e) {
            throw new UnusableKey("the key file " + keyFile + " cannot be read or made: " + e.getMessage(), e);
        } catch (GeneralSecurityException e) {
            throw new UnusableKey("the key file " + keyFile + " holds no usable key", e);
        }
    }

    private static KeysetHandle read(Path keyFile, Configuration tink) throws IOException, GeneralSecurityException {
        return TinkJsonProtoKeysetFormat.parseKeyset(Files.readString(keyFile), tink, InsecureSecretKeyAccess.get());
    }

    private static void write(Path keyFile, KeysetHandle keys, Configuration tink)
            throws IOException, GeneralSecurityException {
        var text = TinkJsonProtoKeysetFormat.serializeKeyset(keys, tink, InsecureSecretKeyAccess.get());
        PrivateFile.write(keyFile, text.getBytes(StandardCharsets.UTF_8));
    }

    /** A text by which another vault can tell whether it opens what this one seals. */
    public String check() {
        try {
            return Base64.getEncoder().withoutPadding().encodeToString(aead.encrypt(CHECKED, CHECKED));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("nothing can be encrypted", e);
        }
    }

    /** How this vault's key compares with the one that a check was made with. */
    public enum Fit {
        SAME,
        /** It opens what that one sealed, and seals with another. */
        NEWER,
        NONE
    }

    /** Compares. */
    public Fit fit(String check) {
        try {
            var bytes = Base64.getDecoder().decode(check);
            aead.decrypt(bytes, CHECKED);
            var own = Base64.getDecoder().decode(check());
            return Arrays.equals(own, 0, KEY_NUMBER_BYTES, bytes, 0, KEY_NUMBER_BYTES) ? Fit.SAME : Fit.NEWER;
        } catch (GeneralSecurityException | IllegalArgumentException _) {
            return Fit.NONE;
        }
    }

    /** Encrypts what was issued. */
    public Sealed seal(AllocationId allocation, EnvironmentName environment, long epoch, StepResult.Access access) {
        var plain = new LinkedHashMap<String, Object>();
        plain.put("credentials", access.credentials());
        if (access.connection() != null) {
            plain.put("connection", access.connection());
        }
        plain.put("env", access.env());
        try {
            var bytes = aead.encrypt(json.writeValueAsBytes(plain), binding(allocation, environment, epoch));
            return new Sealed(Base64.getEncoder().withoutPadding().encodeToString(bytes));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("access cannot be encrypted", e);
        }
    }

    /**
     * Decrypts it again.
     *
     * @return null where it was sealed with another key, for something else, or was changed
     */
    public @Nullable HolderAccess open(
            Sealed sealed, AllocationId allocation, EnvironmentName environment, long epoch) {
        Map<String, Object> plain;
        try {
            var bytes =
                    aead.decrypt(Base64.getDecoder().decode(sealed.text()), binding(allocation, environment, epoch));
            plain = json.readValue(bytes, OBJECT);
        } catch (GeneralSecurityException | IllegalArgumentException | JacksonException _) {
            // The cause is left out: it could quote what was decrypted.
            LOG.warn(
                    "the stored access of allocation {} to {} does not open: is it the key file that it was made with?",
                    allocation,
                    environment);
            return null;
        }
        var env = new LinkedHashMap<String, String>();
        object(plain.get("env")).forEach((name, value) -> env.put(name, String.valueOf(value)));
        return new HolderAccess(
                object(plain.get("credentials")),
                plain.containsKey("connection") ? object(plain.get("connection")) : null,
                env);
    }

    /** Encrypts the secret of an access key. */
    Sealed sealKey(String id, String secret) {
        try {
            var bytes = aead.encrypt(secret.getBytes(StandardCharsets.US_ASCII), binding(id));
            return new Sealed(Base64.getEncoder().withoutPadding().encodeToString(bytes));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the secret of an access key cannot be encrypted", e);
        }
    }

    /**
     * Decrypts it again.
     *
     * @return null where it was sealed with another key, for something else, or was changed
     */
    @Nullable
    String openKey(String id, Sealed sealed) {
        try {
            var bytes = aead.decrypt(Base64.getDecoder().decode(sealed.text()), binding(id));
            return new String(bytes, StandardCharsets.US_ASCII);
        } catch (GeneralSecurityException | IllegalArgumentException _) {
            LOG.warn("the stored secret of access key {} does not open: is it the key file that it was made with?", id);
            return null;
        }
    }

    private static byte[] binding(String accessKey) {
        return ("berth access key\n" + accessKey).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] binding(AllocationId allocation, EnvironmentName environment, long epoch) {
        return "berth access\n%s\n%s\n%d"
                .formatted(allocation, environment, epoch)
                .getBytes(StandardCharsets.UTF_8);
    }

    private static Map<String, Object> object(@Nullable Object value) {
        var fields = new LinkedHashMap<String, Object>();
        if (value instanceof Map<?, ?> map) {
            map.forEach((name, field) -> fields.put(String.valueOf(name), field));
        }
        return fields;
    }
}
