package dev.berth.acceptance;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Stands before {@link Moto} and enforces what that does not: sessions that a role's inline policy denies get nothing but who they are,
 * protected stacks are not deleted, a stack with a full bucket ends in DELETE_FAILED, sessions last no longer than allowed. Tests have it
 * fail besides.
 */
final class StrictAws implements AutoCloseable {
    private static final Pattern KEY = Pattern.compile("<AccessKeyId>([^<]+)</AccessKeyId>");
    private static final Pattern CREDENTIAL = Pattern.compile("Credential=([^/]+)/[0-9]+/([^/]+)/([^/]+)/");
    private static final Pattern STACK_NAME = Pattern.compile("stack/([^/]+)/");
    private static final Set<String> NOT_FORWARDED =
            Set.of("host", "connection", "content-length", "upgrade", "expect", "transfer-encoding", "http2-settings");

    /** What else a session may carry, by the field that says so, and the action that allows it. */
    private static final Map<String, String> MARKS =
            Map.of("Tags.member.1.Key", "sts:TagSession", "SourceIdentity", "sts:SetSourceIdentity");

    private final URI moto;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    /** Who has which key: account, role and session. */
    private final Map<String, Session> sessions = new ConcurrentHashMap<>();
    /** What the inline policies of roles deny, by account and role, then by policy. */
    private final Map<String, Map<String, String>> policies = new ConcurrentHashMap<>();

    /** Stacks whose protection was taken off. */
    private final Set<String> unguarded = ConcurrentHashMap.newKeySet();
    /** The full bucket of each stack that could not be deleted. */
    private final Map<String, String> stuck = new ConcurrentHashMap<>();

    private final Queue<Nested> nested = new ConcurrentLinkedQueue<>();
    private final Queue<Fault> faults = new ConcurrentLinkedQueue<>();
    private final Queue<Call> calls = new ConcurrentLinkedQueue<>();
    private final Map<String, AtomicInteger> unaware = new ConcurrentHashMap<>();
    private final Map<String, Integer> longest = new ConcurrentHashMap<>();

    StrictAws(URI moto) {
        this.moto = moto;
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    /**
     * Of an assumed role.
     *
     * @param name of the session
     */
    record Session(String account, String role, String name) {}

    /**
     * One call as it was made.
     *
     * @param session null for keys that are no session's: Berth's own
     * @param operation where the protocol has one, otherwise method and path
     */
    record Call(@Nullable Session session, String service, String operation, Map<String, String> fields) {
        boolean is(String service, String operation) {
            return this.service.equals(service) && this.operation.equals(operation);
        }

        /** Whether it is about an account: a session of it calls, or a role of it is to be assumed. */
        boolean of(AwsAccount account) {
            return session == null
                    ? fields.getOrDefault("RoleArn", "").contains(":" + account.id() + ":")
                    : session.account().equals(account.id());
        }
    }

    /** What goes wrong, a number of times. */
    interface Fault {
        /** Null where this call is none of its; otherwise the answer, or one with status 0 to cut the connection. */
        @Nullable
        Answer answer(Call call);
    }

    record Answer(int status, String body) {
        static Answer error(int status, String code, String message) {
            return new Answer(
                    status,
                    "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>"
                            .formatted(code, message));
        }

        static Answer cut() {
            return new Answer(0, "");
        }
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** Has a fault happen to calls until it is {@link #mend}ed. */
    Fault fault(Fault fault) {
        faults.add(fault);
        return fault;
    }

    void mend(Fault fault) {
        faults.remove(fault);
    }

    /** So many calls of a session still get through after it was denied: IAM takes a while. */
    void unaware(String session, int more) {
        unaware.put(session, new AtomicInteger(more));
    }

    /** Sessions of a role last at most so long. */
    void longest(String roleArn, int seconds) {
        longest.put(roleArn, seconds);
    }

    /** Shows one stack as nested in another one. */
    void nest(AwsAccount account, String child, String parent, String childId) {
        nested.add(new Nested(account.id(), child, parent, childId));
    }

    private record Nested(String account, String child, String parent, String childId) {
        String in(Call call, String text) {
            if (call.session() == null || !call.session().account().equals(account)) {
                return text;
            }
            String name = nameOf(call.fields().getOrDefault("StackName", ""));
            return switch (call.operation()) {
                case "DescribeStacks" ->
                    text.replace(
                            "<StackName>" + child + "</StackName>",
                            "<StackName>" + child + "</StackName><ParentId>" + parent + "</ParentId>");
                case "ListStackResources" ->
                    name.equals(parent)
                            ? text.replace(
                                    "</StackResourceSummaries>",
                                    "<member><LogicalResourceId>Child</LogicalResourceId><PhysicalResourceId>%s</PhysicalResourceId><ResourceType>AWS::CloudFormation::Stack</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member></StackResourceSummaries>"
                                            .formatted(childId))
                            : text;
                default -> text;
            };
        }
    }

    List<Call> calls() {
        return List.copyOf(calls);
    }

    /** What was called so far by sessions of an account. */
    List<Call> calls(String account) {
        return calls.stream()
                .filter(call ->
                        call.session() != null && call.session().account().equals(account))
                .toList();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            Call call = call(exchange, body);
            calls.add(call);
            Answer refusal = refusal(call);
            if (refusal != null) {
                answer(exchange, refusal);
                return;
            }
            HttpResponse<byte[]> response = forward(exchange, body);
            learn(call, response);
            response.headers().map().forEach((name, values) -> {
                if (!NOT_FORWARDED.contains(name.toLowerCase(Locale.ROOT))) {
                    exchange.getResponseHeaders().put(name, values);
                }
            });
            send(exchange, response.statusCode(), seen(call, response));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        boolean none = exchange.getRequestMethod().equals("HEAD") || status == 204 || body.length == 0;
        exchange.sendResponseHeaders(status, none ? -1 : body.length);
        if (!none) {
            exchange.getResponseBody().write(body);
        }
    }

    private static void answer(HttpExchange exchange, Answer answer) throws IOException {
        if (answer.status() == 0) {
            return; // closed without a word
        }
        String auth = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
        boolean json = exchange.getRequestHeaders().containsKey("X-Amz-Target")
                || auth.contains("/lambda/")
                || auth.contains("/apigateway/");
        exchange.getResponseHeaders().set("Content-Type", json ? "application/x-amz-json-1.1" : "text/xml");
        // Each protocol has a form of its own for errors.
        String form = json
                ? "{\"__type\":\"$1\",\"message\":\"$2\"}"
                : auth.contains("/s3/")
                        ? "<Error><Code>$1</Code><Message>$2</Message></Error>"
                        : auth.contains("/ec2/")
                                ? "<Response><Errors><Error><Code>$1</Code><Message>$2</Message></Error></Errors><RequestID>r</RequestID></Response>"
                                : "$0";
        String body = answer.body().replaceAll("(?s).*<Code>(.*?)</Code><Message>(.*?)</Message>.*", form);
        send(exchange, answer.status(), body.getBytes(StandardCharsets.UTF_8));
    }

    private Call call(HttpExchange exchange, byte[] body) {
        Headers headers = exchange.getRequestHeaders();
        String auth = String.valueOf(headers.getFirst("Authorization"));
        Matcher credential = CREDENTIAL.matcher(auth);
        boolean signed = credential.find();
        Session session = signed ? sessions.get(credential.group(1)) : null;
        String service = signed ? credential.group(3) : "";
        Map<String, String> fields = new HashMap<>();
        String operation = exchange.getRequestMethod() + " " + exchange.getRequestURI();
        String target = headers.getFirst("X-Amz-Target");
        if (target != null) {
            operation = target.substring(target.lastIndexOf('.') + 1);
        } else if (String.valueOf(headers.getFirst("Content-Type")).startsWith("application/x-www-form-urlencoded")) {
            for (String pair : new String(body, StandardCharsets.UTF_8).split("&", -1)) {
                int equals = pair.indexOf('=');
                if (equals > 0) {
                    fields.put(
                            pair.substring(0, equals),
                            URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
                }
            }
            operation = fields.getOrDefault("Action", operation);
        }
        return new Call(session, service, operation, fields);
    }

    private @Nullable Answer refusal(Call call) throws IOException, InterruptedException {
        for (Fault fault : faults) {
            Answer answer = fault.answer(call);
            if (answer != null) {
                return answer;
            }
        }
        if (call.session() != null
                && !call.operation().equals("GetCallerIdentity")
                && denied(call.session())
                && unaware.getOrDefault(call.session().name(), new AtomicInteger())
                                .getAndDecrement()
                        <= 0) {
            return Answer.error(
                    403,
                    "AccessDenied",
                    "User: %s is not authorized to perform: %s with an explicit deny in an identity-based policy"
                            .formatted(call.session().name(), call.operation()));
        }
        if (call.is("sts", "AssumeRole")) {
            for (var mark : MARKS.entrySet()) {
                if (call.fields().containsKey(mark.getKey())
                        && !trust(call.fields().get("RoleArn")).contains(mark.getValue())) {
                    return Answer.error(403, "AccessDenied", "not authorized to perform: " + mark.getValue());
                }
            }
            int most = longest.getOrDefault(call.fields().get("RoleArn"), 43200);
            if (Integer.parseInt(call.fields().getOrDefault("DurationSeconds", "3600")) > most) {
                return Answer.error(
                        400,
                        "ValidationError",
                        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
            }
        }
        if (call.session() != null && call.is("cloudformation", "UpdateTerminationProtection")) {
            // Moto has no such action.
            unguarded.add(call.session().account() + "/" + nameOf(call.fields().getOrDefault("StackName", "")));
            return new Answer(
                    200,
                    "<UpdateTerminationProtectionResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><UpdateTerminationProtectionResult><StackId>s</StackId></UpdateTerminationProtectionResult></UpdateTerminationProtectionResponse>");
        }
        return call.is("cloudformation", "DeleteStack") ? stackRefusal(call) : null;
    }

    /** The trust policy of a role; empty where there is no such role, which moto does not mind. */
    private String trust(String roleArn) throws IOException, InterruptedException {
        String account = roleArn.split(":", -1)[4];
        String assumed = ask(
                "sts",
                "AKIAOUTSIDE",
                "Action=AssumeRole&Version=2011-06-15&RoleSessionName=owner&RoleArn=arn:aws:iam::" + account
                        + ":role/Owner");
        Matcher key = KEY.matcher(assumed);
        String role = roleArn.substring(roleArn.lastIndexOf('/') + 1);
        return key.find()
                ? URLDecoder.decode(
                        ask("iam", key.group(1), "Action=GetRole&Version=2010-05-08&RoleName=" + role),
                        StandardCharsets.UTF_8)
                : "";
    }

    private String ask(String service, String key, String form) throws IOException, InterruptedException {
        return http.send(
                        HttpRequest.newBuilder(moto)
                                .header("Authorization", authorization(key, service))
                                .header("Content-Type", "application/x-www-form-urlencoded")
                                .POST(BodyPublishers.ofString(form))
                                .build(),
                        BodyHandlers.ofString())
                .body();
    }

    /** Moto believes whoever names a key. */
    private static String authorization(String key, String service) {
        return "AWS4-HMAC-SHA256 Credential=%s/20260101/eu-west-1/%s/aws4_request, SignedHeaders=host, Signature=x"
                .formatted(key, service);
    }

    /** As IAM does it: by the policies of the role that say no to this user id. */
    private boolean denied(Session session) {
        String user = "AROA:" + session.name();
        return policies.getOrDefault(session.account() + "/" + session.role(), Map.of()).values().stream()
                .filter(policy -> policy.contains("\"Deny\""))
                .flatMap(policy ->
                        Pattern.compile("\"(\\*:[^\"]+)\"").matcher(policy).results())
                .map(found -> found.group(1).replace("*", ".*"))
                .anyMatch(user::matches);
    }

    /** Moto deletes protected stacks, and those with full buckets. */
    private @Nullable Answer stackRefusal(Call call) throws IOException, InterruptedException {
        Session session = call.session();
        if (session == null) {
            return null;
        }
        String name = call.fields().getOrDefault("StackName", "");
        String described = ask(call, Map.of("Action", "DescribeStacks", "Version", "2010-05-15", "StackName", name));
        if (described.contains("<EnableTerminationProtection>true<")
                && !unguarded.contains(session.account() + "/" + nameOf(name))) {
            return Answer.error(
                    400,
                    "ValidationError",
                    "Stack [%s] cannot be deleted while TerminationProtection is enabled".formatted(name));
        }
        String resources =
                ask(call, Map.of("Action", "ListStackResources", "Version", "2010-05-15", "StackName", name));
        Matcher bucket = Pattern.compile(
                        "<PhysicalResourceId>([^<]+)</PhysicalResourceId>\\s*(?:<[^>]*>[^<]*</[^>]*>\\s*)*?<ResourceType>AWS::S3::Bucket<|<ResourceType>AWS::S3::Bucket</ResourceType>.*?<PhysicalResourceId>([^<]+)<",
                        Pattern.DOTALL)
                .matcher(resources);
        while (bucket.find()) {
            String one = bucket.group(1) == null ? bucket.group(2) : bucket.group(1);
            String content = s3(call, "/" + one + "?versions");
            if (content.contains("<VersionId>") || content.contains("<Key>")) {
                stuck.put(session.account() + "/" + nameOf(name), one);
                return new Answer(
                        200,
                        "<DeleteStackResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DeleteStackResponse>");
            }
        }
        stuck.remove(session.account() + "/" + nameOf(name));
        return null;
    }

    private static String nameOf(String nameOrId) {
        Matcher id = STACK_NAME.matcher(nameOrId);
        return id.find() ? id.group(1) : nameOrId;
    }

    private final Map<Session, String> keys = new ConcurrentHashMap<>();

    /** Asks as whoever calls. */
    private String ask(Call call, Map<String, String> fields) throws IOException, InterruptedException {
        StringBuilder form = new StringBuilder();
        fields.forEach((key, value) -> form.append(form.isEmpty() ? "" : "&")
                .append(key)
                .append('=')
                .append(java.net.URLEncoder.encode(value, StandardCharsets.UTF_8)));
        return ask("cloudformation", keys.getOrDefault(call.session(), ""), form.toString());
    }

    private String s3(Call call, String path) throws IOException, InterruptedException {
        return http.send(
                        HttpRequest.newBuilder(moto.resolve(path))
                                .header("Authorization", authorization(keys.getOrDefault(call.session(), ""), "s3"))
                                .build(),
                        BodyHandlers.ofString())
                .body();
    }

    private HttpResponse<byte[]> forward(HttpExchange exchange, byte[] body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(
                        moto.resolve(exchange.getRequestURI().toString()))
                .method(
                        exchange.getRequestMethod(),
                        body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
        exchange.getRequestHeaders().forEach((name, values) -> {
            if (!NOT_FORWARDED.contains(name.toLowerCase(Locale.ROOT))) {
                values.forEach(value -> request.header(name, value));
            }
        });
        return http.send(request.build(), BodyHandlers.ofByteArray());
    }

    private void learn(Call call, HttpResponse<byte[]> response) {
        if (response.statusCode() != 200) {
            return;
        }
        if (call.is("sts", "AssumeRole")) {
            Matcher key = KEY.matcher(new String(response.body(), StandardCharsets.UTF_8));
            String[] arn = call.fields().get("RoleArn").split(":", -1);
            if (key.find()) {
                var session = new Session(
                        arn[4],
                        arn[5].substring(arn[5].lastIndexOf('/') + 1),
                        call.fields().get("RoleSessionName"));
                sessions.put(key.group(1), session);
                keys.put(session, key.group(1));
            }
        }
        if (call.session() != null && call.is("iam", "PutRolePolicy")) {
            policies.computeIfAbsent(
                            call.session().account() + "/" + call.fields().get("RoleName"),
                            _ -> new ConcurrentHashMap<>())
                    .put(call.fields().get("PolicyName"), call.fields().get("PolicyDocument"));
        }
    }

    /** What is stuck shows so, and what is nested. */
    private byte[] seen(Call call, HttpResponse<byte[]> response) {
        if (call.session() == null
                || !call.service().equals("cloudformation")
                || (stuck.isEmpty() && nested.isEmpty())) {
            return response.body();
        }
        String text = new String(response.body(), StandardCharsets.UTF_8);
        for (Nested one : nested) {
            text = one.in(call, text);
        }
        if (stuck.containsKey(
                call.session().account() + "/" + nameOf(call.fields().getOrDefault("StackName", "")))) {
            text = switch (call.operation()) {
                case "DescribeStacks" -> text.replaceAll("<StackStatus>[^<]*<", "<StackStatus>DELETE_FAILED<");
                case "ListStackResources" ->
                    text.replaceAll(
                            "<ResourceStatus>[^<]*</ResourceStatus>",
                            "<ResourceStatus>DELETE_FAILED</ResourceStatus><ResourceStatusReason>The bucket you tried to delete is not empty</ResourceStatusReason>");
                default -> text;
            };
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
        http.shutdownNow();
    }
}
