package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.LentEnvironment;
import dev.berth.client.QueuePlace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An allocation for people. */
final class AllocationText {
    private AllocationText() {}

    static List<String> lines(Allocation allocation) {
        List<List<String>> rows = new ArrayList<>();
        add(rows, "state", allocation.state().wire());
        add(rows, "pool", allocation.pool());
        add(rows, "requester", allocation.requester());
        allocation.labels().forEach((name, value) -> add(rows, "label", name + "=" + value));
        add(rows, "priority", allocation.priority() == 0 ? null : allocation.priority());
        queue(rows, allocation.queue());
        String left = allocation.expiresIn() == null ? "" : " (in " + Text.duration(allocation.expiresIn()) + ")";
        add(rows, "expires", allocation.expiresAt() == null ? null : allocation.expiresAt() + left);
        add(rows, "keepalive by", allocation.keepaliveBy());
        add(rows, "kept until", allocation.heldUntil());
        add(rows, "kept for", String.join(", ", allocation.heldFor()));
        add(rows, "ended", allocation.endedAt());
        add(rows, "end reason", allocation.endReason());
        add(rows, "outcome", allocation.outcome());
        for (LentEnvironment environment : allocation.environments()) {
            add(rows, "environment", environment.name());
            add(rows, "  account", environment.account());
            add(rows, "  region", environment.region());
            addAll(rows, "  ", environment.connection());
            addAll(rows, "  ", environment.credentials());
        }
        return Text.table(List.of("allocation", allocation.id()), rows);
    }

    private static void queue(List<List<String>> rows, @Nullable QueuePlace queue) {
        if (queue == null) {
            return;
        }
        add(rows, "position", queue.position() == 0 ? null : queue.position());
        add(rows, "granted about", queue.grantAtP50());
        add(rows, "9 in 10 by", queue.grantAtP90());
        add(rows, "why", queue.waitingFor());
    }

    private static void addAll(List<List<String>> rows, String indent, Map<String, Object> values) {
        values.forEach((name, value) ->
                add(rows, indent + name, value instanceof String text ? text : Json.MAPPER.writeValueAsString(value)));
    }

    private static void add(List<List<String>> rows, String name, @Nullable Object value) {
        if (value != null && !value.toString().isEmpty()) {
            rows.add(List.of(name, value.toString()));
        }
    }
}
