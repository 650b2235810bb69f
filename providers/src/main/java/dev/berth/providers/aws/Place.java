package dev.berth.providers.aws;

import dev.berth.providers.Kind.Mistake;
import dev.berth.providers.Kind.Record;
import dev.berth.providers.Task;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The account and region that an environment is.
 *
 * @param environment its name
 * @param account twelve digits
 * @param adminRole the ARN of the role that Berth cleans with, and that is lent where no access profile is asked for
 * @param profiles the ARN of the role of each access profile
 */
record Place(String environment, String account, String region, String adminRole, Map<String, String> profiles) {
    private static final Pattern ACCOUNT = Pattern.compile("[0-9]{12}");
    private static final Pattern REGION = Pattern.compile("[a-z]{2}(-[a-z]+)+-[0-9]");
    private static final Pattern ROLE =
            Pattern.compile("arn:aws[a-z-]*:iam::([0-9]{12}):role/([\\w+=,.@/-]*/)?([\\w+=,.@-]{1,64})");

    Place {
        profiles = Map.copyOf(profiles);
    }

    /**
     * Of what a task knows.
     *
     * @throws IllegalStateException where the record lacks what {@link #check} wants: one that was kept of another kind, say
     */
    static Place of(Task task) {
        Map<String, Object> facts = task.facts();
        Map<String, String> profiles = new TreeMap<>();
        if (facts.get("access") instanceof Map<?, ?> byName) {
            byName.forEach((name, profile) -> {
                if (profile instanceof Map<?, ?> fields && fields.get("role") instanceof String role) {
                    profiles.put(String.valueOf(name), role);
                }
            });
        }
        return new Place(
                task.environment(),
                text(facts, "account"),
                text(facts, "region"),
                text(facts, "adminRoleArn"),
                profiles);
    }

    private static String text(Map<String, Object> facts, String key) {
        if (facts.get(key) instanceof String text) {
            return text;
        }
        throw new IllegalStateException("the record has no " + key);
    }

    /** The role that a holder gets; null for a profile that is there no more. */
    @Nullable
    String role(@Nullable String profile) {
        return profile == null ? adminRole : profiles.get(profile);
    }

    /** Every role that may have been lent, the one that Berth works with first. */
    Set<String> roles() {
        Set<String> roles = new LinkedHashSet<>();
        roles.add(adminRole);
        roles.addAll(profiles.values());
        return roles;
    }

    /** The name of a role, without its path. */
    static String nameOf(String roleArn) {
        return roleArn.substring(roleArn.lastIndexOf('/') + 1);
    }

    /** Notes what is wrong with a record. */
    static void check(String environment, Record record, List<Mistake> mistakes) {
        String field = "environments." + environment + ".";
        Map<String, Object> facts = record.facts();
        String account = facts.get("account") instanceof String text ? text : null;
        if (account == null || !ACCOUNT.matcher(account).matches()) {
            mistakes.add(new Mistake(field + "account", "must be the twelve digits of an AWS account, in quotes"));
        }
        if (!(facts.get("region") instanceof String region)
                || !REGION.matcher(region).matches()) {
            mistakes.add(new Mistake(field + "region", "must be an AWS region, like eu-west-1"));
        }
        if (facts.get("adminRoleArn") instanceof String role) {
            role(field + "admin_role", role, account, mistakes);
        } else {
            mistakes.add(new Mistake(
                    field + "admin_role", "is missing: the ARN of the role that is lent and that Berth cleans with"));
        }
        if (!record.secrets().isEmpty()) {
            mistakes.add(new Mistake(field + "secrets", "are not for provider aws: it makes credentials of its roles"));
        }
        if (facts.get("access") instanceof Map<?, ?> profiles) {
            new TreeMap<>(profiles)
                    .forEach((name, profile) -> profile(field + "access." + name, profile, account, mistakes));
        }
    }

    private static void profile(String field, Object profile, @Nullable String account, List<Mistake> mistakes) {
        if (!(profile instanceof Map<?, ?> fields)) {
            return;
        }
        List<String> unknown = new ArrayList<>();
        fields.keySet().forEach(key -> unknown.add(String.valueOf(key)));
        unknown.removeAll(List.of("role", "connection"));
        unknown.stream()
                .sorted()
                .map(key ->
                        new Mistake(field + "." + key, "is not known; a profile of provider aws has role, connection"))
                .forEach(mistakes::add);
        if (fields.get("role") instanceof String role) {
            role(field + ".role", role, account, mistakes);
        } else {
            mistakes.add(new Mistake(field + ".role", "is missing: the ARN of the role that this profile lends"));
        }
    }

    private static void role(String field, String arn, @Nullable String account, List<Mistake> mistakes) {
        Matcher matcher = ROLE.matcher(arn);
        if (!matcher.matches()) {
            mistakes.add(new Mistake(field, "must be the ARN of a role, like arn:aws:iam::111111111111:role/Admin"));
        } else if (account != null && !matcher.group(1).equals(account)) {
            mistakes.add(new Mistake(field, "is a role of another account than the record's"));
        }
    }
}
