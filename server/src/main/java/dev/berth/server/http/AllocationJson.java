package dev.berth.server.http;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState;
import dev.berth.core.AllocationState.Active;
import dev.berth.core.AllocationState.Ended;
import dev.berth.core.AllocationState.Granting;
import dev.berth.core.AllocationState.Hold;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.AllocationState.Polling;
import dev.berth.core.Grant;
import dev.berth.server.auth.HolderAccess;
import dev.berth.server.auth.Outlook;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/**
 * An allocation on the wire. What varies in who may see it is given to it: it asks nobody.
 *
 * @param access of each environment, in their order; null where it is not shown
 * @param outlook on its wait; empty where it does not wait, or in lists
 */
record AllocationJson(
        Allocation allocation, @Nullable List<HolderAccess> access, Optional<Outlook> outlook, Instant now) {

    static String state(AllocationState state) {
        return switch (state) {
            case Pending _, Polling _ -> "pending";
            case Granting _ -> "granting";
            case Active _ -> "active";
            case Ended _ -> "ended";
        };
    }

    void write(JsonGenerator json) {
        var state = allocation.state();
        var active = state instanceof Active is ? is : null;
        var ended = state instanceof Ended is ? is : null;
        var hold = active == null ? null : active.hold();
        var expiresAt = active != null ? active.expiresAt() : ended != null ? ended.expiresAt() : null;
        json.writeStartObject();
        json.writeStringProperty("id", allocation.id().value());
        json.writeStringProperty("state", state(state));
        json.writeStringProperty("pool", allocation.pool().value());
        json.writeStringProperty("requester", allocation.request().requester());
        json.writeStringProperty("principal", allocation.principal());
        Json.instant(json, "createdAt", allocation.createdAt());
        Json.instant(json, "grantedAt", active != null ? active.grantedAt() : ended != null ? ended.grantedAt() : null);
        Json.instant(json, "expiresAt", expiresAt);
        if (active == null || expiresAt == null) {
            json.writeNullProperty("expiresIn");
        } else {
            json.writeNumberProperty(
                    "expiresIn", Math.max(0, Duration.between(now, expiresAt).toSeconds()));
        }
        Json.instant(json, "keepaliveBy", active == null ? null : active.keepaliveBy());
        if (hold != null) {
            hold(json, hold);
        }
        Json.instant(json, "endedAt", ended == null ? null : ended.endedAt());
        Json.text(json, "endReason", ended == null ? null : ended.reason().slug());
        Json.text(json, "outcome", ended != null ? ended.outcome() : hold != null ? hold.outcome() : null);
        json.writeNumberProperty("priority", allocation.request().priority());
        json.writeName("labels");
        json.writeRawValue(allocation.request().labels());
        environments(json, state.grants());
        if (state instanceof Pending) {
            json.writeName("queue");
            json.writeStartObject();
            outlook.ifPresent(known -> queue(json, known));
            json.writeEndObject();
        }
        json.writeEndObject();
    }

    private static void hold(JsonGenerator json, Hold hold) {
        Json.instant(json, "heldUntil", hold.until());
        json.writeName("to");
        json.writeStartArray();
        hold.to().stream().sorted().forEach(json::writeString);
        json.writeEndArray();
    }

    private static void queue(JsonGenerator json, Outlook outlook) {
        json.writeNumberProperty("position", outlook.position());
        json.writeName("estimatedGrantAt");
        if (outlook.p50() == null && outlook.p90() == null) {
            json.writeNull();
        } else {
            json.writeStartObject();
            Json.instant(json, "p50", outlook.p50());
            Json.instant(json, "p90", outlook.p90());
            json.writeEndObject();
        }
        json.writeStringProperty("waitingFor", outlook.waitingFor());
    }

    private void environments(JsonGenerator json, List<Grant> grants) {
        if (grants.isEmpty()) {
            json.writeNullProperty("environment");
        } else {
            json.writeName("environment");
            json.writeStartObject();
            environment(json, grants.getFirst());
            json.writeEndObject();
            if (access != null) {
                json.writeName("credentials");
                Json.value(
                        json,
                        access.getFirst().isExpiredAt(now)
                                ? null
                                : access.getFirst().credentials());
            }
        }
        json.writeName("environments");
        json.writeStartArray();
        for (int i = 0; i < grants.size(); i++) {
            json.writeStartObject();
            environment(json, grants.get(i));
            if (access != null) {
                access(json, grants.get(i), access.get(i));
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void environment(JsonGenerator json, Grant grant) {
        var facts = new FactsJson(grant.facts());
        facts.write(json);
        json.writeStringProperty("pool", allocation.pool().value());
        json.writeStringProperty("name", grant.environment().value());
        json.writeNumberProperty("epoch", grant.epoch());
    }

    /** What has expired is of no use to anybody, and kept back rather than handed out as if it were. */
    private void access(JsonGenerator json, Grant grant, HolderAccess access) {
        boolean expired = access.isExpiredAt(now);
        json.writeName("credentials");
        Json.value(json, expired ? null : access.credentials());
        if (expired) {
            json.writeBooleanProperty("accessExpired", true);
        }
        json.writeName("connection");
        if (access.connection() != null) {
            Json.value(json, access.connection());
        } else {
            new FactsJson(grant.facts()).writeConnection(json);
        }
        if (!expired && !access.env().isEmpty()) {
            json.writeName("env");
            Json.value(json, access.env());
        }
    }
}
