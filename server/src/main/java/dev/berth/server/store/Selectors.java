package dev.berth.server.store;

import dev.berth.core.Fit;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Shape;
import dev.berth.core.ShapeCount;
import dev.berth.core.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/**
 * What requests select by, read from the JSON in which the rules write it. Few are different and every batch reads them: each is
 * parsed once, and found by its digest from then on.
 */
final class Selectors {
    private static final int MOST = 20_000;
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private final Map<String, Shape> shapes = new ConcurrentHashMap<>();
    private final Map<String, NeedClass> needs = new ConcurrentHashMap<>();
    /** The last ones, by the number of the pool. */
    private final Map<Integer, Fit> fits = new ConcurrentHashMap<>();

    /** The content is asked for only where the shape is not known. */
    Shape shape(String digest, Supplier<String> content) {
        var known = shapes.get(digest);
        return known == null ? keep(shapes, digest, shape(JSON.readTree(content.get()))) : known;
    }

    /** Null where it was not read before. */
    @Nullable
    NeedClass need(String digest) {
        return needs.get(digest);
    }

    NeedClass need(String digest, String content) {
        return keep(needs, digest, need(JSON.readTree(content)));
    }

    /** What is remembered of a pool's shapes, as long as these are the same. */
    Fit fit(int pool, Map<String, ShapeCount> shapes) {
        var known = fits.get(pool);
        return known != null && known.isOf(shapes) ? known : keep(fits, pool, new Fit(shapes.values()));
    }

    private static <K, T> T keep(Map<K, T> cache, K key, T read) {
        if (cache.size() >= MOST) {
            cache.clear();
        }
        cache.put(key, read);
        return read;
    }

    private static Shape shape(JsonNode shape) {
        var attributes = new TreeMap<String, String>();
        shape.get("attributes")
                .properties()
                .forEach(own -> attributes.put(own.getKey(), own.getValue().asString()));
        return Shape.of(fields(shape.get("capabilities")), attributes, texts(shape.get("profiles")));
    }

    private static NeedClass need(JsonNode whole) {
        var needs = new ArrayList<Need>();
        for (var need : whole.get("needs")) {
            var constraints = new TreeMap<String, SortedSet<String>>();
            need.get("constraints")
                    .properties()
                    .forEach(constraint -> constraints.put(constraint.getKey(), texts(constraint.getValue())));
            var access = need.get("access");
            needs.add(new Need(
                    need.get("count").intValue(),
                    fields(need.get("capabilities")),
                    constraints,
                    access == null ? null : access.asString()));
        }
        return NeedClass.of(needs, whole.get("distinctAccounts").booleanValue());
    }

    private static SortedSet<String> texts(JsonNode array) {
        var texts = new TreeSet<String>();
        array.forEach(text -> texts.add(text.asString()));
        return texts;
    }

    private static SortedMap<String, Value> fields(JsonNode object) {
        var fields = new TreeMap<String, Value>();
        object.properties().forEach(field -> fields.put(field.getKey(), value(field.getValue())));
        return fields;
    }

    private static Value value(JsonNode node) {
        return switch (node.getNodeType()) {
            case STRING -> new Value.Text(node.asString());
            case NUMBER -> new Value.Number(node.decimalValue());
            case BOOLEAN -> new Value.Flag(node.booleanValue());
            case NULL -> new Value.Nothing();
            case ARRAY -> new Value.Many(values(node));
            case OBJECT -> new Value.Fields(fields(node));
            case BINARY, MISSING, POJO -> throw new IllegalStateException("no JSON has a " + node.getNodeType());
        };
    }

    private static List<Value> values(JsonNode array) {
        var values = new ArrayList<Value>();
        array.forEach(each -> values.add(value(each)));
        return values;
    }
}
