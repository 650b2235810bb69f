package dev.berth.server.store;

import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a PostgreSQL is and who asks: {@code postgresql://USER@HOST:PORT/DATABASE?NAME=VALUE&…}, with several hosts where a standby may
 * take over. Written into command lines and shown in messages, so that a password has no place in it.
 *
 * @param user null for the one that the driver assumes, whose name is that of the process's user
 * @param hosts {@code HOST:PORT,…} as in the URL
 * @param database its name
 * @param parameters of the driver
 * @param passwordFile null where the password is in the process's environment, or there is none
 */
public record PostgresUrl(
        @Nullable String user,
        String hosts,
        String database,
        Map<String, String> parameters,
        @Nullable String passwordFile) {
    private static final Pattern FORM =
            Pattern.compile("(?:postgresql|postgres)://(?:([^@/?]*)@)?([^@/?]*)/([^/?]*)(?:\\?(.*))?");
    private static final Pattern HOST = Pattern.compile("(?:[A-Za-z0-9._-]+|\\[[0-9a-fA-F:.]+])(?::[0-9]{1,5})?");
    private static final String PASSWORD_FILE = "passwordFile";
    private static final int LARGEST_PASSWORD = 64 * 1024;

    /** What may be set of the driver: where, by TLS or not, as whom. Others could load classes or change what the store relies on. */
    private static final Set<String> PARAMETERS = Set.of(
            "sslmode",
            "sslnegotiation",
            "sslrootcert",
            "sslcert",
            "sslkey",
            "channelBinding",
            "gssEncMode",
            "currentSchema",
            "loadBalanceHosts",
            "ApplicationName",
            PASSWORD_FILE);

    static final String WHERE_A_PASSWORD_GOES =
            "put it into the variable BERTH_STORE_PASSWORD, or into a file and name that with ?passwordFile=FILE";

    public PostgresUrl {
        parameters = Map.copyOf(parameters);
    }

    public static boolean isOne(String text) {
        return text.startsWith("postgresql:") || text.startsWith("postgres:");
    }

    /**
     * Reads a URL.
     *
     * @throws UnfitDatabaseException where it is none, or has a password; the message shows neither
     */
    public static PostgresUrl parse(String text) {
        var form = FORM.matcher(text);
        if (!form.matches()) {
            throw new UnfitDatabaseException(
                    "the URL of the store is not of the form postgresql://USER@HOST:PORT/DATABASE"
                            + " (characters like @ / ? : in a name are written as %40 %2F %3F %3A)");
        }
        var user = form.group(1);
        if (user != null && user.contains(":")) {
            throw new UnfitDatabaseException(
                    "the URL of the store has a password, which everybody on the machine can read there: "
                            + WHERE_A_PASSWORD_GOES);
        }
        var hosts = form.group(2);
        for (var host : hosts.split(",", -1)) {
            if (!HOST.matcher(host).matches()) {
                throw new UnfitDatabaseException(
                        "the URL of the store must name a host, HOST or HOST:PORT, or several with commas");
            }
        }
        if (form.group(3).isEmpty()) {
            throw new UnfitDatabaseException(
                    "the URL of the store must name a database: postgresql://USER@HOST:PORT/DATABASE");
        }
        var parameters = parameters(form.group(4));
        var passwordFile = parameters.remove(PASSWORD_FILE);
        return new PostgresUrl(
                user == null || user.isEmpty() ? null : decoded(user),
                hosts,
                decoded(form.group(3)),
                parameters,
                passwordFile);
    }

    private static Map<String, String> parameters(@Nullable String query) {
        var parameters = new TreeMap<String, String>();
        for (var part : query == null || query.isEmpty() ? new String[0] : query.split("&", -1)) {
            int end = part.indexOf('=');
            var name = end < 0 ? part : part.substring(0, end);
            if (name.equalsIgnoreCase("password") || name.equalsIgnoreCase("sslpassword")) {
                throw new UnfitDatabaseException(
                        "the URL of the store has a password, which everybody on the machine can read there: "
                                + WHERE_A_PASSWORD_GOES);
            }
            if (end < 0 || !PARAMETERS.contains(name)) {
                throw new UnfitDatabaseException("the URL of the store may set, as NAME=VALUE, only "
                        + String.join(", ", PARAMETERS.stream().sorted().toList()));
            }
            if (parameters.put(name, decoded(part.substring(end + 1))) != null) {
                throw new UnfitDatabaseException("the URL of the store sets " + name + " twice");
            }
        }
        return parameters;
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new UnfitDatabaseException("the URL of the store has a % that two hexadecimal digits must follow", e);
        }
    }

    /** As the driver knows it. */
    String jdbc() {
        return "jdbc:postgresql://" + hosts + "/" + URLEncoder.encode(database, StandardCharsets.UTF_8);
    }

    /**
     * What the driver is told besides.
     *
     * @param environment the process's environment, by name
     * @throws UnfitDatabaseException where the file with the password cannot be read
     */
    Properties properties(UnaryOperator<@Nullable String> environment) {
        var properties = new Properties();
        properties.setProperty("ApplicationName", "berth");
        properties.putAll(parameters);
        if (user != null) {
            properties.setProperty("user", user);
        }
        var password = passwordFile == null ? fromEnvironment(environment) : fromFile(passwordFile);
        if (password != null) {
            properties.setProperty("password", password);
        }
        return properties;
    }

    private static @Nullable String fromEnvironment(UnaryOperator<@Nullable String> environment) {
        var own = environment.apply("BERTH_STORE_PASSWORD");
        return own == null ? environment.apply("PGPASSWORD") : own;
    }

    private static String fromFile(String name) {
        try (var in = Files.newInputStream(Path.of(name))) {
            var bytes = in.readNBytes(LARGEST_PASSWORD + 1);
            var password = new String(bytes, StandardCharsets.UTF_8).stripTrailing();
            if (bytes.length > LARGEST_PASSWORD || password.isEmpty()) {
                throw new UnfitDatabaseException("the file with the store's password, " + name + ", is "
                        + (password.isEmpty() ? "empty" : "larger than 64 KiB"));
            }
            return password;
        } catch (IOException | InvalidPathException e) {
            throw new UnfitDatabaseException("the file with the store's password, " + name + ", cannot be read", e);
        }
    }

    @Override
    public String toString() {
        return "postgresql://" + (user == null ? "" : user + "@") + hosts + "/" + database;
    }
}
