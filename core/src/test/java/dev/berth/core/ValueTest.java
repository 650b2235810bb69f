package dev.berth.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What meets what, which fits best, and how use is forgotten. */
final class ValueTest {

    /** What an environment has, whether it meets, and what is asked for. */
    private static final String MEETS = """
            1            meets     1
            1            meets     1.0
            100          meets     1e2
            1            not       "1"
            "1"          not       1
            true         meets     true
            true         not       "true"
            "x"          not       "X"
            "x"          meets     "*"
            1            meets     "*"
            null         meets     "*"
            []           meets     "*"
            {}           meets     "*"
            "*"          meets     "*"
            "x"          meets     ["y","x"]
            "x"          not       ["y"]
            "x"          not       []
            "x"          meets     ["y","*"]
            ["a","b"]    meets     "b"
            ["a","b"]    not       "c"
            ["a","b"]    meets     ["c","a"]
            ["a","b"]    not       ["c","d"]
            []           not       "a"
            [["a"]]      meets     "a"
            {"a":1}      meets     {}
            {"a":1,"b":2} meets    {"a":1}
            {"a":1}      not       {"a":2}
            {"a":1}      not       {"a":1,"b":2}
            {"a":1}      meets     {"a":"*"}
            {"a":1}      not       {"b":"*"}
            {"a":[1,2]}  meets     {"a":2}
            {"a":{"b":1,"c":2}} meets {"a":{"b":[1,3]}}
            {"a":1}      not       "a"
            "a"          not       {"a":1}
            [{"a":1},{"a":2}] meets {"a":2}
            [{"a":1},{"b":2}] not  {"a":1,"b":2}
            null         meets     null
            null         not       "null"
            false        not       null
            """;

    @TestFactory
    Stream<DynamicTest> whatAnEnvironmentHasMeetsWhatIsAskedFor() {
        return MEETS.lines()
                .map(line -> DynamicTest.dynamicTest(line, () -> {
                    var words = line.strip().split("\\s+", -1);
                    assertThat(parse(words[0]).meets(parse(words[2]))).as(line).isEqualTo(words[1].equals("meets"));
                }));
    }

    /** JSON without spaces within, as far as the table above has it. */
    private static Value parse(String json) {
        if (json.startsWith("[")) {
            return new Value.Many(parts(json).stream().map(ValueTest::parse).toList());
        }
        if (json.startsWith("{")) {
            var fields = new LinkedHashMap<String, Value>();
            for (var part : parts(json)) {
                int colon = part.indexOf(':');
                fields.put(part.substring(1, colon - 1), parse(part.substring(colon + 1)));
            }
            return Value.of(fields);
        }
        return switch (json) {
            case "true", "false" -> new Value.Flag(json.equals("true"));
            case "null" -> new Value.Nothing();
            default ->
                json.startsWith("\"")
                        ? new Value.Text(json.substring(1, json.length() - 1))
                        : new Value.Number(new BigDecimal(json));
        };
    }

    private static List<String> parts(String json) {
        var parts = new ArrayList<String>();
        int depth = 0;
        int from = 1;
        for (int i = 1; i < json.length(); i++) {
            char at = json.charAt(i);
            if (depth == 0 && (at == ',' || i == json.length() - 1)) {
                if (i > from) {
                    parts.add(json.substring(from, i));
                }
                from = i + 1;
            }
            depth += at == '[' || at == '{' ? 1 : at == ']' || at == '}' ? -1 : 0;
        }
        return parts;
    }

    @Test
    void theSameIsWrittenTheSameWay() {
        for (var line : MEETS.lines().toList()) {
            for (var json :
                    List.of(line.strip().split("\\s+", -1)[0], line.strip().split("\\s+", -1)[2])) {
                var value = parse(json);
                assertThat(parse(value.json())).isEqualTo(value);
            }
        }
        assertThat(parse("1.0").json()).isEqualTo(parse("1").json());
        assertThat(parse("0.0").json()).isEqualTo(parse("0").json());
        assertThat(parse("1").json()).isNotEqualTo(parse("\"1\"").json());
    }

    @Test
    void theOrderOfKeysAndOfValuesMakesNoDifferenceAndLikeNeedsAreOne() {
        assertThat(Words.needs("a:1,b:2", false).digest())
                .isEqualTo(Words.needs("b:2,a:1.0", false).digest());
        assertThat(Words.needs("a:1+a:1.0", false)).isEqualTo(Words.needs("2*a:1", false));
        assertThat(Words.needs("a:1+a:1", false).needs()).containsExactly(Words.need("2*a:1"));
        assertThat(Words.needs("/region:eu|us", false)).isEqualTo(Words.needs("/region:us|eu", false));
        assertThat(Words.shape("a:1,b:2@x|y")).isEqualTo(Words.shape("b:2,a:1.0@y|x"));
    }

    @Test
    void whatIsNotTheSameHasAnotherDigest() {
        var needs = Stream.of(
                        "", "2*", "a:1", "a:x", "b:1", "/a:1", "@a", "a:1+b:1", "a:1,b:1", "2*a:1", "a:1|2", "a:true")
                .map(text -> Words.needs(text, false).digest())
                .toList();
        assertThat(needs).doesNotHaveDuplicates();
        assertThat(Words.needs("2*a:1", true)).isNotEqualTo(Words.needs("2*a:1", false));
        assertThat(Words.needs("a:1", true)).isEqualTo(Words.needs("a:1", false));
        assertThat(Stream.of("", "a:1", "/a:1", "@a", "a:x", "a:1|2")
                        .map(text -> Words.shape(text).digest()))
                .doesNotHaveDuplicates();
    }

    @Test
    void theOrderOfDifferentNeedsIsKeptSinceTheFirstIsAnsweredFirst() {
        assertThat(Words.needs("a:1+b:1", false)).isNotEqualTo(Words.needs("b:1+a:1", false));
    }

    @Test
    void theShapeWithTheFewestFactsThatAreNotAskedForComesFirst() {
        assertOrder("os:linux", "os:linux", "os:linux,gpu:1", "os:linux,gpu:1,ram:64", "os:linux,a:1,b:1,c:1");
        assertOrder("os:linux,gpu:1", "gpu:1,os:linux", "gpu:1,os:linux,ram:64");
        assertOrder("os:*", "os:linux", "os:linux,ram:64");
        assertOrder("@ro", "@ro", "@ro|rw", "os:linux@ro|rw");
        assertOrder("tags:a", "tags:a", "tags:a|b", "tags:a|b|c");
        assertOrder("", "", "a:1", "a:1|2", "a:1,b:1|2");
    }

    private static void assertOrder(String need, String... shapes) {
        var order = Arrays.stream(shapes).map(Words::shape).toList();
        var mixed = new ArrayList<>(order.reversed().stream()
                .map(shape -> new ShapeCount(shape, 1, 0, 0, 0, 0))
                .toList());
        mixed.add(new ShapeCount(Words.shape("os:beos,tags:z"), 9, 0, 0, 0, 0));
        var wanted = Words.need(need);
        var found = Fit.order(wanted, mixed).stream().map(ShapeCount::shape).toList();
        assertThat(found.stream().filter(order::contains)).containsExactlyElementsOf(order);
        assertThat(found).allMatch(wanted::fits);
    }

    @Test
    void ofEquallyGoodShapesThatOfWhichThereAreMoreComesFirst() {
        var few = new ShapeCount(Words.shape("os:linux,a:1"), 2, 0, 0, 0, 0);
        var many = new ShapeCount(Words.shape("os:linux,b:1"), 0, 2, 0, 1, 0);
        assertThat(Fit.order(Words.need("os:linux"), List.of(few, many))).containsExactly(many, few);
    }

    @Test
    void useIsForgottenAsTheIntegralSays() {
        var random = new Random(11);
        for (int round = 0; round < 50; round++) {
            var halfLife = Duration.ofMinutes(1 + random.nextInt(2_000));
            var start = Instant.parse("2026-03-01T00:00:00Z");
            var holder = Holder.unknown("ann", start);
            var now = start;
            double used = 0;
            int held = 0;
            for (int i = 0; i < 5; i++) {
                int more = held > 0 && random.nextBoolean() ? -1 : 1 + random.nextInt(3);
                holder = holder.holding(more, now, halfLife);
                held += more;
                int minutes = random.nextInt(3_000);
                used = integrated(used, held, minutes, halfLife);
                now = now.plus(Duration.ofMinutes(minutes));
                assertThat(holder.usedAt(now, halfLife)).isCloseTo(used, within(1e-3 * (1 + used)));
            }
            assertThat(holder.held()).isEqualTo(held);
        }
    }

    /** In steps of a hundredth of a minute, each of which loses what it should by then (midpoint rule). */
    private static double integrated(double used, int held, int minutes, Duration halfLife) {
        int steps = Math.max(1, minutes * 20);
        double step = (double) minutes / steps;
        double lost = Math.pow(0.5, step / halfLife.toMinutes());
        double half = Math.pow(0.5, step / 2 / halfLife.toMinutes());
        double sum = used;
        for (int i = 0; i < steps; i++) {
            sum = sum * lost + held * step * half;
        }
        return sum;
    }

    @Test
    void halfOfWhatWasUsedCountsAfterAHalfLife() {
        var start = Instant.parse("2026-03-01T00:00:00Z");
        var day = Duration.ofDays(1);
        var done = Holder.unknown("ann", start).holding(1, start, day).holding(-1, start.plusSeconds(60), day);
        double then = done.usedAt(start.plusSeconds(60), day);
        assertThat(then).isCloseTo(1, within(1e-3));
        assertThat(done.usedAt(start.plusSeconds(60).plus(day), day)).isCloseTo(then / 2, within(1e-9));
        assertThat(done.servedAt()).isEqualTo(start);
        assertThat(done.usedAt(start, day)).as("a clock that was slewed").isCloseTo(then, within(1e-9));
    }

    @Test
    void aNeedThatIsPinnedAsksForAccountsOrNames() {
        assertThat(Words.need("/account:a").isPinned()).isTrue();
        assertThat(Words.need("/name:e1").isPinned()).isTrue();
        assertThat(Words.need("/region:eu").isPinned()).isFalse();
        assertThat(Words.need("/region:eu").fits(Words.shape(""))).isFalse();
        assertThat(Words.need("/account:a").allows(new EnvironmentName("e1"), null))
                .isFalse();
    }
}
