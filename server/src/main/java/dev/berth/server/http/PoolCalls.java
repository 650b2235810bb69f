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
        var principal = call.principal();
        var pools = desk.list(principal);
        return Reply.json(200, json -> {
            json.writeStartObject();
            json.writeName("pools");
            json.writeStartArray();
            pools.forEach(report -> write(json, report, principal.name()));
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    Reply get(Call call) {
        var name = call.path("name");
        var principal = call.principal();
        var report = desk.find(principal, name)
                .orElseThrow(() -> new Problem(ErrorCode.NO_SUCH_POOL, "No pool '%s'".formatted(name)));
        return Reply.json(200, json -> write(json, report, principal.name()));
    }

    private static void write(JsonGenerator json, Report report, String caller) {
        var pool = report.pool();
        var counts = pool.counts();
        json.writeStartObject();
        json.writeStringProperty("name", pool.name().value());
        json.writeStringProperty("provider", pool.policy().provider());
        json.writeBooleanProperty("listed", pool.listed());
        json.writeName("policy");
        policy(json, pool.policy(), caller);
        json.writeName("environments");
        json.writeStartObject();
        json.writeNumberProperty("total", counts.total());
        json.writeNumberProperty("available", counts.available());
        json.writeNumberProperty("allocated", counts.allocated());
        json.writeNumberProperty("cleaning", counts.cleaning());
        json.writeNumberProperty("checking", counts.checking());
        json.writeNumberProperty("withheld", counts.withheld());
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

    /**
     * The provider's own settings are left out: they name programs and files of the service's machine; so are the quotas of principals
     * other than the caller.
     */
    private static void policy(JsonGenerator json, Policy policy, String caller) {
        json.writeStartObject();
        duration(json, "session", policy.session());
        duration(json, "maxSession", policy.maxSession());
        duration(json, "keepalive", policy.keepalive());
        duration(json, "retryAfter", policy.retryAfter());
        json.writeStringProperty("onRegister", policy.adopt() ? "adopt" : "clean");
        json.writeStringProperty("isolate", policy.isolates() ? "account" : "none");
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
        queue(json, policy.queue());
        var quota = policy.quota(caller);
        json.writeName("quota");
        json.writeStartObject();
        number(json, "held", quota.held());
        number(json, "queued", quota.queued());
        json.writeEndObject();
        json.writeName("hold");
        var hold = policy.hold();
        if (hold == null) {
            json.writeNull();
        } else {
            json.writeStartObject();
            duration(json, "max", hold.max());
            json.writeNumberProperty("quota", hold.quota());
            json.writeEndObject();
        }
        json.writeName("upkeep");
        json.writeStartObject();
        json.writeNumberProperty("parallel", policy.parallel());
        json.writeNumberProperty("perAccount", policy.perAccount());
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void queue(JsonGenerator json, Policy.Queueing queue) {
        boolean fair = queue.order() == Policy.Queueing.Order.FAIR;
        json.writeName("queue");
        json.writeStartObject();
        json.writeNumberProperty("max", queue.max());
        duration(json, "maxWait", queue.maxWait());
        json.writeStringProperty("order", queue.order().name().toLowerCase(Locale.ROOT));
        Json.text(json, "shareBy", fair ? queue.shareBy() : null);
        duration(json, "halfLife", fair ? queue.halfLife() : null);
        duration(json, "aging", queue.aging());
        duration(json, "liveness", queue.liveness());
        json.writeNumberProperty("maxPriority", queue.maxPriority());
        json.writeEndObject();
    }

    private static void number(JsonGenerator json, String name, @Nullable Integer number) {
        if (number == null) {
            json.writeNullProperty(name);
        } else {
            json.writeNumberProperty(name, number);
        }
    }

    private static void duration(JsonGenerator json, String name, @Nullable Duration duration) {
        Json.text(json, name, duration == null ? null : DurationText.format(duration));
    }
}
