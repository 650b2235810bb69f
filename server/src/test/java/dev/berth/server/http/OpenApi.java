package dev.berth.server.http;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/** Checks answers against the API's own description: as much of JSON Schema as that uses, and no more. */
final class OpenApi {
    private static final Set<String> KNOWN = Set.of(
            "$ref",
            "type",
            "enum",
            "format",
            "required",
            "properties",
            "additionalProperties",
            "items",
            "description",
            "pattern",
            "minLength",
            "maxLength",
            "minimum",
            "maximum",
            "default",
            "minItems",
            "maxItems",
            "maxProperties");

    private final JsonNode document;

    OpenApi() {
        try (var in = HttpApi.class.getResourceAsStream("openapi.json")) {
            document = Service.JSON.readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    JsonNode document() {
        return document;
    }

    /** {@code METHOD path} of every operation. */
    Set<String> operations() {
        var operations = new TreeSet<String>();
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .propertyNames()
                        .forEach(method ->
                                operations.add(method.toUpperCase(java.util.Locale.ROOT) + " " + path.getKey())));
        return operations;
    }

    /** What is wrong with an answer; empty where nothing is. */
    List<String> faults(String method, String path, int status, String contentType, JsonNode body) {
        var operation = operation(method, path);
        if (operation.isMissingNode()) {
            return status == 404 || status == 405
                    ? faults(document.at("/components/schemas/Problem"), body)
                    : List.of(method + " " + path + " is not described, and was answered " + status);
        }
        var response = operation.path("responses").path(String.valueOf(status));
        if (response.isMissingNode() && status >= 400) {
            response = operation.path("responses").path("default");
        }
        var content = response.path("content");
        if (!response.isMissingNode() && content.isMissingNode() && contentType.isEmpty()) {
            return List.of();
        }
        var mediaType = contentType.split(";", 2)[0];
        if (!content.has(mediaType)) {
            return List.of(method + " " + path + ": " + status + " of type " + mediaType + " is not described");
        }
        if (status >= 400
                && !response.path("description")
                        .asString()
                        .contains(body.path("code").asString())) {
            return List.of(method + " " + path + ": " + status + " " + body.path("code") + " is not described");
        }
        return mediaType.contains("json") ? faults(content.path(mediaType).path("schema"), body) : List.of();
    }

    private JsonNode operation(String method, String path) {
        var parts = path.split("\\?", 2)[0].split("/", -1);
        JsonNode best = MissingNode.getInstance();
        for (var entry : document.path("paths").properties()) {
            var pattern = entry.getKey().split("/", -1);
            boolean matches = pattern.length == parts.length;
            for (int i = 0; matches && i < parts.length; i++) {
                matches = pattern[i].startsWith("{") || pattern[i].equals(parts[i]);
            }
            var operation = entry.getValue().path(method.toLowerCase(java.util.Locale.ROOT));
            if (matches && !operation.isMissingNode()) {
                best = operation;
            }
        }
        return best;
    }

    List<String> faults(JsonNode schema, JsonNode value) {
        var faults = new ArrayList<String>();
        check(schema, value, "$", faults);
        return faults;
    }

    private void check(JsonNode schema, JsonNode value, String at, List<String> faults) {
        schema.propertyNames().forEach(key -> {
            if (!KNOWN.contains(key)) {
                faults.add(at + ": this check does not know '" + key + "'");
            }
        });
        if (schema.has("$ref")) {
            check(document.at(schema.path("$ref").asString().substring(1)), value, at, faults);
            return;
        }
        var type = schema.path("type");
        boolean fits = type.isMissingNode()
                || (type.isArray() ? type.valueStream() : java.util.stream.Stream.of(type))
                        .anyMatch(one -> is(one.asString(), value));
        if (!fits) {
            faults.add(at + ": " + value + " is not of type " + type);
            return;
        }
        if (schema.has("enum") && schema.path("enum").valueStream().noneMatch(value::equals)) {
            faults.add(at + ": " + value + " is none of " + schema.path("enum"));
        }
        if (schema.path("format").asString().equals("date-time") && value.isString() && !isInstant(value.asString())) {
            faults.add(at + ": " + value + " is no instant");
        }
        if (schema.has("pattern")
                && value.isString()
                && !value.asString().matches(schema.path("pattern").asString())) {
            faults.add(at + ": " + value + " does not match " + schema.path("pattern"));
        }
        if (value.isObject()) {
            object(schema, value, at, faults);
        }
        if (value.isArray() && schema.has("items")) {
            for (int i = 0; i < value.size(); i++) {
                check(schema.path("items"), value.get(i), at + "[" + i + "]", faults);
            }
        }
    }

    private void object(JsonNode schema, JsonNode value, String at, List<String> faults) {
        schema.path("required").forEach(name -> {
            if (!value.has(name.asString())) {
                faults.add(at + ": " + name + " is missing");
            }
        });
        var known = new HashSet<String>();
        for (var property : schema.path("properties").properties()) {
            known.add(property.getKey());
            if (value.has(property.getKey())) {
                check(property.getValue(), value.get(property.getKey()), at + "." + property.getKey(), faults);
            }
        }
        var others = schema.path("additionalProperties");
        for (var property : value.properties()) {
            if (!known.contains(property.getKey())) {
                if (others.isBoolean() && !others.booleanValue()) {
                    faults.add(at + ": " + property.getKey() + " is not described");
                } else if (others.isObject()) {
                    check(others, property.getValue(), at + "." + property.getKey(), faults);
                }
            }
        }
    }

    private static boolean is(String type, JsonNode value) {
        return switch (type) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isString();
            case "integer" -> value.isIntegralNumber();
            case "number" -> value.isNumber();
            case "boolean" -> value.isBoolean();
            case "null" -> value.isNull();
            default -> throw new IllegalStateException("an unknown type: " + type);
        };
    }

    private static boolean isInstant(String text) {
        try {
            Instant.parse(text);
            return true;
        } catch (DateTimeParseException _) {
            return false;
        }
    }
}
