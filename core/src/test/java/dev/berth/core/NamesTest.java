package dev.berth.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NamesTest {
    private static final Pattern ID = Pattern.compile("[0-9a-z]{1,6}-[0-9a-z]{9}-[0-9a-v]{26}");
    private static final Pattern ENVIRONMENT = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}");
    private static final Pattern POOL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
    private static final String LETTERS = "09azvwAZ-._:@ \n\u00e9\u0661";
    private static final int TRIES = 50_000;

    /** The checks by hand are worth having only as long as they say what the expressions say, which are easier to read. */
    @Test
    void checksByHandSayWhatTheirRegularExpressionsSay() {
        long seed = 20_260_711;
        var random = new Random(seed);
        for (int i = 0; i < TRIES; i++) {
            var text = changed(
                    AllocationId.create(1 + random.nextInt(1 << random.nextInt(1, 31)), Instant.EPOCH, random)
                            .value(),
                    random);
            var longer = text.repeat(random.nextInt(7));

            assertThat(AllocationId.parse(text).isPresent())
                    .as("seed %d: id %s", seed, text)
                    .isEqualTo(ID.matcher(text).matches());
            assertThat(EnvironmentName.isValid(longer))
                    .as("seed %d: environment %s", seed, longer)
                    .isEqualTo(ENVIRONMENT.matcher(longer).matches());
            assertThat(PoolName.isValid(longer))
                    .as("seed %d: pool %s", seed, longer)
                    .isEqualTo(POOL.matcher(longer).matches());
        }
    }

    private static String changed(String valid, Random random) {
        var text = new StringBuilder(valid);
        for (int changes = random.nextInt(4); changes > 0; changes--) {
            int at = random.nextInt(text.length());
            char letter = LETTERS.charAt(random.nextInt(LETTERS.length()));
            switch (random.nextInt(3)) {
                case 0 -> text.insert(at, letter);
                case 1 -> text.deleteCharAt(at);
                default -> text.setCharAt(at, letter);
            }
        }
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 35, 36, 1_000_000, Integer.MAX_VALUE})
    void anIdTellsItsPool(int pool) {
        assertThat(AllocationId.create(pool, Instant.EPOCH, new Random(1)).poolNumber())
                .isEqualTo(pool);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-", "a b", "1-000000000-0000000000000000000000000w"})
    void whatIsNoIdMakesNone(String text) {
        assertThatThrownBy(() -> new AllocationId(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
