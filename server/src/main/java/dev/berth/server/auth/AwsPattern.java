package dev.berth.server.auth;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which callers of AWS a principal is: whom each of these allows that says anything.
 *
 * @param accounts of these; empty for any
 * @param roles having assumed one of these, with {@code *} for any characters; empty for whoever
 * @param principals of these ARNs, as STS tells them, with {@code *} for any characters; empty for whoever
 */
public record AwsPattern(Set<String> accounts, List<String> roles, List<String> principals) {
    public AwsPattern {
        accounts = Set.copyOf(accounts);
        roles = List.copyOf(roles);
        principals = List.copyOf(principals);
        if (accounts.isEmpty() && principals.isEmpty()) {
            throw new IllegalArgumentException("anybody at all could call");
        }
    }

    boolean matches(AwsCaller caller) {
        var role = caller.role();
        return (accounts.isEmpty() || accounts.contains(caller.account()))
                && (roles.isEmpty() || (role != null && matches(roles, role)))
                && (principals.isEmpty() || matches(principals, caller.arn()));
    }

    private static boolean matches(List<String> patterns, String text) {
        return patterns.stream().anyMatch(pattern -> matches(pattern, text));
    }

    private static boolean matches(String pattern, String text) {
        var regex = Arrays.stream(pattern.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*"));
        return Pattern.matches(regex, text);
    }
}
