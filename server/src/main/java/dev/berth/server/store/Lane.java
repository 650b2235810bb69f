package dev.berth.server.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One connection and the statements it has prepared. For one thread at a time. */
final class Lane implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Lane.class);

    /** The lists of parameters there are: few, since each makes a statement of its own that is kept prepared. */
    private static final int LARGEST_LIST = 64;

    private static final Map<Integer, String> LISTS = IntStream.iterate(
                    1, size -> size <= LARGEST_LIST, size -> 2 * size)
            .boxed()
            .collect(Collectors.toUnmodifiableMap(size -> size, Lane::list));

    private final Connection connection;
    private final Predicate<SQLException> isConflict;
    private final boolean isFar;
    private final Map<String, PreparedStatement> prepared = new HashMap<>();
    private long touched;
    private boolean failed;

    /**
     * @param connection closed with this
     * @param isConflict whether the database works, and says that what was to be written contradicts what is there
     * @param isFar whether each statement goes to another process and back, so that it pays to send several at once
     */
    Lane(Connection connection, Predicate<SQLException> isConflict, boolean isFar) {
        this.connection = connection;
        this.isConflict = isConflict;
        this.isFar = isFar;
    }

    private static String list(int size) {
        return " (" + String.join(", ", Collections.nCopies(size, "?")) + ")";
    }

    /** Makes a value of a row. */
    @FunctionalInterface
    interface Row<T> {
        T from(ResultSet row) throws SQLException;
    }

    <T> List<T> list(Row<T> row, String sql, @Nullable Object... arguments) {
        try (var rows = bind(sql, arguments).executeQuery()) {
            var list = new ArrayList<T>();
            while (rows.next()) {
                list.add(row.from(rows));
            }
            return list;
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    <T> Optional<T> one(Row<T> row, String sql, @Nullable Object... arguments) {
        try (var rows = bind(sql, arguments).executeQuery()) {
            return rows.next() ? Optional.of(row.from(rows)) : Optional.empty();
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    /** Returns how many rows it touched. */
    int update(String sql, @Nullable Object... arguments) {
        try {
            int rows = bind(sql, arguments).executeUpdate();
            touched += rows;
            return rows;
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    /** Whether the database ever did not do here what it should: the connection may be broken, or lead to where it should not. */
    boolean hasFailed() {
        return failed;
    }

    /** How many rows were touched since the last time that this was asked. */
    long takeTouched() {
        long rows = touched;
        touched = 0;
        return rows;
    }

    /** A change that must touch exactly one row: anything else says that what was decided on is not what is stored. */
    void updateOne(String sql, @Nullable Object... arguments) {
        int touched = update(sql, arguments);
        if (touched != 1) {
            throw new ConflictException("touched " + touched + " rows, not one: " + sql);
        }
    }

    /** Runs a change once for each of these arguments, and each must touch exactly one row. */
    void updateEach(String sql, List<@Nullable Object[]> arguments) {
        if (!isFar || arguments.size() == 1) {
            arguments.forEach(each -> updateOne(sql, each));
            return;
        }
        try {
            var statement = prepared(sql);
            for (var each : arguments) {
                bind(statement, each);
                statement.addBatch();
            }
            for (int rows : statement.executeBatch()) {
                if (rows != 1) {
                    throw new ConflictException("touched " + rows + " rows, not one: " + sql);
                }
                touched++;
            }
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    /**
     * The rows that have one of these texts in a column.
     *
     * @param sql ends before the list of texts: {@code … column IN}
     * @param first values of parameters that come before
     */
    <T> List<T> listIn(Row<T> row, String sql, List<String> texts, @Nullable Object... first) {
        var found = new ArrayList<T>();
        for (int from = 0; from < texts.size(); from += LARGEST_LIST) {
            var some = texts.subList(from, Math.min(texts.size(), from + LARGEST_LIST));
            int size = 1;
            while (size < some.size()) {
                size *= 2;
            }
            var arguments = Arrays.copyOf(first, first.length + size);
            for (int i = 0; i < size; i++) {
                arguments[first.length + i] =
                        some.get(Math.min(i, some.size() - 1)); // one that comes twice finds one row
            }
            found.addAll(list(row, sql + LISTS.get(size), arguments));
        }
        return found;
    }

    /** Inserts all of these rows, each with a value for every column. */
    void insert(Insert insert, List<@Nullable Object[]> rows) {
        int next = 0;
        for (var statement : insert.statements()) {
            var arguments = new @Nullable Object[statement.rows() * insert.columns()];
            while (rows.size() - next >= statement.rows()) {
                for (int i = 0; i < statement.rows(); i++) {
                    System.arraycopy(rows.get(next + i), 0, arguments, i * insert.columns(), insert.columns());
                }
                int touched = update(statement.sql(), arguments);
                if (touched != statement.rows()) {
                    throw new ConflictException("inserted " + touched + " rows: " + statement.sql());
                }
                next += statement.rows();
            }
        }
    }

    private PreparedStatement bind(String sql, @Nullable Object... arguments) throws SQLException {
        var statement = prepared(sql);
        bind(statement, arguments);
        return statement;
    }

    private PreparedStatement prepared(String sql) throws SQLException {
        var statement = prepared.get(sql);
        if (statement == null) {
            statement = connection.prepareStatement(sql);
            prepared.put(sql, statement);
        }
        return statement;
    }

    private static void bind(PreparedStatement statement, @Nullable Object... arguments) throws SQLException {
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case null -> statement.setNull(i + 1, Types.NULL);
                case String text -> statement.setString(i + 1, text);
                case Long number -> statement.setLong(i + 1, number);
                case Integer number -> statement.setInt(i + 1, number);
                case Double number -> statement.setDouble(i + 1, number);
                case Boolean flag -> statement.setInt(i + 1, flag ? 1 : 0);
                case Instant instant -> statement.setLong(i + 1, instant.toEpochMilli());
                case Duration duration -> statement.setLong(i + 1, duration.toMillis());
                default -> throw new IllegalArgumentException("no column has " + arguments[i].getClass());
            }
        }
    }

    /**
     * The driver cannot run a statement again that failed once ("statement is not executing"): a full disk would be survived by the
     * database and not by us.
     */
    private void forget(String sql) {
        var statement = prepared.remove(sql);
        if (statement != null) {
            try {
                statement.close();
            } catch (SQLException e) {
                LOG.debug("a statement that failed cannot be closed: {}", e.toString());
            }
        }
    }

    private RuntimeException failed(String sql, SQLException e) {
        forget(sql);
        var first = sql.strip().lines().findFirst().orElse("");
        if (isConflict.test(e)) {
            return new ConflictException("refused: " + first, e);
        }
        failed = true;
        var why = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        return new StoreException("failed: " + first + ": " + why, e);
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new StoreException("closing a connection failed", e);
        }
    }
}
