package dev.berth.server.store;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Changes in the order in which they are given. Those by one statement go together, where that is quicker. */
final class Updates {
    private final Lane lane;
    /** Changes by one statement that were not sent yet. */
    private final List<@Nullable Object[]> waiting = new ArrayList<>();

    private String statement = "";

    Updates(Lane lane) {
        this.lane = lane;
    }

    /** Must touch exactly one row. */
    void one(String sql, @Nullable Object... arguments) {
        if (!sql.equals(statement)) {
            send();
            statement = sql;
        }
        waiting.add(arguments);
    }

    /** May touch a row or none. */
    void any(String sql, @Nullable Object... arguments) {
        send();
        lane.update(sql, arguments);
    }

    /** Sends what still waits: nothing else may go to the lane before, nor the transaction end. */
    void send() {
        if (!waiting.isEmpty()) {
            lane.updateEach(statement, waiting);
            waiting.clear();
        }
    }
}
