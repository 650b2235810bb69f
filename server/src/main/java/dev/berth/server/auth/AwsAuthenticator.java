package dev.berth.server.auth;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says who somebody is by what AWS says: {@code Authorization: Berth-AWS BASE64}, of the pre-signed URL of a GetCallerIdentity of STS, or
 * such a call in a body, which is exchanged for a token. It is called as it was signed, and STS names the caller; their keys are never seen
 * here. The call can be nothing else, leads to STS alone, and has to be signed for this service, by the header {@code x-berth-service}:
 * what was made for another one is refused by STS.
 */
public final class AwsAuthenticator {
    /** What a caller signs beside the host, so that a login is good for one service. */
    public static final String SERVICE_HEADER = "x-berth-service";

    private static final Logger LOG = LoggerFactory.getLogger(AwsAuthenticator.class);
    private static final String SCHEME = "Berth-AWS ";
    private static final int LARGEST_ANSWER = 64 << 10;
    private static final int MOST_ASKED = 32;
    private static final Duration SKEW = Duration.ofMinutes(5);
    /** What STS refused is not asked for again so soon. */
    private static final Duration REFUSED_FOR = Duration.ofMinutes(1);

    private static final Duration QUIET = Duration.ofMinutes(1);

    private static final Pattern IDENTITY = Pattern.compile(
            "<GetCallerIdentityResponse[ >].*<Arn>([^<]{1,2100})</Arn>.*</GetCallerIdentityResponse>", Pattern.DOTALL);

    private final Supplier<Settings> settings;
    private final Supplier<Directory> directory;
    private final Supplier<Instant> wall;
    private final Bounds bounds;
    private final Semaphore asking = new Semaphore(MOST_ASKED);
    private final Map<String, Known> known = new ConcurrentHashMap<>();
    /** The logins that were exchanged, and until when they would be good. */
    private final Map<String, Instant> spent = new ConcurrentHashMap<>();

    private volatile @Nullable HttpClient http;
    private volatile Instant quietUntil = Instant.MIN;

    /**
     * What the configuration says.
     *
     * @param service what has to be signed; null where nobody said what this service is called
     * @param endpoint where STS is in place of AWS's own; null for these
     * @param partition of AWS, in which callers are
     */
    public record Settings(
            @Nullable String service, @Nullable URI endpoint, String partition) {}

    /**
     * How far it goes.
     *
     * @param known logins that are remembered
     * @param patience with STS, for a whole answer
     */
    record Bounds(int known, Duration patience) {
        static final Bounds USUAL = new Bounds(10_000, Duration.ofSeconds(5));
    }

    /**
     * What STS said of a login.
     *
     * @param caller null where it was refused
     */
    private record Known(@Nullable AwsCaller caller, Instant until) {}

    /**
     * @param settings of now, asked for every request
     * @param wall the clock on the wall, which callers' clocks are held against
     */
    public AwsAuthenticator(Supplier<Settings> settings, Supplier<Directory> directory, Supplier<Instant> wall) {
        this(settings, directory, wall, Bounds.USUAL);
    }

    AwsAuthenticator(
            Supplier<Settings> settings, Supplier<Directory> directory, Supplier<Instant> wall, Bounds bounds) {
        this.settings = settings;
        this.directory = directory;
        this.wall = wall;
        this.bounds = bounds;
    }

    /**
     * Whether somebody means to say who they are to AWS.
     *
     * @param authorization the header; null where the request has none
     */
    public static boolean isMeant(@Nullable String authorization) {
        return authorization != null && authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
    }

    /** Says who sent this header. Blocks for some seconds at most, where STS is slow. */
    public Verdict check(String authorization) {
        return verdict(settings ->
                IdentityCall.ofHeader(authorization.substring(SCHEME.length()).strip(), settings.endpoint()));
    }

    /**
     * A signed call of STS as it comes in a body.
     *
     * @param headers by name, in any case; null for a pre-signed URL
     * @param body null for a pre-signed URL
     */
    public record Signed(
            String url,
            @Nullable Map<String, String> headers,
            @Nullable String body) {
        /** No signature prints. */
        @Override
        public String toString() {
            return "Signed[…]";
        }
    }

    /**
     * Says who signed this, once: it may be good for longer than what is given for it. Blocks as {@link #check(String)} does. Where
     * several processes serve, each may be asked once.
     */
    public Verdict exchange(Signed signed) {
        var now = settings.get();
        var verdict = verdict(_ -> call(signed, now));
        if (!(verdict instanceof Verdict.Known)) {
            return verdict;
        }
        var at = wall.get();
        var call = call(signed, now);
        if (call == null || !spend(digest(call.toText()), call.expiresAt(), at)) {
            return unknown("The login was exchanged before: make another one");
        }
        return verdict;
    }

    private static @Nullable IdentityCall call(Signed signed, Settings now) {
        var headers = signed.headers();
        var body = signed.body();
        var service = now.service();
        return headers == null || body == null || service == null
                ? IdentityCall.presigned(signed.url(), now.endpoint())
                : IdentityCall.posted(signed.url(), headers, body, now.endpoint(), service);
    }

    /** Whether it was not spent before. Those that are spent are as many as tokens were made in a quarter of an hour. */
    private boolean spend(String key, Instant until, Instant now) {
        spent.values().removeIf(end -> !now.isBefore(end));
        return spent.putIfAbsent(key, until) == null;
    }

    private Verdict verdict(Function<Settings, @Nullable IdentityCall> read) {
        var principals = directory.get();
        if (!principals.knowsCallersOfAws()) {
            return unknown("No principal of this service is known by its AWS identity");
        }
        var now = settings.get();
        if (now.service() == null) {
            return unknown("This service has no name that a login could be signed for: its operator has to set"
                    + " aws-callers.service or --public-url");
        }
        var login = read.apply(now);
        if (login == null) {
            return unknown("The login must be a signed GetCallerIdentity, for STS, with the headers host and "
                    + SERVICE_HEADER + " signed: the Base64 of a pre-signed URL in a header (berth login aws), or the"
                    + " URL, or a POST of an SDK, in the body of POST /tokens/aws");
        }
        var at = wall.get();
        if (!at.isBefore(login.expiresAt())) {
            return unknown("The login has expired: make another one (berth login aws)");
        }
        if (login.signedAt().isAfter(at.plus(SKEW))) {
            return unknown("The login is of the future: set the clock of the machine that made it");
        }
        // Where either is another by now, STS has to be asked again.
        var key = digest(now + "\n" + login.toText());
        var told = known.get(key);
        boolean isFresh = told == null || !at.isBefore(told.until());
        if (told == null || isFresh) {
            try {
                told = ask(login, now.service(), at);
            } catch (IOException e) {
                warn(e, at);
                return new Verdict.Unsure("AWS cannot be asked now who calls");
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return new Verdict.Unsure("The service is stopping");
            }
            keep(key, told, at);
        }
        var caller = told.caller();
        if (caller == null) {
            return unknown("AWS does not accept the login; was it made for another service than '%s'?"
                    .formatted(now.service()));
        }
        var principal = caller.partition().equals(now.partition())
                ? principals.byAwsCaller(caller)
                : Optional.<Principal>empty();
        if (isFresh && principal.isPresent()) {
            LOG.info("{} calls as {}", caller.arn(), principal.get().name()); // events have the principal alone
        }
        return principal
                .<Verdict>map(Verdict.Known::new)
                .orElseGet(() -> unknown("No principal of this service is " + caller.arn()));
    }

    /** Not for each request: anybody can send some. */
    private void warn(IOException e, Instant now) {
        if (!now.isBefore(quietUntil)) {
            quietUntil = now.plus(QUIET);
            LOG.warn("STS cannot be asked who calls: {}", e.toString());
        }
    }

    private static Verdict unknown(String why) {
        return new Verdict.Unknown(why);
    }

    private void keep(String key, Known told, Instant now) {
        if (known.size() >= bounds.known()) {
            known.values().removeIf(old -> !now.isBefore(old.until()));
        }
        if (known.size() >= bounds.known()) {
            // Anybody can have some of these, and is not to drive out those who were let in.
            known.values().removeIf(old -> old.caller() == null);
        }
        if (known.size() >= bounds.known()) {
            known.clear();
        }
        known.put(key, told);
    }

    private Known ask(IdentityCall login, String service, Instant now) throws IOException, InterruptedException {
        if (!asking.tryAcquire(bounds.patience().toMillis(), TimeUnit.MILLISECONDS)) {
            throw new IOException("too many others are asked about");
        }
        try {
            var request = login.request()
                    .header(SERVICE_HEADER, service)
                    .timeout(bounds.patience())
                    .build();
            var answer = whole(request);
            var body = answer.body();
            if (answer.statusCode() >= 500 || answer.statusCode() == 429 || body.contains("<Code>Throttling")) {
                throw new IOException("status " + answer.statusCode());
            }
            var identity = IDENTITY.matcher(body);
            var caller = answer.statusCode() == 200 && identity.find()
                    ? AwsCaller.of(identity.group(1)).orElse(null)
                    : null;
            return new Known(
                    caller,
                    caller != null || login.expiresAt().isBefore(now.plus(REFUSED_FOR))
                            ? login.expiresAt()
                            : now.plus(REFUSED_FOR));
        } finally {
            asking.release();
        }
    }

    /** The request's own time-out ends with the headers; this one covers the body too. */
    private HttpResponse<String> whole(HttpRequest request) throws IOException, InterruptedException {
        var asked = http().sendAsync(
                        request, BodyHandlers.limiting(BodyHandlers.ofString(StandardCharsets.UTF_8), LARGEST_ANSWER));
        try {
            return asked.get(bounds.patience().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IOException("no whole answer within " + bounds.patience().toMillis() + " ms", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException failed ? failed : new IOException(e.getCause());
        } finally {
            asked.cancel(true);
        }
    }

    /** Made when it is needed first: few services have callers of AWS. */
    private HttpClient http() {
        var made = http;
        if (made == null) {
            synchronized (this) {
                made = http;
                if (made == null) {
                    made = HttpClient.newBuilder()
                            .version(HttpClient.Version.HTTP_1_1)
                            .followRedirects(HttpClient.Redirect.NEVER)
                            .connectTimeout(bounds.patience())
                            .build();
                    http = made;
                }
            }
        }
        return made;
    }

    private static String digest(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
