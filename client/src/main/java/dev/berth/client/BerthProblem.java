package dev.berth.client;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The service refused a call and said why (RFC 9457). Nothing was taken unless {@link #code()} says otherwise. */
public final class BerthProblem extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * One mistake in what was sent.
     *
     * @param field the field, or null where the mistake is about the whole
     * @param message what is wrong with it
     * @param line the line in a configuration file, or null where there is none
     */
    public record FieldError(
            @Nullable String field,
            String message,
            @Nullable Long line) {}

    private final int status;
    private final String code;
    private final transient List<FieldError> errors;
    private final @Nullable Duration retryAfter;
    private final @Nullable String requestId;

    BerthProblem(
            int status,
            String code,
            String message,
            List<FieldError> errors,
            @Nullable Duration retryAfter,
            @Nullable String requestId) {
        super(message);
        this.status = status;
        this.code = code;
        this.errors = List.copyOf(errors);
        this.retryAfter = retryAfter;
        this.requestId = requestId;
    }

    /** The HTTP status. */
    public int status() {
        return status;
    }

    /** The stable slug of the refusal, such as {@code no-environment-available}; {@code http-502} where there was none. */
    public String code() {
        return code;
    }

    /** The refusal in words; never null. */
    public String message() {
        return String.valueOf(getMessage());
    }

    /** The single mistakes of the request; empty where the refusal is not about its fields. */
    public List<FieldError> errors() {
        return errors == null ? List.of() : errors;
    }

    /** How long to wait before asking again. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }

    /** The service's name for this call, to be found in its log. */
    public Optional<String> requestId() {
        return Optional.ofNullable(requestId);
    }
}
