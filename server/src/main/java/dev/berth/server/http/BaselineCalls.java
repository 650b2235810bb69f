package dev.berth.server.http;

import dev.berth.core.Environment;
import dev.berth.server.auth.BaselineDesk;
import dev.berth.server.auth.BaselineDesk.Acceptance;
import dev.berth.server.auth.BaselineDesk.Baseline;
import dev.berth.server.auth.BaselineDesk.Finding;
import dev.berth.server.auth.PoolDesk;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** The calls under {@code /environments/{name}/baseline}. */
final class BaselineCalls {
    private static final Set<String> QUERY = Set.of("version");
    private static final int LONGEST_NAME = 200;

    private final BaselineDesk desk;
    private final PoolDesk pools;

    BaselineCalls(BaselineDesk desk, PoolDesk pools) {
        this.desk = desk;
        this.pools = pools;
    }

    Reply get(Call call) {
        call.allowQuery(QUERY);
        var version = version(call.query("version"));
        var environment = environment(call);
        var baseline = desk.find(environment, version).orElse(null);
        var finding = version == null ? desk.finding(environment).orElse(null) : null;
        if (baseline == null && finding == null) {
            throw new Problem(
                    ErrorCode.NO_SUCH_BASELINE,
                    version == null
                            ? "Environment '%s' has no baseline".formatted(environment.name())
                            : "Environment '%s' has no baseline of version %d".formatted(environment.name(), version));
        }
        return reply(environment, baseline, finding);
    }

    Reply accept(Call call) {
        var body = call.body();
        if (body.length > 0) {
            BodyReader.read(body, BodyReader::unknown, in -> {});
        }
        var environment = environment(call);
        return switch (desk.accept(call.principal(), environment)) {
            case Acceptance.Accepted(var baseline) -> reply(environment, baseline, null);
            case Acceptance.Nothing _ ->
                throw new Problem(
                        ErrorCode.NOTHING_TO_ACCEPT,
                        "No verification of environment '%s' found anything to be accepted"
                                .formatted(environment.name()));
            case Acceptance.Refused(var why) -> throw Problem.refused(why);
        };
    }

    private Environment environment(Call call) {
        var name = call.path("name");
        return pools.environment(name)
                .orElseThrow(() -> new Problem(
                        ErrorCode.NO_SUCH_ENVIRONMENT,
                        "No environment '%s'"
                                .formatted(
                                        name.length() <= LONGEST_NAME ? name : name.substring(0, LONGEST_NAME) + "…")));
    }

    private static @Nullable Integer version(@Nullable String text) {
        if (text == null) {
            return null;
        }
        if (!text.matches("[1-9][0-9]{0,8}")) {
            throw Problem.field("version", "must be a whole number from 1 on");
        }
        return Integer.valueOf(text);
    }

    private static Reply reply(Environment environment, @Nullable Baseline baseline, @Nullable Finding finding) {
        return Reply.json(200, json -> {
            json.writeStartObject();
            json.writeStringProperty("environment", environment.name().value());
            if (baseline == null) {
                json.writeNullProperty("version");
            } else {
                json.writeNumberProperty("version", baseline.version());
            }
            Json.instant(json, "at", baseline == null ? null : baseline.at());
            Json.text(json, "by", baseline == null ? null : baseline.by());
            things(json, "things", baseline == null ? Map.of() : baseline.things());
            json.writeName("found");
            if (finding == null) {
                json.writeNull();
            } else {
                json.writeStartObject();
                Json.instant(json, "at", finding.at());
                things(json, "more", finding.beyond(baseline));
                things(json, "missing", finding.missing(baseline));
                json.writeEndObject();
            }
            json.writeEndObject();
        });
    }

    private static void things(JsonGenerator json, String name, Map<String, ? extends Collection<String>> things) {
        json.writeName(name);
        Json.value(json, things);
    }
}
