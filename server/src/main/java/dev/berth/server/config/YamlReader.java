package dev.berth.server.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.common.Anchor;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.resolver.CoreScalarResolver;
import org.snakeyaml.engine.v2.resolver.ScalarResolver;

/**
 * Reads one YAML document from its events. A whole tree of a million environments would take gigabytes, so the entries of one
 * top-level list are handed on one by one as they come, and only what somebody keeps stays.
 */
final class YamlReader {
    static final int DEEPEST = 32;

    private static final String TOO_DEEP = "is nested deeper than " + DEEPEST + " levels";
    private static final String UNKNOWN_TAG = "has a tag that does not fit here: write the value without '!'";
    private static final Map<String, Yaml.Type> TYPES = Map.of(
            Tag.STR.getValue(), Yaml.Type.TEXT,
            Tag.INT.getValue(), Yaml.Type.INTEGER,
            Tag.FLOAT.getValue(), Yaml.Type.DECIMAL,
            Tag.BOOL.getValue(), Yaml.Type.BOOLEAN,
            Tag.NULL.getValue(), Yaml.Type.NULL);

    private final String text;
    private final long largest;
    private final Mistakes mistakes;
    private final ScalarResolver resolver = new CoreScalarResolver(false);
    private final Map<Anchor, Yaml> anchors = new HashMap<>();
    private final Iterator<Event> events;
    private long repeated;

    /** @param largest how many characters all that aliases repeat may have together */
    YamlReader(String text, long largest, Mistakes mistakes) {
        this.text = text;
        this.largest = largest;
        this.mistakes = mistakes;
        this.events = new Parse(LoadSettings.builder()
                        .setCodePointLimit(Integer.MAX_VALUE)
                        .setUseMarks(true)
                        .build())
                .parseString(text)
                .iterator();
    }

    /**
     * Reads the document.
     *
     * @param streamed the top-level key whose list is handed on entry by entry, and left empty in the answer
     * @param entries gets these
     * @return the top level; null when it is no mapping or the text is no YAML, which is among the mistakes then
     */
    Yaml.@Nullable Mapping read(String streamed, Consumer<Yaml> entries) {
        try {
            return document(streamed, entries);
        } catch (Unusable e) {
            mistakes.add(e.line, e.column, "", e.problem);
        } catch (MarkedYamlEngineException e) {
            // Not its message, which quotes the file: what stands there may be a secret in the wrong place.
            Optional<Mark> mark = e.getProblemMark().or(e::getContextMark);
            mistakes.add(
                    mark.map(Mark::getLine).orElse(0) + 1,
                    mark.map(Mark::getColumn).orElse(0) + 1,
                    "",
                    "is no YAML: " + (e.getContext() == null ? "" : e.getContext() + ", ") + e.getProblem());
        } catch (ReaderException e) {
            int before = text.offsetByCodePoints(0, Math.min(e.getPosition(), text.codePointCount(0, text.length())));
            int line = (int) text.substring(0, before)
                            .chars()
                            .filter(c -> c == '\n')
                            .count()
                    + 1;
            int column = before - text.lastIndexOf('\n', Math.max(0, before - 1));
            mistakes.add(
                    line, column, "", "has a character that YAML does not allow: U+%04X".formatted(e.getCodePoint()));
        } catch (YamlEngineException e) {
            mistakes.add(1, 1, "", "is no YAML");
        }
        return null;
    }

    private Yaml.@Nullable Mapping document(String streamed, Consumer<Yaml> entries) {
        next(); // the stream
        Event start = next();
        if (start.getEventId() == Event.ID.StreamEnd) {
            throw new Unusable(1, 1, "is empty: " + ConfigurationParser.TOP_LEVEL);
        }
        Event root = next();
        Yaml.Mapping top = null;
        if (root.getEventId() == Event.ID.MappingStart) {
            top = top((CollectionStartEvent) root, streamed, entries);
        } else {
            Yaml node = node(root, 0);
            boolean nothing = node instanceof Yaml.Scalar scalar && scalar.type() == Yaml.Type.NULL;
            mistakes.add(
                    node,
                    "",
                    (nothing ? "is empty" : "must be a mapping, is " + node.described()) + ": "
                            + ConfigurationParser.TOP_LEVEL);
        }
        next(); // the document's end
        Event end = next();
        if (end.getEventId() != Event.ID.StreamEnd) {
            throw unusable(end, "has a second document: everything belongs into one");
        }
        return top;
    }

    private Yaml.Mapping top(CollectionStartEvent start, String streamed, Consumer<Yaml> entries) {
        checkTag(start, Tag.MAP);
        List<Yaml.Entry> found = new ArrayList<>();
        while (true) {
            Event event = next();
            if (event.getEventId() == Event.ID.MappingEnd) {
                return new Yaml.Mapping(line(start), column(start), 0, 0, found);
            }
            Yaml.Scalar key = key(event);
            Event value = next();
            if (key.text().equals(streamed)
                    && value.getEventId() == Event.ID.SequenceStart
                    && value instanceof CollectionStartEvent list) {
                checkTag(list, Tag.SEQ);
                for (Event entry = next(); entry.getEventId() != Event.ID.SequenceEnd; entry = next()) {
                    entries.accept(node(entry, 2));
                }
                found.add(new Yaml.Entry(key, new Yaml.Sequence(line(list), column(list), 0, 0, List.of())));
            } else {
                found.add(new Yaml.Entry(key, node(value, 1)));
            }
        }
    }

    private Yaml node(Event event, int depth) {
        if (depth > DEEPEST) {
            throw unusable(event, TOO_DEEP);
        }
        if (event instanceof AliasEvent alias) {
            return repeat(alias, depth);
        }
        Yaml node = switch (event.getEventId()) {
            case Scalar -> scalar((ScalarEvent) event);
            case SequenceStart -> sequence((CollectionStartEvent) event, depth);
            case MappingStart -> mapping((CollectionStartEvent) event, depth);
            default -> throw new IllegalStateException("no node begins with " + event.getEventId());
        };
        ((NodeEvent) event).getAnchor().ifPresent(anchor -> anchors.put(anchor, node));
        return node;
    }

    /** What aliases repeat counts as if it were written out, so that a few lines cannot stand for a billion. */
    private Yaml repeat(AliasEvent alias, int depth) {
        Yaml named = anchors.get(alias.getAlias());
        if (named == null) {
            throw unusable(alias, "has an alias whose anchor does not stand complete before it");
        }
        if (depth + named.height() > DEEPEST) {
            throw unusable(alias, TOO_DEEP);
        }
        repeated += named.weight();
        if (repeated > largest) {
            throw unusable(alias, "repeats more than " + largest + " characters through aliases");
        }
        return named;
    }

    private Yaml.Scalar scalar(ScalarEvent event) {
        Yaml.Type plain = TYPES.get(resolver.resolve(event.getValue(), true).getValue());
        String tag = event.getTag().orElse(null);
        Yaml.Type type;
        if (tag == null) {
            type = event.isPlain() ? plain : Yaml.Type.TEXT;
        } else {
            type = tag.equals("!") ? Yaml.Type.TEXT : TYPES.get(tag);
        }
        if (type == null || (tag != null && type != Yaml.Type.TEXT && type != plain)) {
            throw unusable(event, UNKNOWN_TAG);
        }
        return new Yaml.Scalar(line(event), column(event), type, event.getValue());
    }

    private Yaml.Sequence sequence(CollectionStartEvent start, int depth) {
        checkTag(start, Tag.SEQ);
        List<Yaml> items = new ArrayList<>();
        long weight = 1;
        int height = 0;
        for (Event event = next(); event.getEventId() != Event.ID.SequenceEnd; event = next()) {
            Yaml item = node(event, depth + 1);
            weight += item.weight();
            height = Math.max(height, item.height());
            items.add(item);
        }
        return new Yaml.Sequence(line(start), column(start), weight, height + 1, items);
    }

    private Yaml.Mapping mapping(CollectionStartEvent start, int depth) {
        checkTag(start, Tag.MAP);
        List<Yaml.Entry> entries = new ArrayList<>();
        long weight = 1;
        int height = 0;
        for (Event event = next(); event.getEventId() != Event.ID.MappingEnd; event = next()) {
            Yaml.Scalar key = key(event);
            Yaml value = node(next(), depth + 1);
            weight += key.weight() + value.weight();
            height = Math.max(height, value.height());
            entries.add(new Yaml.Entry(key, value));
        }
        return new Yaml.Mapping(line(start), column(start), weight, height + 1, entries);
    }

    private Yaml.Scalar key(Event event) {
        if (!(event instanceof CollectionStartEvent) && node(event, 0) instanceof Yaml.Scalar scalar) {
            return scalar;
        }
        throw unusable(event, "has a key that is a list or a mapping");
    }

    private static void checkTag(CollectionStartEvent start, Tag usual) {
        String tag = start.getTag().orElse(usual.getValue());
        if (!tag.equals(usual.getValue()) && !tag.equals("!")) {
            throw unusable(start, UNKNOWN_TAG);
        }
    }

    private Event next() {
        return events.next();
    }

    private static int line(Event event) {
        return event.getStartMark().map(Mark::getLine).orElse(0) + 1;
    }

    private static int column(Event event) {
        return event.getStartMark().map(Mark::getColumn).orElse(0) + 1;
    }

    private static Unusable unusable(Event event, String problem) {
        return new Unusable(line(event), column(event), problem);
    }

    /** Ends the reading: what follows could not be told apart from the consequences. */
    private static final class Unusable extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final int line;
        private final int column;
        private final String problem;

        Unusable(int line, int column, String problem) {
            super(problem, null, false, false);
            this.line = line;
            this.column = column;
            this.problem = problem;
        }
    }
}
