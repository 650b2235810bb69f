package dev.berth.server.http;

import dev.berth.core.Pool;
import dev.berth.server.auth.PoolDesk;
import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;

/** The calls about the service itself, open to everybody: they tell counts and no names, but for the metrics' pools. */
final class ServiceCalls {
    /** Grows when a request may have a field that it could not have before. */
    static final int API_LEVEL = 2;

    private static final Header PROMETHEUS =
            HeaderValues.createCached(HeaderNames.CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");

    private final String version;
    private final BooleanSupplier ready;
    private final PoolDesk pools;
    private final ServiceMetrics metrics;
    private final byte[] openApi;

    ServiceCalls(String version, BooleanSupplier ready, PoolDesk pools, ServiceMetrics metrics) {
        this.version = version;
        this.ready = ready;
        this.pools = pools;
        this.metrics = metrics;
        this.openApi = resource("openapi.json");
    }

    private static byte[] resource(String name) {
        try (var in = ServiceCalls.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the resource " + name + " is missing");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Reply status(Call call) {
        var all = pools.all();
        int tokens = pools.tokens();
        return Reply.json(200, json -> {
            json.writeStartObject();
            json.writeStringProperty("service", "berth");
            json.writeStringProperty("version", version);
            json.writeNumberProperty("apiLevel", API_LEVEL);
            json.writeNumberProperty("pools", all.size());
            json.writeName("environments");
            json.writeStartObject();
            json.writeNumberProperty("total", sum(all, pool -> pool.counts().total()));
            json.writeNumberProperty("available", sum(all, pool -> pool.counts().available()));
            json.writeNumberProperty("allocated", sum(all, pool -> pool.counts().allocated()));
            json.writeNumberProperty("cleaning", sum(all, pool -> pool.counts().cleaning()));
            json.writeNumberProperty("checking", sum(all, pool -> pool.counts().checking()));
            json.writeNumberProperty("withheld", sum(all, pool -> pool.counts().withheld()));
            json.writeNumberProperty("dirty", sum(all, pool -> pool.counts().dirty()));
            json.writeEndObject();
            json.writeNumberProperty("retiring", sum(all, pool -> pool.counts().retiring()));
            json.writeNumberProperty("waiting", sum(all, Pool::waiting));
            json.writeNumberProperty("tokens", tokens);
            // As acctpool counts: who waits, and what is lent, an account each.
            json.writeNumberProperty(
                    "reservations",
                    sum(all, pool -> pool.waiting() + pool.counts().allocated()));
            json.writeNumberProperty("accounts", sum(all, pool -> pool.counts().total()));
            json.writeEndObject();
        });
    }

    private static int sum(Iterable<Pool> pools, ToIntFunction<Pool> count) {
        int sum = 0;
        for (var pool : pools) {
            sum += count.applyAsInt(pool);
        }
        return sum;
    }

    Reply live(Call call) {
        return state("live");
    }

    /** The store is usable and a configuration is in force; environments need not be verified. */
    Reply ready(Call call) {
        if (!ready.getAsBoolean()) {
            throw new Problem(
                    ErrorCode.NOT_READY, "The database cannot be used now, or no configuration is in force yet");
        }
        return state("ready");
    }

    private static Reply state(String is) {
        return Reply.json(200, json -> {
            json.writeStartObject();
            json.writeStringProperty("status", is);
            json.writeEndObject();
        });
    }

    Reply metrics(Call call) {
        return Reply.text(PROMETHEUS, metrics.scrape(pools.all()).getBytes(StandardCharsets.UTF_8));
    }

    Reply openApi(Call call) {
        return Reply.json(200, openApi);
    }
}
