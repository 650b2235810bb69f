package dev.berth.server.store;

import dev.berth.core.AllocationId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Word between processes by {@code NOTIFY}, on two connections of its own: one that sends, after the commits, and one that listens.
 * The payload is {@code PROCESS POOL AFTER LAST} and then the ids of the allocations, or {@code *} for more than fit.
 */
final class PostgresNotifications implements Notifications {
    private static final Logger LOG = LoggerFactory.getLogger(PostgresNotifications.class);
    private static final String CHANNEL = "berth";
    private static final String MANY = "*";
    /** After so long a silence the connection is tried: it may be cut where nobody says so. */
    private static final long SILENCE_NANOS = Duration.ofSeconds(10).toNanos();

    private final String process;
    private final Connections connections;
    private volatile @Nullable Connection sending;
    private volatile @Nullable Connection listening;
    private long heardAt;
    private volatile boolean closed;

    /**
     * @param process what this process is told from others by
     */
    PostgresNotifications(String process, Connections connections) {
        this.process = process;
        this.connections = connections;
    }

    /** Makes connections that belong to whoever asked for them. */
    @FunctionalInterface
    interface Connections {
        Connection open() throws SQLException;
    }

    @Override
    public void send(List<Notification> notifications) {
        if (closed) {
            return; // what is committed while the process stops the others find by themselves
        }
        try {
            var connection = sending;
            if (connection == null) {
                connection = connections.open();
                sending = connection;
                dropIfClosed(connection);
            }
            try (var statement = connection.prepareStatement("SELECT pg_notify('" + CHANNEL + "', ?)")) {
                for (var notification : notifications) {
                    statement.setString(1, text(notification));
                    statement.execute();
                }
            }
        } catch (SQLException e) {
            drop(sending);
            sending = null;
            throw new StoreException("other processes cannot be notified", e);
        }
    }

    @Override
    public List<Notification> receive(Duration most) {
        if (closed) {
            return List.of();
        }
        try {
            var connection = listening;
            if (connection == null) {
                connection = connections.open();
                listening = connection;
                dropIfClosed(connection);
                try (var statement = connection.createStatement()) {
                    statement.execute("LISTEN " + CHANNEL);
                }
                heardAt = System.nanoTime();
            } else if (System.nanoTime() - heardAt > SILENCE_NANOS) {
                try (var statement = connection.createStatement()) {
                    statement.execute("SELECT 1");
                }
                heardAt = System.nanoTime();
            }
            var received = connection.unwrap(PGConnection.class).getNotifications((int) most.toMillis());
            var found = new ArrayList<Notification>();
            for (var each : received == null ? new org.postgresql.PGNotification[0] : received) {
                var notification = parse(each.getParameter());
                if (notification != null) {
                    found.add(notification);
                }
            }
            if (!found.isEmpty()) {
                heardAt = System.nanoTime();
            }
            return found;
        } catch (SQLException e) {
            drop(listening);
            listening = null;
            if (closed) {
                return List.of();
            }
            throw new StoreException("notifications of other processes cannot be heard", e);
        }
    }

    private String text(Notification notification) {
        var changed = notification.isComplete()
                ? notification.changed().stream().map(AllocationId::value).collect(Collectors.joining(" "))
                : MANY;
        return "%s %d %d %d %s"
                .formatted(process, notification.pool(), notification.after(), notification.last(), changed);
    }

    /** Null for one that this process sent, or that is of no form we know: somebody else may use the channel. */
    private @Nullable Notification parse(String text) {
        var words = Arrays.asList(text.strip().split(" ", -1));
        if (words.size() < 4 || words.getFirst().equals(process)) {
            return null;
        }
        try {
            boolean many = words.size() == 5 && words.get(4).equals(MANY);
            return new Notification(
                    Integer.parseInt(words.get(1)),
                    Long.parseLong(words.get(2)),
                    Long.parseLong(words.get(3)),
                    many
                            ? List.of()
                            : words.subList(4, words.size()).stream()
                                    .map(AllocationId::new)
                                    .toList(),
                    !many);
        } catch (IllegalArgumentException e) {
            LOG.debug("a notification that is not ours: {}", e.toString());
            return null;
        }
    }

    /** Opened by one thread while another one closed: nobody would close it any more. */
    private void dropIfClosed(Connection connection) {
        if (closed) {
            drop(connection);
        }
    }

    private static void drop(@Nullable Connection connection) {
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                LOG.debug("a connection cannot be closed: {}", e.toString());
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        drop(sending);
        drop(listening);
    }
}
