package dev.berth.server.config;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** An object in S3 that a configuration is read from. What it looks like is asked of S3, which costs a little; so it is looked at seldom. */
public final class ConfigurationInS3 implements ConfigurationSource {
    private static final String SCHEME = "s3://";
    private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]");
    private static final int LONGEST_KEY = 1024;
    private static final Duration LOOKING = Duration.ofSeconds(10);
    private static final Duration CALL = Duration.ofSeconds(30);

    private final String bucket;
    private final String key;
    private final Supplier<S3Client> client;

    ConfigurationInS3(String bucket, String key, Supplier<S3Client> client) {
        this.bucket = bucket;
        this.key = key;
        this.client = client;
    }

    /** Whether this is meant to be in S3. */
    public static boolean isMeant(String text) {
        return text.startsWith(SCHEME);
    }

    /** Reads {@code s3://BUCKET/KEY}; empty where it is none. Credentials, region and endpoint are those of AWS's own tools. */
    public static Optional<ConfigurationInS3> of(String text) {
        int slash = text.indexOf('/', SCHEME.length());
        if (!isMeant(text) || slash < 0) {
            return Optional.empty();
        }
        String bucket = text.substring(SCHEME.length(), slash);
        String key = text.substring(slash + 1);
        boolean right = BUCKET.matcher(bucket).matches() && !key.isEmpty() && key.length() <= LONGEST_KEY;
        return right ? Optional.of(new ConfigurationInS3(bucket, key, new Made())) : Optional.empty();
    }

    /** Makes the client when it is needed first. Polled by one thread at a time. */
    private static final class Made implements Supplier<S3Client> {
        private @Nullable S3Client made;

        @Override
        public synchronized S3Client get() {
            S3Client client = made;
            if (client == null) {
                var builder = S3Client.builder()
                        .httpClient(UrlConnectionHttpClient.create())
                        .crossRegionAccessEnabled(true)
                        .overrideConfiguration(configuration -> configuration.apiCallTimeout(CALL));
                if (System.getenv("AWS_REGION") == null && System.getProperty("aws.region") == null) {
                    builder.region(Region.US_EAST_1); // it finds the bucket's own from there
                }
                client = builder.build();
                made = client;
            }
            return client;
        }
    }

    @Override
    public Path folder(Path data) {
        return data.toAbsolutePath();
    }

    @Override
    public Text read() throws IOException {
        try (var object =
                client.get().getObject(request -> request.bucket(bucket).key(key))) {
            byte[] bytes = object.readNBytes(ConfigurationParser.LARGEST + 1);
            if (bytes.length > ConfigurationParser.LARGEST) {
                object.abort();
                throw new IOException(this + " has more than " + ConfigurationParser.LARGEST + " bytes");
            }
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return new Text(
                    text,
                    version(object.response().versionId(), object.response().eTag()));
        } catch (CharacterCodingException e) {
            throw new IOException(this + " is not UTF-8", e);
        } catch (SdkException e) {
            throw failed(e);
        }
    }

    /** Of a bucket without versions the ETag: a digest of the content, or something like it. */
    private static @Nullable String version(@Nullable String versionId, @Nullable String eTag) {
        return versionId != null && !versionId.equals("null") ? versionId : eTag;
    }

    @Override
    public Map<String, Object> attributes() throws IOException {
        try {
            var head = client.get().headObject(request -> request.bucket(bucket).key(key));
            var attributes = new HashMap<String, Object>();
            if (head.eTag() != null) {
                attributes.put("etag", head.eTag());
                attributes.put("size", Objects.requireNonNullElse(head.contentLength(), 0L));
            }
            return attributes;
        } catch (SdkException e) {
            throw failed(e);
        }
    }

    private IOException failed(SdkException e) {
        return switch (e) {
            case NoSuchKeyException missing -> new IOException(this + " is not there", missing);
            case S3Exception refused
            when refused.statusCode() == 404 -> new IOException(this + " is not there", refused);
            case S3Exception refused
            when refused.statusCode() == 403 ->
                new IOException(
                        this + " may not be read: s3:GetObject is needed (and s3:ListBucket to tell what is missing)",
                        refused);
            default -> new IOException(this + " cannot be read: " + e.getMessage(), e);
        };
    }

    @Override
    public Duration apart() {
        return Duration.ZERO;
    }

    @Override
    public Duration looking() {
        return LOOKING;
    }

    @Override
    public String toString() {
        return SCHEME + bucket + "/" + key;
    }
}
