package dev.berth.server.http;

import dev.berth.core.Policy;
import dev.berth.core.Step;
import dev.berth.server.auth.PoolDesk;
import dev.berth.server.auth.PoolDesk.Report;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** The calls under {@code /pools}. */
final class PoolCalls {
    private final PoolDesk desk;

    PoolCalls(PoolDesk desk) {
        this.desk = desk;
    }

    Reply list(Call call) {
        var pools = desk.list(call.principal());
        return Reply.json(200, json -> {
            json.writeStartObject();
            json.writeName("pools");
            json.writeStartArray();
            pools.forEach(report -> write(json, report));
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    Reply get(Call call) {
        var name = call.path("name");
        var report = desk.find(call.principal(), name)
                .orElseThrow(() -> new Problem(ErrorCode.NO_SUCH_POOL, "No pool '%s'".formatted(name)));
        return Reply.json(200, json -> write(json, report));
    }

    private static void write(JsonGenerator json, Report report) {
        var pool = report.pool();
        var counts = pool.counts();
        json.writeStartObject();
        json.writeStringProperty("name", pool.name().value());
        json.writeStringProperty("provider", pool.policy().provider());
        json.writeBooleanProperty("listed", pool.listed());
        json.writeName("policy");
        policy(json, pool.policy());
        json.writeName("environments");
        json.writeStartObject();
        json.writeNumberProperty("total", counts.total());
        json.writeNumberProperty("available", counts.available());
        json.writeNumberProperty("allocated", counts.allocated());
        json.writeNumberProperty("cleaning", counts.cleaning());
        json.writeNumberProperty("checking", counts.checking());
        json.writeNumberProperty("dirty", counts.dirty());
        json.writeEndObject();
        json.writeNumberProperty("retiring", counts.retiring());
        json.writeName("queue");
        json.writeStartObject();
        json.writeNumberProperty("length", pool.waiting());
        json.writeNumberProperty("oldestSeconds", report.oldestSeconds());
        json.writeEndObject();
        json.writeName("waits");
        json.writeStartObject();
        seconds(json, "p50", report.p50());
        seconds(json, "p90", report.p90());
        seconds(json, "p99", report.p99());
        json.writeEndObject();
        json.writeNumberProperty("utilisation", report.utilisation());
        json.writeName("breaker");
        json.writeStartObject();
        json.writeNumberProperty("failures", pool.breaker().failures());
        Json.instant(json, "openUntil", pool.breaker().openUntil());
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void seconds(JsonGenerator json, String name, @Nullable Duration duration) {
        if (duration == null) {
            json.writeNullProperty(name);
        } else {
            json.writeNumberProperty(name, duration.toMillis() / 1000.0);
        }
    }

    /** The provider's own settings are left out: they name programs and files of the service's machine. */
    private static void policy(JsonGenerator json, Policy policy) {
        json.writeStartObject();
        duration(json, "session", policy.session());
        duration(json, "maxSession", policy.maxSession());
        duration(json, "keepalive", policy.keepalive());
        duration(json, "retryAfter", policy.retryAfter());
        json.writeStringProperty("onRegister", policy.adopt() ? "adopt" : "clean");
        for (var step : Step.values()) {
            if (policy.steps().contains(step)) {
                var limits = policy.limits(step);
                json.writeName(step.name().toLowerCase(Locale.ROOT));
                json.writeStartObject();
                duration(json, "timeout", limits.timeout());
                json.writeNumberProperty("attempts", limits.attempts());
                if (step == Step.VERIFY) {
                    duration(json, "every", policy.verifyEvery());
                }
                json.writeEndObject();
            }
        }
        json.writeName("queue");
        json.writeStartObject();
        json.writeNumberProperty("max", policy.queue().max());
        duration(json, "maxWait", policy.queue().maxWait());
        json.writeEndObject();
        json.writeName("upkeep");
        json.writeStartObject();
        json.writeNumberProperty("parallel", policy.parallel());
        json.writeNumberProperty("perAccount", policy.perAccount());
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void duration(JsonGenerator json, String name, @Nullable Duration duration) {
        Json.text(json, name, duration == null ? null : DurationText.format(duration));
    }
}
