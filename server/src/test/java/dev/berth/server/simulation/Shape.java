package dev.berth.server.simulation;

import dev.berth.core.EnvironmentName;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Step;
import dev.berth.core.Value;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** The pools of the simulation, one of each kind that differs in its steps. */
enum Shape {
    PLAIN(EnumSet.noneOf(Step.class), true, 1_000),
    FULL(EnumSet.allOf(Step.class), true, 60),
    /** Whose lost workers cannot be made harmless, only waited for. */
    CLOUD(EnumSet.allOf(Step.class), false, 30),
    ISSUED(EnumSet.of(Step.ISSUE), true, 15),
    /** That cleans itself, and is looked at. */
    VERIFIED(EnumSet.of(Step.VERIFY), true, 15),
    /** Of several kinds, in several accounts, for who wants certain ones together. */
    LAB(EnumSet.allOf(Step.class), true, 20),
    /** Of few, for long: what somebody gathers is lent meanwhile. */
    GATHERED(EnumSet.noneOf(Step.class), true, 8),
    /** Whose users take turns by what they had of it. */
    SHARED(EnumSet.noneOf(Step.class), true, 12),
    /** Of whose accounts one environment is lent at a time. */
    APART(EnumSet.allOf(Step.class), true, 16);

    /** Those that differ in their steps alone: many commands are through with them soon. */
    static final List<Shape> STEPS = List.of(PLAIN, FULL, CLOUD, ISSUED, VERIFIED);

    /** Those that lend an account's environments side by side. */
    static final List<Shape> TOGETHER = List.of(PLAIN, FULL, CLOUD, ISSUED, VERIFIED, LAB, GATHERED, SHARED);

    static final List<Shape> ALL = List.of(values());

    @SuppressWarnings("ImmutableEnumChecker") // a copy that nobody changes
    private final Set<Step> steps;

    private static final Value SIZES = new Value.Many(List.of(new Value.Text("s"), new Value.Text("m")));

    private final boolean programs;
    private final int size;

    Shape(Set<Step> steps, boolean programs, int size) {
        this.steps = Set.copyOf(steps);
        this.programs = programs;
        this.size = size;
    }

    Set<Step> steps() {
        return steps;
    }

    boolean programs() {
        return programs;
    }

    int size() {
        return size;
    }

    PoolName pool() {
        return new PoolName(name().toLowerCase(Locale.ROOT));
    }

    static Shape of(EnvironmentName environment) {
        var text = environment.value();
        return valueOf(text.substring(0, text.indexOf('-')).toUpperCase(Locale.ROOT));
    }

    static Shape of(PoolName pool) {
        return valueOf(pool.value().toUpperCase(Locale.ROOT));
    }

    List<Registration> records() {
        return IntStream.range(0, size)
                .mapToObj(i -> new Registration(
                        new EnvironmentName(pool() + "-" + i),
                        pool() + " thing " + i,
                        this == CLOUD || this == LAB || this == APART ? "account-" + i / 4 : null,
                        kind(i),
                        "{}",
                        "digest " + i))
                .toList();
    }

    private dev.berth.core.Shape kind(int i) {
        return switch (this) {
            case LAB ->
                dev.berth.core.Shape.of(
                        Map.of("arch", text(i % 2 == 0 ? "arm" : "x86"), "size", i % 3 == 0 ? SIZES : text("s")),
                        Map.of("region", i % 4 < 2 ? "north" : "south"),
                        i % 5 == 0 ? List.of("readonly") : List.of());
            case SHARED -> dev.berth.core.Shape.of(Map.of("kind", text(i % 3 == 0 ? "a" : "b")), Map.of(), List.of());
            case APART -> dev.berth.core.Shape.of(Map.of(), Map.of("region", i % 4 < 2 ? "north" : "south"), List.of());
            case PLAIN, FULL, CLOUD, ISSUED, VERIFIED, GATHERED -> dev.berth.core.Shape.PLAIN;
        };
    }

    private static Value text(String value) {
        return new Value.Text(value);
    }

    // ---- what is asked for

    private static Need need(int count, Map<String, Value> capabilities, Map<String, SortedSet<String>> constraints) {
        return new Need(count, new TreeMap<>(capabilities), new TreeMap<>(constraints), null);
    }

    /** What somebody asks for here. */
    NeedClass need(Timeline timeline) {
        int dice = timeline.random.nextInt(100);
        return switch (this) {
            case PLAIN, FULL, CLOUD, ISSUED, VERIFIED ->
                any(dice < 80 ? 1 : (int) timeline.between(2, 5), this == CLOUD && dice > 90);
            case GATHERED -> {
                if (dice < 75) {
                    yield any(1, false);
                }
                yield dice < 95
                        ? any((int) timeline.between(3, 6), false)
                        : NeedClass.of(
                                List.of(need(
                                        2,
                                        Map.of(),
                                        Map.of(
                                                Need.NAME,
                                                new TreeSet<>(List.of("gathered-0", "gathered-1", "gathered-2"))))),
                                false);
            }
            case SHARED -> {
                var a = need(1 + dice % 2, Map.of("kind", text("a")), Map.of());
                if (dice < 50) {
                    yield any(1, false);
                }
                yield dice < 80
                        ? NeedClass.of(List.of(a), false)
                        : dice < 90
                                ? any(4, false)
                                : NeedClass.of(List.of(a, need(1, Map.of("kind", text("b")), Map.of())), false);
            }
            case LAB -> lab(dice);
            case APART -> apart(dice);
        };
    }

    private static NeedClass lab(int dice) {
        if (dice < 30) {
            return any(1 + dice % 3, false);
        }
        if (dice < 45) {
            return NeedClass.of(List.of(need(1 + dice % 2, Map.of("arch", text("arm")), Map.of())), false);
        }
        if (dice < 55) {
            return NeedClass.of(List.of(need(1, Map.of("size", text("m")), Map.of())), false);
        }
        if (dice < 65) {
            return any(2 + dice % 3, true);
        }
        if (dice < 80) {
            return NeedClass.of(
                    List.of(
                            need(1, Map.of("arch", new Value.Many(List.of(text("arm"), text("riscv")))), Map.of()),
                            need(1 + dice % 2, Map.of("size", text("m")), Map.of())),
                    dice % 4 == 0);
        }
        if (dice < 88) {
            return NeedClass.of(
                    List.of(need(2, Map.of(), Map.of("region", new TreeSet<>(List.of("north", "east"))))), false);
        }
        return dice < 95
                ? NeedClass.of(
                        List.of(need(
                                1, Map.of(), Map.of(Need.ACCOUNT, new TreeSet<>(List.of("account-1", "account-2"))))),
                        false)
                : NeedClass.of(
                        List.of(new Need(
                                1, new TreeMap<>(Map.of("size", Value.Text.ANY)), new TreeMap<>(), "readonly")),
                        false);
    }

    private static NeedClass apart(int dice) {
        if (dice < 40) {
            return any(1 + dice % 2, true);
        }
        var region = new TreeSet<>(List.of(dice % 2 == 0 ? "north" : "south"));
        return dice < 80
                ? NeedClass.of(List.of(need(1, Map.of(), Map.of("region", region))), false)
                : NeedClass.of(
                        List.of(need(1, Map.of(), Map.of(Need.ACCOUNT, new TreeSet<>(List.of("account-1"))))), false);
    }

    private static NeedClass any(int count, boolean distinct) {
        return NeedClass.of(List.of(Need.any(count)), distinct);
    }

    boolean isForPersons() {
        return this == SHARED || this == FULL || this == GATHERED;
    }

    int maxPriority() {
        return this == SHARED || this == LAB ? 2 : 0;
    }

    Duration liveness() {
        return Duration.ofSeconds(this == LAB ? 20 : this == SHARED ? 30 : 60);
    }

    Policy policy() {
        var limits = new Policy.Limits(Duration.ofSeconds(60), 3);
        return new Policy(
                "simulated",
                "{}",
                steps,
                Duration.ofMinutes(5),
                Duration.ofMinutes(10),
                this == PLAIN ? Duration.ofSeconds(30) : null,
                Duration.ofSeconds(30),
                this == CLOUD,
                Map.of(Step.ISSUE, limits, Step.REVOKE, limits, Step.CLEAN, limits, Step.VERIFY, limits),
                steps.contains(Step.VERIFY) ? Duration.ofMinutes(10) : null,
                new Policy.Queueing(
                        200,
                        Duration.ofHours(4),
                        this == SHARED ? Policy.Queueing.Order.FAIR : Policy.Queueing.Order.FIFO,
                        this == SHARED ? "team" : null,
                        Duration.ofMinutes(10),
                        Duration.ofMinutes(2),
                        liveness(),
                        maxPriority()),
                quota(),
                this == LAB ? Map.of("client-1", Policy.Quota.NONE) : Map.of(),
                isForPersons() ? new Policy.Hold(Duration.ofMinutes(2), 3) : null,
                20,
                2,
                this == APART);
    }

    private Policy.Quota quota() {
        return switch (this) {
            case LAB -> new Policy.Quota(6, 2);
            case SHARED -> new Policy.Quota(5, 3);
            case PLAIN, FULL, CLOUD, ISSUED, VERIFIED, GATHERED, APART -> Policy.Quota.NONE;
        };
    }
}
