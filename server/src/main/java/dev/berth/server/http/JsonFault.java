package dev.berth.server.http;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;

/**
 * What is wrong with a text that is not JSON, in plain words. The parser tells it in words that are for programmers (of its settings,
 * its classes), so only what is known is translated, and nothing of its own is passed on.
 */
final class JsonFault {
    private static final int LONGEST = 50;
    private static final String CHARACTER = "^Unexpected character \\((.+?) \\(code [^)]*\\)\\)";

    /** In this order: the first that is found tells. {@code %s} is what the parser stumbled over. */
    private static final List<Rule> RULES = List.of(
            new Rule("^Unexpected end-of-input", "the body ends too early"),
            new Rule("\\(non-standard\\) comment", "JSON has no comments"),
            new Rule("^Unrecognized token ('[^']*')", "%s is not a word of JSON"),
            new Rule("^Non-standard token ('[^']*')", "%s is not a word of JSON"),
            new Rule("^Unexpected close marker ('.')", "%s does not close what is open"),
            new Rule("^Duplicate Object property (\".*\")", "a field named %s is there already"),
            new Rule(CHARACTER + ".*name$", "%s is not expected here, but a name in double quotes"),
            new Rule(CHARACTER + ".*colon", "%s is not expected here, but a colon"),
            new Rule(CHARACTER + ".*comma", "%s is not expected here, but a comma"),
            new Rule(CHARACTER + ".*hex-digit", "%s is not expected here, but a hexadecimal digit"),
            new Rule(CHARACTER + ".*numeric value", "%s is not expected here: JSON writes numbers otherwise"),
            new Rule(CHARACTER + ".*expected a (?:valid )?value", "%s is not expected here, but a value"),
            new Rule(CHARACTER, "%s is not expected here"),
            new Rule("Leading zeroes", "a number must not begin with a zero"),
            new Rule("^Illegal unquoted character", "a control character within a text must be escaped"),
            new Rule("^Illegal character", "a control character is not expected here"),
            new Rule("^Unrecognized character escape", "a text has an escape that JSON does not know"),
            new Rule("^Invalid UTF-8", "the body must be UTF-8"),
            new Rule("nesting depth", "the body is nested deeper than " + Json.DEEPEST + " levels"),
            new Rule("^Number value length", "a number has more than " + Json.MOST_DIGITS + " digits"),
            new Rule("^Name length", "a name has more than " + Json.LONGEST_NAME + " characters"));

    private JsonFault() {}

    private record Rule(Pattern said, String plain) {
        Rule(String said, String plain) {
            this(Pattern.compile(said, Pattern.DOTALL), plain);
        }
    }

    static String of(JacksonException e) {
        var message = String.valueOf(e.getOriginalMessage());
        for (var rule : RULES) {
            var said = rule.said().matcher(message);
            if (said.find()) {
                return said.groupCount() == 0 ? rule.plain() : rule.plain().formatted(quoted(said));
            }
        }
        return "this is not JSON";
    }

    /** What was found, in quotes; not at any length, and no control character, nor a byte that the parser took for one. */
    private static String quoted(Matcher said) {
        var text = said.group(1);
        char quote = text.charAt(0);
        if ((quote != '\'' && quote != '"')
                || (text.length() == 3 && (text.charAt(1) <= ' ' || text.charAt(1) >= 0x7f))) {
            return "a character";
        }
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "…" + quote;
    }
}
