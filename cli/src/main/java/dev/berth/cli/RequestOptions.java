package dev.berth.cli;

import dev.berth.client.AllocationRequest;
import dev.berth.client.EnvironmentNeed;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What {@code run} and {@code allocate} ask for. */
final class RequestOptions {
    /** Numbers go on as they were written, and what is not one whole value of JSON is text. */
    private static final JsonMapper VALUES = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS, DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /** Of what the environments have to be different. */
    enum Distinct {
        /** Each of another account. */
        ACCOUNT
    }

    @Option(names = "--pool", required = true, paramLabel = "POOL", description = "The pool to take from.")
    private String pool = "";

    @Option(
            names = "--need",
            paramLabel = "KEY=VALUE",
            description = "A capability that they must have; again for more. A VALUE that is JSON is taken as such"
                    + " (cores=8 is a number, 'zone=\"8\"' is text), all else is text; * is any value, a list is one of"
                    + " its elements: 'size=[\"s\",\"m\"]'.")
    private List<String> needs = List.of();

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "How many environments, all or none. Default: ${DEFAULT-VALUE}.",
            defaultValue = "1")
    private int count = 1;

    @Option(
            names = "--distinct",
            paramLabel = "account",
            description = "Each of the environments must be of another account.")
    private @Nullable Distinct distinct;

    @Option(
            names = "--constraint",
            paramLabel = "KEY=VALUE[,VALUE]",
            description = "What their region, account or name may be; again for more.")
    private List<String> constraints = List.of();

    @Option(
            names = "--access",
            paramLabel = "PROFILE",
            description = "The access profile to be given. Default: the environment's default one.")
    private @Nullable String access;

    @Option(
            names = "--priority",
            paramLabel = "N",
            description = "Higher is served first, -100 to 100; the pool says how high. Default: ${DEFAULT-VALUE}.",
            defaultValue = "0")
    private int priority;

    @Option(
            names = "--label",
            paramLabel = "KEY=TEXT",
            description = "What to note beside the allocation; again for more.")
    private List<String> labels = List.of();

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "How long it may last at most, like 90m. Default: the pool's session.")
    private @Nullable Duration duration;

    @Option(
            names = "--requester",
            paramLabel = "TEXT",
            description = "Who asks, shown to others. Default: the CI job's URL, else user@host.")
    private @Nullable String requester;

    AllocationRequest.Builder request(Map<String, String> env) {
        if (count < 1) {
            throw wrong("--count must be at least 1");
        }
        if (pool.isEmpty() || (requester != null && requester.isEmpty()) || (access != null && access.isEmpty())) {
            throw wrong("--pool, --requester and --access must not be empty");
        }
        checkPriority("--priority", priority);
        EnvironmentNeed need = EnvironmentNeed.any().times(count).access(access);
        for (Map.Entry<String, String> each : pairs("--need", needs).entrySet()) {
            need = need.with(each.getKey(), value(each.getKey(), each.getValue()));
        }
        AllocationRequest.Builder request = AllocationRequest.of(
                        pool, requester == null ? Requester.of(env) : requester)
                .environment(need)
                .distinctAccounts(distinct == Distinct.ACCOUNT)
                .priority(priority)
                .duration(duration);
        pairs("--constraint", constraints)
                .forEach((attribute, values) -> request.constraint(attribute, Text.names("--constraint", values)));
        pairs("--label", labels).forEach(request::label);
        return request;
    }

    static void checkPriority(String named, int priority) {
        if (priority < AllocationRequest.LOWEST_PRIORITY || priority > AllocationRequest.HIGHEST_PRIORITY) {
            throw wrong(named + " must be between " + AllocationRequest.LOWEST_PRIORITY + " and "
                    + AllocationRequest.HIGHEST_PRIORITY + ", not " + priority);
        }
    }

    private static Map<String, String> pairs(String option, List<String> given) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String text : given) {
            int equals = text.indexOf('=');
            if (equals < 1) {
                throw wrong(option + " " + text + ": write it as KEY=VALUE");
            }
            String key = text.substring(0, equals);
            if (pairs.put(key, text.substring(equals + 1)) != null) {
                throw wrong(option + " " + key + " is given twice; what may be one of several is "
                        + (option.equals("--need") ? "a list: '" + key + "=[\"…\",\"…\"]'" : "one list, with commas"));
            }
        }
        return pairs;
    }

    private static Object value(String key, String text) {
        try {
            JsonNode value = VALUES.readTree(text);
            return value.isMissingNode() ? text : value;
        } catch (JacksonException e) {
            if (text.startsWith("[") || text.startsWith("{") || text.startsWith("\"")) {
                // Most likely a shell took the quotes; as text it would be waited for in vain.
                throw new CliFailure(
                        ExitCode.USAGE,
                        "--need " + key + "=" + text + ": it begins as JSON but is none; put quotes around it"
                                + " for the shell, as in --need '" + key + "=[\"s\",\"m\"]'",
                        e);
            }
            return text;
        }
    }

    private static CliFailure wrong(String message) {
        return new CliFailure(ExitCode.USAGE, message);
    }
}
