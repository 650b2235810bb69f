package dev.berth.server.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

class StoreCopyTest {
    @Test
    void noTableIsForgotten() throws SQLException {
        try (var database = TestPostgres.create();
                var connection = database.connect();
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")) {
            var names = new ArrayList<String>();
            while (rows.next()) {
                names.add(rows.getString(1));
            }
            names.remove("flyway_schema_history");
            names.remove("generation");
            assertThat(StoreCopy.TABLES.stream().map(StoreCopy.Table::name)).containsExactlyInAnyOrderElementsOf(names);
        }
    }
}
