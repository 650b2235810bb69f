package dev.berth.core;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Needs and shapes in a few words. A need is {@code 2*os:linux,gpu:1|2,/region:eu@ro}: how many, capabilities, constraints behind a
 * slash, an access profile; needs are joined by {@code +}. A shape is {@code os:linux,tags:a|b,/region:eu@ro|rw}.
 */
final class Words {
    private Words() {}

    static NeedClass needs(String text, boolean distinct) {
        return NeedClass.of(
                Arrays.stream(text.split("\\+", -1)).map(Words::need).toList(), distinct);
    }

    static Need need(String text) {
        int times = text.indexOf('*');
        boolean counted = times > 0 && text.substring(0, times).chars().allMatch(Character::isDigit);
        var rest = counted ? text.substring(times + 1) : text;
        int at = rest.indexOf('@');
        var facts = facts(at < 0 ? rest : rest.substring(0, at));
        var constraints = new TreeMap<String, SortedSet<String>>();
        facts.attributes.forEach((key, value) -> constraints.put(key, new TreeSet<>(List.of(value.split("\\|", -1)))));
        return new Need(
                counted ? Integer.parseInt(text.substring(0, times)) : 1,
                facts.capabilities,
                constraints,
                at < 0 ? null : rest.substring(at + 1));
    }

    static Shape shape(String text) {
        int at = text.indexOf('@');
        var facts = facts(at < 0 ? text : text.substring(0, at));
        return Shape.of(
                facts.capabilities,
                facts.attributes,
                at < 0 ? List.of() : List.of(text.substring(at + 1).split("\\|", -1)));
    }

    private record Facts(TreeMap<String, Value> capabilities, TreeMap<String, String> attributes) {}

    private static Facts facts(String text) {
        var facts = new Facts(new TreeMap<>(), new TreeMap<>());
        for (var fact : text.split(",", -1)) {
            int colon = fact.indexOf(':');
            if (colon > 0 && fact.startsWith("/")) {
                facts.attributes.put(fact.substring(1, colon), fact.substring(colon + 1));
            } else if (colon > 0) {
                facts.capabilities.put(fact.substring(0, colon), value(fact.substring(colon + 1)));
            }
        }
        return facts;
    }

    static Value value(String text) {
        if (text.contains("|")) {
            var values = new ArrayList<Value>();
            for (var part : text.split("\\|", -1)) {
                values.add(value(part));
            }
            return new Value.Many(values);
        }
        if (text.equals("true") || text.equals("false")) {
            return new Value.Flag(text.equals("true"));
        }
        return text.matches("-?\\d+(\\.\\d+)?") ? new Value.Number(new BigDecimal(text)) : new Value.Text(text);
    }
}
