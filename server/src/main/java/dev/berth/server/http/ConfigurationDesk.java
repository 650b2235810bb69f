package dev.berth.server.http;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Compares a new configuration with the one in force, and puts it in force. */
public interface ConfigurationDesk {

    /** What this text would change; nothing is done. */
    Outcome diff(String yaml);

    /**
     * Puts this text in force.
     *
     * @param allowRemovals whether it may remove a whole pool, or much of one
     * @param principal who does it
     */
    Outcome apply(String yaml, boolean allowRemovals, String principal);

    /** What a configuration comes to. */
    sealed interface Outcome {}

    /**
     * What it changes, or has changed.
     *
     * @param digest of the new text
     * @param pools whose policy is new or changed, or which are gone
     * @param register names of environments that come
     * @param deregister names of those that go
     * @param change names of those whose record changes
     */
    record Change(
            String digest, List<String> pools, List<String> register, List<String> deregister, List<String> change)
            implements Outcome {}

    /** It cannot be used: all mistakes at once, at least one. */
    record Invalid(List<Mistake> mistakes) implements Outcome {}

    /**
     * One mistake.
     *
     * @param line in the text, from 1; 0 where it is about the whole
     * @param field null where it is about none
     */
    record Mistake(int line, @Nullable String field, String message) {}

    /** It removes so much that this has to be allowed explicitly. */
    record MassRemoval(String detail) implements Outcome {}
}
