package dev.berth.server.store;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * How to insert rows, several with one statement: most of what a small row costs is the statement.
 *
 * @param columns of a row
 * @param statements for so many rows each, the most first, one row last: few, since each is kept prepared
 */
record Insert(int columns, List<Statement> statements) {
    private static final int[] SIZES = {32, 8, 1};

    /** A statement with parameters for so many rows. */
    record Statement(int rows, String sql) {}

    /** Into a table, given with the names of its columns: {@code table (column, ...)}. */
    static Insert into(String table) {
        int columns = 1 + (int) table.chars().filter(c -> c == ',').count();
        var row = "(" + String.join(", ", Collections.nCopies(columns, "?")) + ")";
        var statements = new ArrayList<Statement>();
        for (int size : SIZES) {
            statements.add(new Statement(
                    size, "INSERT INTO " + table + " VALUES " + String.join(", ", Collections.nCopies(size, row))));
        }
        return new Insert(columns, List.copyOf(statements));
    }

    /** The statement for one row. */
    String one() {
        return statements.getLast().sql();
    }
}
