package dev.berth.server.app;

import dev.berth.server.auth.AwsPattern;
import dev.berth.server.auth.BearerToken;
import dev.berth.server.auth.Directory;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.Role;
import dev.berth.server.config.Configuration;
import dev.berth.server.config.ConfiguredPrincipal;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The principals of the configuration in force, made anew when that changes. */
final class DirectoryOfConfiguration implements Supplier<Directory> {
    private final Supplier<Configuration> configuration;
    private volatile Made made;

    DirectoryOfConfiguration(Supplier<Configuration> configuration) {
        this.configuration = configuration;
        this.made = make(configuration.get());
    }

    private record Made(Configuration of, Directory directory) {}

    @Override
    public Directory get() {
        var now = configuration.get();
        var latest = made;
        if (latest.of() != now) {
            latest = make(now);
            made = latest;
        }
        return latest.directory();
    }

    private static Made make(Configuration configuration) {
        return new Made(
                configuration,
                Directory.of(configuration.principals().values().stream()
                        .map(DirectoryOfConfiguration::listed)
                        .toList()));
    }

    private static @Nullable AwsPattern pattern(ConfiguredPrincipal.@Nullable Aws aws) {
        return aws == null ? null : new AwsPattern(aws.accounts(), aws.roles(), aws.principals());
    }

    private static Directory.Listed listed(ConfiguredPrincipal principal) {
        var roles = principal.roles().stream()
                .map(role -> Role.valueOf(role.toUpperCase(Locale.ROOT)))
                .collect(Collectors.toSet());
        return new Directory.Listed(
                new Principal(principal.name(), roles, principal.pools()),
                principal.tokens().stream()
                        .map(token -> BearerToken.hash(token.reveal()))
                        .toList(),
                pattern(principal.aws()));
    }
}
