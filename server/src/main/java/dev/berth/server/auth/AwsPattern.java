package dev.berth.server.auth;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Which callers of AWS a principal is: whom each of these allows that says anything.
 *
 * @param accounts of these; empty for any
 * @param roles having assumed one of these, with {@code *} for any characters; empty for whoever
 * @param principals of these ARNs, as STS tells them, with {@code *} for any characters of one part, and of all that follows the account;
 *     empty for whoever
 */
public record AwsPattern(Set<String> accounts, List<String> roles, List<String> principals) {
    /** {@code arn:partition:service:region:account:resource}; a resource may have colons of its own. */
    private static final int PARTS = 6;

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
                && (principals.isEmpty() || principals.stream().anyMatch(pattern -> matchesArn(pattern, caller.arn())));
    }

    private static boolean matches(List<String> patterns, String text) {
        return patterns.stream().anyMatch(pattern -> matches(pattern, text));
    }

    /** Part by part: the path of a user may have colons, so that whoever owns one account could write another into its name. */
    private static boolean matchesArn(String pattern, String arn) {
        var patterns = pattern.split(":", PARTS);
        var parts = arn.split(":", PARTS);
        return patterns.length == parts.length
                && IntStream.range(0, parts.length).allMatch(i -> matches(patterns[i], parts[i]));
    }

    private static boolean matches(String pattern, String text) {
        var regex = Arrays.stream(pattern.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*"));
        return Pattern.matches(regex, text);
    }
}
