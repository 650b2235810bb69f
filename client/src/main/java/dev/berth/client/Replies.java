package dev.berth.client;

import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads the service's answers. Unknown fields are passed over and only what an answer cannot do without is demanded, so
 * that a newer service does not break an older client.
 */
final class Replies {
    static final JsonMapper JSON = JsonMapper.builder().build();

    private Replies() {}

    static JsonNode tree(String body) {
        try {
            return JSON.readTree(body);
        } catch (JacksonException e) {
            throw new MalformedReply("the answer is not JSON: " + Transport.excerpt(body), e);
        }
    }

    static Allocation allocation(JsonNode node) {
        List<LentEnvironment> environments = list(node.path("environments"), Replies::lentEnvironment);
        JsonNode expiresIn = node.path("expiresIn");
        return new Allocation(
                required(node, "id"),
                AllocationState.fromWire(required(node, "state")),
                required(node, "pool"),
                orEmpty(text(node, "requester")),
                instant(node, "createdAt"),
                instant(node, "grantedAt"),
                instant(node, "expiresAt"),
                expiresIn.isNumber() ? Duration.ofSeconds(expiresIn.longValue()) : null,
                instant(node, "keepaliveBy"),
                instant(node, "heldUntil"),
                list(node.path("to"), Replies::plain),
                instant(node, "endedAt"),
                text(node, "endReason"),
                text(node, "outcome"),
                whole(node, "priority"),
                texts(node.path("labels")),
                environments,
                queue(node.path("queue")),
                node.toString());
    }

    static AllocationPage allocationPage(JsonNode node) {
        return new AllocationPage(
                list(node.path("allocations"), Replies::allocation), text(node, "next"), node.toString());
    }

    private static LentEnvironment lentEnvironment(JsonNode node) {
        return new LentEnvironment(
                required(node, "name"),
                text(node, "pool"),
                text(node, "account"),
                text(node, "region"),
                node.path("epoch").isNumber() ? node.path("epoch").longValue() : 0,
                map(node.path("capabilities")),
                map(node.path("credentials")),
                map(node.path("connection")),
                texts(node.path("env")));
    }

    private static @Nullable QueuePlace queue(JsonNode node) {
        if (!node.isObject()) {
            return null;
        }
        JsonNode estimate = node.path("estimatedGrantAt");
        return new QueuePlace(
                whole(node, "position"), instant(estimate, "p50"), instant(estimate, "p90"), text(node, "waitingFor"));
    }

    static PoolList poolList(JsonNode node) {
        return new PoolList(list(node.isArray() ? node : node.path("pools"), Replies::pool), node.toString());
    }

    static Pool pool(JsonNode node) {
        JsonNode counts = node.path("environments");
        JsonNode queue = node.path("queue");
        JsonNode waits = node.path("waits");
        return new Pool(
                required(node, "name"),
                orEmpty(text(node, "provider")),
                whole(counts, "total"),
                whole(counts, "available"),
                whole(counts, "allocated"),
                whole(counts, "cleaning"),
                whole(counts, "checking"),
                whole(counts, "withheld"),
                whole(counts, "dirty"),
                whole(node, "retiring"),
                whole(queue, "length"),
                fraction(queue, "oldestSeconds"),
                seconds(waits, "p50"),
                seconds(waits, "p90"),
                seconds(waits, "p99"),
                fraction(node, "utilisation"),
                node.toString());
    }

    static EnvironmentPage environmentPage(JsonNode node) {
        return new EnvironmentPage(
                list(node.path("environments"), Replies::environment), text(node, "next"), node.toString());
    }

    static Environment environment(JsonNode node) {
        return new Environment(
                required(node, "name"),
                text(node, "pool"),
                required(node, "state"),
                instant(node, "since"),
                text(node, "holder"),
                text(node, "reason"),
                text(node, "report"),
                node.path("retiring").isBoolean() && node.path("retiring").booleanValue(),
                instant(node, "retiredAt"),
                list(node.path("history"), Replies::map),
                node.toString());
    }

    static Baseline baseline(JsonNode node) {
        JsonNode found = node.path("found");
        return new Baseline(
                required(node, "environment"),
                node.path("version").isNumber() ? Math.toIntExact(whole(node, "version")) : null,
                instant(node, "at"),
                text(node, "by"),
                inventory(node.path("things")),
                instant(found, "at"),
                inventory(found.path("more")),
                inventory(found.path("missing")),
                node.toString());
    }

    private static Map<String, List<String>> inventory(JsonNode node) {
        Map<String, List<String>> things = new TreeMap<>();
        node.properties().forEach(type -> things.put(type.getKey(), list(type.getValue(), JsonNode::asString)));
        return things;
    }

    static EventPage eventPage(JsonNode node) {
        return new EventPage(
                list(node.path("events"), one -> event(one, text(one, "cursor"))), text(node, "next"), node.toString());
    }

    static Event event(JsonNode node, @Nullable String cursor) {
        return new Event(
                cursor,
                orEmpty(text(node, "type")),
                instant(node, "at"),
                text(node, "pool"),
                map(node),
                node.toString());
    }

    static ServiceStatus status(JsonNode node) {
        if (!node.path("apiLevel").isNumber()) {
            throw new MalformedReply("no Berth service answers there: its status has no apiLevel");
        }
        return new ServiceStatus((int) whole(node, "apiLevel"), text(node, "version"), node.toString());
    }

    static CreatedToken createdToken(JsonNode node) {
        return new CreatedToken(
                required(node, "id"),
                required(node, "token"),
                text(node, "principal"),
                instant(node, "expiresAt"),
                node.toString());
    }

    static CreatedAccessKey createdAccessKey(JsonNode node) {
        return new CreatedAccessKey(
                required(node, "id"),
                required(node, "accessKeyId"),
                required(node, "secretAccessKey"),
                text(node, "principal"),
                instant(node, "expiresAt"),
                node.toString());
    }

    static TokenList tokenList(JsonNode node) {
        return new TokenList(
                list(
                        node.path("tokens"),
                        one -> new TokenInfo(
                                required(one, "id"),
                                text(one, "principal"),
                                text(one, "kind"),
                                instant(one, "createdAt"),
                                instant(one, "expiresAt"),
                                instant(one, "lastUsedAt"))),
                node.toString());
    }

    static ConfigurationChange configurationChange(JsonNode node) {
        return new ConfigurationChange(
                text(node, "digest"),
                list(node.path("pools"), Replies::plain),
                list(node.path("register"), Replies::plain),
                list(node.path("deregister"), Replies::plain),
                list(node.path("change"), Replies::plain),
                node.toString());
    }

    /** Reads a refusal; one without a problem document (a proxy's) gets a code made from its status. */
    static BerthProblem problem(int status, String body, @Nullable Duration retryAfter, @Nullable String requestId) {
        JsonNode node;
        try {
            node = JSON.readTree(body);
        } catch (JacksonException e) {
            node = JSON.createObjectNode();
        }
        String code = text(node, "code");
        String message = text(node, "message");
        if (message == null) {
            message = text(node, "detail");
        }
        if (message == null) {
            String said = Transport.excerpt(body);
            message = "the service answered " + status + (said.isEmpty() ? "" : ": " + said);
        }
        String named = text(node, "requestId");
        return new BerthProblem(
                status,
                code == null ? "http-" + status : code,
                message,
                list(node.path("errors"), Replies::fieldError),
                retryAfter,
                named == null ? requestId : named);
    }

    private static BerthProblem.FieldError fieldError(JsonNode node) {
        String message = text(node, "message");
        return new BerthProblem.FieldError(
                text(node, "field"),
                message == null ? plain(node) : message,
                node.path("line").isNumber() ? node.path("line").longValue() : null);
    }

    private static <T> List<T> list(JsonNode node, Function<JsonNode, T> each) {
        List<T> values = new ArrayList<>();
        if (node.isArray()) {
            for (JsonNode element : node) {
                values.add(each.apply(element));
            }
        }
        return values;
    }

    private static Map<String, Object> map(JsonNode node) {
        Map<String, Object> values = new LinkedHashMap<>();
        if (node.isObject()) {
            node.properties().forEach(entry -> {
                Object value = JSON.treeToValue(entry.getValue(), Object.class);
                if (value != null) {
                    values.put(entry.getKey(), value);
                }
            });
        }
        return values;
    }

    private static Map<String, String> texts(JsonNode node) {
        Map<String, String> values = new LinkedHashMap<>();
        node.properties().forEach(entry -> values.put(entry.getKey(), plain(entry.getValue())));
        return values;
    }

    private static String required(JsonNode node, String field) {
        String value = text(node, field);
        if (value == null) {
            throw new MalformedReply(
                    "the answer has no '" + field + "': no Berth service answers there, or a newer one");
        }
        return value;
    }

    private static @Nullable String text(JsonNode node, String field) {
        JsonNode value = node.path(field);
        return value.isValueNode() && !value.isNull() ? plain(value) : null;
    }

    private static String plain(JsonNode value) {
        return value.isString() ? value.stringValue() : value.toString();
    }

    private static String orEmpty(@Nullable String value) {
        return value == null ? "" : value;
    }

    private static long whole(JsonNode node, String field) {
        JsonNode value = node.path(field);
        return value.isNumber() ? value.longValue() : 0;
    }

    private static @Nullable Double fraction(JsonNode node, String field) {
        JsonNode value = node.path(field);
        return value.isNumber() ? value.doubleValue() : null;
    }

    /** A length of time, as a number of seconds or as the configuration writes it. */
    private static @Nullable Double seconds(JsonNode node, String field) {
        JsonNode value = node.path(field);
        if (!value.isString()) {
            return fraction(node, field);
        }
        try {
            return (double) WireDuration.parse(value.stringValue()).toSeconds();
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static @Nullable Instant instant(JsonNode node, String field) {
        String value = text(node, field);
        if (value == null) {
            return null;
        }
        try {
            return Instant.parse(value);
        } catch (DateTimeParseException e) {
            throw new MalformedReply("'" + field + "' is not an instant: " + Transport.excerpt(value), e);
        }
    }
}
