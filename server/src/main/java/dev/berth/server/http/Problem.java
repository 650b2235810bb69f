package dev.berth.server.http;

import dev.berth.core.Answer;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Ends the handling of a request with an error. Control flow within this package, without a stack trace. */
final class Problem extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    private final ErrorCode code;
    private final transient List<Mistake> mistakes;
    private final @Nullable Duration retryAfter;

    /**
     * One mistake in what was sent.
     *
     * @param field null where it is about the whole
     * @param line in a configuration; null where there is none
     */
    record Mistake(
            @Nullable String field,
            String message,
            @Nullable Integer line) {}

    private Problem(ErrorCode code, String detail, List<Mistake> mistakes, @Nullable Duration retryAfter) {
        super(detail, null, false, false);
        this.code = code;
        this.mistakes = List.copyOf(mistakes);
        this.retryAfter = retryAfter;
    }

    Problem(ErrorCode code, String detail) {
        this(code, detail, List.of(), code.isRetryable() ? RETRY_AFTER : null);
    }

    static Problem retry(ErrorCode code, String detail, Duration after) {
        return new Problem(code, detail, List.of(), after);
    }

    static Problem of(ErrorCode code, List<Mistake> mistakes) {
        var first = mistakes.getFirst();
        var where = first.line() == null ? "" : "line " + first.line() + ": ";
        var detail = where + (first.field() == null ? first.message() : first.field() + ": " + first.message());
        return new Problem(
                code,
                mistakes.size() == 1 ? detail : detail + " (and " + (mistakes.size() - 1) + " more)",
                mistakes,
                null);
    }

    /** A single field is wrong. */
    static Problem field(String field, String message) {
        return of(ErrorCode.INVALID_REQUEST, List.of(new Mistake(field, message, null)));
    }

    /**
     * Not done.
     *
     * @param retryAfter where another try is some use, and the refusal itself does not say when
     */
    static Problem refused(Answer.Refused refused, Duration retryAfter) {
        var code = ErrorCode.of(refused.refusal());
        var after = refused.retryAfter() == null ? retryAfter : refused.retryAfter();
        return new Problem(code, refused.detail(), List.of(), code.isRetryable() ? after : null);
    }

    static Problem refused(Answer.Refused refused) {
        return refused(refused, RETRY_AFTER);
    }

    ErrorCode code() {
        return code;
    }

    String detail() {
        return String.valueOf(getMessage());
    }

    List<Mistake> mistakes() {
        return mistakes;
    }

    /** How long to wait before the next try; null where another try is no use. */
    @Nullable
    Duration retryAfter() {
        return retryAfter;
    }
}
