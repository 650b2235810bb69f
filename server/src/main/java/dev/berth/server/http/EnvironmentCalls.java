package dev.berth.server.http;

import dev.berth.core.Answer;
import dev.berth.core.Command.Action;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentState;
import dev.berth.core.EnvironmentState.Allocated;
import dev.berth.core.EnvironmentState.Checking;
import dev.berth.core.EnvironmentState.Dirty;
import dev.berth.core.EnvironmentState.Retired;
import dev.berth.core.PoolName;
import dev.berth.server.auth.PoolDesk;
import dev.berth.server.auth.PoolEvent;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.Role;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** The calls under {@code /environments}. */
final class EnvironmentCalls {
    private static final Set<String> LIST_QUERY = Set.of("pool", "state", "cursor", "limit");
    private static final int LONGEST_REASON = 1024;
    private static final int LONGEST_NAME = 200;
    private static final int PAGE = 100;
    private static final int LARGEST_PAGE = 1000;

    private final PoolDesk desk;

    EnvironmentCalls(PoolDesk desk) {
        this.desk = desk;
    }

    // ---- looking

    Reply list(Call call) {
        call.allowQuery(LIST_QUERY);
        var pool = call.query("pool");
        if (pool != null && !PoolName.isValid(pool)) {
            throw Problem.field("pool", "is not a pool name");
        }
        var page = desk.environments(
                pool == null ? null : new PoolName(pool),
                state(call.query("state")),
                call.cursor(EnvironmentCursor::decode),
                call.limit(PAGE, LARGEST_PAGE));
        return Reply.json(200, json -> {
            json.writeStartObject();
            json.writeName("environments");
            json.writeStartArray();
            page.items().forEach(environment -> {
                json.writeStartObject();
                fields(json, environment);
                json.writeEndObject();
            });
            json.writeEndArray();
            var last = page.next();
            Json.text(json, "next", last == null ? null : EnvironmentCursor.encode(last));
            json.writeEndObject();
        });
    }

    private static EnvironmentState.@Nullable Name state(@Nullable String text) {
        if (text == null) {
            return null;
        }
        for (var name : EnvironmentState.Name.values()) {
            if (slug(name).equals(text)) {
                return name;
            }
        }
        throw Problem.field("state", "must be available, allocated, cleaning, checking, withheld, dirty or retired");
    }

    private static String slug(Enum<?> name) {
        return name.name().toLowerCase(Locale.ROOT);
    }

    Reply get(Call call) {
        var name = call.path("name");
        var environment = desk.environment(name)
                .orElseThrow(
                        () -> new Problem(ErrorCode.NO_SUCH_ENVIRONMENT, "No environment '%s'".formatted(shown(name))));
        return one(call.principal(), environment, desk.history(environment));
    }

    private Reply one(Principal principal, Environment environment, @Nullable List<PoolEvent> history) {
        boolean operator = principal.has(Role.OPERATOR);
        return Reply.json(200, json -> {
            json.writeStartObject();
            fields(json, environment);
            if (operator && environment.state() instanceof Dirty dirty) {
                Json.text(json, "report", dirty.report());
            }
            if (history != null) {
                json.writeName("history");
                json.writeStartArray();
                history.forEach(event -> EventJson.write(json, event, null, operator));
                json.writeEndArray();
            }
            json.writeEndObject();
        });
    }

    private void fields(JsonGenerator json, Environment environment) {
        var state = environment.state();
        json.writeStringProperty("name", environment.name().value());
        json.writeStringProperty("pool", desk.poolOf(environment));
        json.writeStringProperty("state", slug(state.name()));
        json.writeStringProperty("since", environment.since().toString());
        json.writeNumberProperty("epoch", environment.epoch());
        json.writeBooleanProperty("retiring", environment.isRetiring());
        var tenant = state instanceof Allocated ? environment.tenant() : null;
        Json.text(json, "holder", tenant == null ? null : tenant.requester());
        Json.text(json, "principal", tenant == null ? null : tenant.principal());
        Json.text(
                json, "allocation", tenant == null ? null : tenant.allocation().value());
        var work = state.work();
        Json.text(json, "step", work == null ? null : slug(work.step()));
        Json.text(json, "reason", reason(environment));
        Json.text(
                json,
                "retiredAt",
                state instanceof Retired ? environment.since().toString() : null);
        new FactsJson(environment.record().facts()).write(json);
    }

    /** Why it is dirty, was dirty before the check that a person asked for, is to become dirty, or is withheld. */
    private static @Nullable String reason(Environment environment) {
        return switch (environment.state()) {
            case Dirty dirty -> dirty.reason();
            case Checking checking ->
                checking.dirtyBecause() == null ? environment.quarantine() : checking.dirtyBecause();
            case Retired retired -> retired.dirtyBecause();
            case EnvironmentState.Withheld(var _, var by, var untilMended) ->
                "%s, of the same account, is %s".formatted(by, untilMended ? "dirty" : "not free");
            case EnvironmentState.Available _, Allocated _, EnvironmentState.Cleaning _ -> environment.quarantine();
        };
    }

    // ---- acting

    /** The handler of one action on one environment. */
    Route.Handler acting(Action action) {
        return call -> {
            var order = new Order();
            var body = call.body();
            if (body.length > 0) {
                BodyReader.read(body, order::reasonAlone, in -> {});
            }
            return switch (desk.act(call.principal(), call.path("name"), action, order.reason)) {
                case Answer.Acted(Environment environment) -> one(call.principal(), environment, null);
                case Answer.Refused refused -> throw Problem.refused(refused);
                case Answer.Current _, Answer.Done _, Answer.Claimed _, Answer.Renewed _, Answer.Reported _ ->
                    throw new IllegalStateException("an action is answered otherwise");
            };
        };
    }

    Reply actOnAll(Call call) {
        var order = new Order();
        BodyReader.read(call.body(), order::field, order::check);
        var action = order.action;
        var pool = order.pool;
        if (action == null || pool == null) {
            throw new IllegalStateException("a body without mistakes has an action and a pool");
        }
        var outcomes = desk.actOnAll(call.principal(), pool, order.state, action, order.reason)
                .orElseThrow(() -> new Problem(ErrorCode.NO_SUCH_POOL, "No pool '%s'".formatted(pool)));
        return Reply.json(200, json -> {
            json.writeStartObject();
            json.writeStringProperty("action", slug(action));
            json.writeStringProperty("pool", pool);
            json.writeName("done");
            json.writeStartArray();
            outcomes.stream()
                    .filter(outcome -> !(outcome.answer() instanceof Answer.Refused))
                    .forEach(outcome -> json.writeString(outcome.environment().value()));
            json.writeEndArray();
            json.writeName("refused");
            json.writeStartArray();
            outcomes.forEach(outcome -> {
                if (outcome.answer() instanceof Answer.Refused refused) {
                    json.writeStartObject();
                    json.writeStringProperty("name", outcome.environment().value());
                    json.writeStringProperty(
                            "code", ErrorCode.of(refused.refusal()).slug());
                    json.writeStringProperty("message", refused.detail());
                    json.writeEndObject();
                }
            });
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    /** What an operator wants, while it is read. */
    private static final class Order {
        private @Nullable Action action;
        private @Nullable String pool;
        private EnvironmentState.@Nullable Name state;
        private @Nullable String reason;

        void reasonAlone(BodyReader in, String name) {
            switch (name) {
                case "reason" -> reason = in.text(name, LONGEST_REASON);
                default -> in.unknown(name);
            }
        }

        void field(BodyReader in, String name) {
            switch (name) {
                case "action" -> action = action(in, in.text(name, LONGEST_NAME));
                case "pool" -> pool = in.text(name, LONGEST_NAME);
                case "state" -> state = state(in, in.text(name, LONGEST_NAME));
                default -> reasonAlone(in, name);
            }
        }

        private static @Nullable Action action(BodyReader in, @Nullable String text) {
            for (var action : Action.values()) {
                if (slug(action).equals(text)) {
                    return action;
                }
            }
            if (text != null) {
                in.mistake("action", "must be clean, verify, retire or quarantine");
            }
            return null;
        }

        private static EnvironmentState.@Nullable Name state(BodyReader in, @Nullable String text) {
            try {
                return EnvironmentCalls.state(text);
            } catch (Problem wrong) {
                wrong.mistakes().forEach(mistake -> in.mistake("state", mistake.message()));
                return null;
            }
        }

        void check(BodyReader in) {
            if (action == null) {
                in.mistake("action", "is needed: clean, verify, retire or quarantine");
            }
            if (pool == null) {
                in.mistake("pool", "is needed");
            }
        }
    }

    private static String shown(String name) {
        return name.length() <= LONGEST_NAME ? name : name.substring(0, LONGEST_NAME) + "…";
    }
}
