package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.AllocationPage;
import dev.berth.client.AllocationQuery;
import dev.berth.client.AllocationState;
import dev.berth.client.BerthClient;
import dev.berth.client.PoolList;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Who waits for environments, as far as the caller may know.
 *
 * @param first some of them
 * @param more whether there are more
 */
record Waiting(List<Allocation> first, boolean more) {
    private static final int MOST = 50;
    private static final Comparator<Allocation> LONGEST_FIRST = Comparator.comparing(Allocation::pool)
            .thenComparing(one -> one.createdAt() == null ? Instant.MAX : one.createdAt());

    static Waiting of(BerthClient client, PoolList pools) {
        if (pools.pools().stream().allMatch(pool -> pool.queueLength() == 0)) {
            return new Waiting(List.of(), false);
        }
        AllocationPage page = client.allocations(new AllocationQuery(null, AllocationState.PENDING, null, null, MOST));
        return new Waiting(page.allocations().stream().sorted(LONGEST_FIRST).toList(), page.next() != null);
    }

    /** A table for people below that of the pools; empty where nobody waits. */
    List<String> lines() {
        if (first.isEmpty()) {
            return List.of();
        }
        List<List<String>> rows = new ArrayList<>();
        for (Allocation one : first) {
            rows.add(List.of(
                    one.pool(),
                    Text.orDash(one.createdAt()),
                    Long.toString(one.priority()),
                    one.id(),
                    one.requester()));
        }
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.addAll(Text.table(List.of("WAITS FOR", "SINCE", "PRIORITY", "ALLOCATION", "REQUESTER"), rows));
        if (more) {
            lines.add("… and more");
        }
        return lines;
    }

    /** The service's answer about the pools, with these beside them. */
    String json(PoolList pools) {
        JsonNode answer = Json.MAPPER.readTree(pools.json());
        if (answer instanceof ObjectNode all) {
            ArrayNode waiting = all.putArray("waiting");
            first.forEach(one -> waiting.add(Json.MAPPER.readTree(one.json())));
        }
        return answer.toString();
    }
}
