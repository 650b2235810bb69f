package dev.berth.server.proof;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What strace saw of a service ({@code -f -ttt -y}): requests read, the write-ahead log written and synced, replies written. A call
 * that was interrupted by those of other threads stands in two lines, which are joined here.
 */
final class SyscallTrace {
    private static final Pattern LINE = Pattern.compile("^(\\d+) +(\\d+\\.\\d+) (.*)$");
    private static final Pattern RESUMED = Pattern.compile("^<\\.\\.\\. (\\w+) resumed>(.*)$");
    private static final Pattern CALL = Pattern.compile("^(\\w+)\\((\\d+)<([^>]*)>(.*)$");
    private static final Pattern REQUEST = Pattern.compile("\"(?:POST|DELETE) /allocations");
    private static final Pattern REPLY = Pattern.compile("\"HTTP/1\\.1 (\\d+)");
    private static final String UNFINISHED = " <unfinished ...>";

    /** What matters of a call. */
    enum What {
        REQUEST,
        REPLY,
        LOG_WRITE,
        LOG_SYNC
    }

    /**
     * One call.
     *
     * @param began the number of the line where it began, {@code ended} that where it was over: the order in which they happened
     * @param socket which connection; empty for the log
     */
    record Call(What what, int began, int ended, String socket) {}

    private final List<Call> calls = new ArrayList<>();

    private record Begun(int line, String text) {}

    SyscallTrace(List<String> lines) {
        Map<String, Begun> unfinished = new HashMap<>();
        for (int i = 0; i < lines.size(); i++) {
            var line = LINE.matcher(lines.get(i));
            if (!line.matches()) {
                continue;
            }
            var thread = line.group(1);
            var text = line.group(3);
            var resumed = RESUMED.matcher(text);
            if (text.endsWith(UNFINISHED)) {
                unfinished.put(thread, new Begun(i, text.substring(0, text.length() - UNFINISHED.length())));
            } else if (resumed.matches()) {
                var begun = unfinished.remove(thread);
                if (begun != null) {
                    add(begun.text() + resumed.group(2), begun.line(), i);
                }
            } else {
                add(text, i, i);
            }
        }
    }

    private void add(String text, int began, int ended) {
        var call = CALL.matcher(text);
        if (!call.matches()) {
            return;
        }
        var name = call.group(1);
        var file = call.group(3);
        var rest = call.group(4);
        if (file.endsWith("berth.db-wal")) {
            if (name.endsWith("sync") && rest.endsWith("= 0")) {
                calls.add(new Call(What.LOG_SYNC, began, ended, ""));
            } else if (name.contains("write")) {
                calls.add(new Call(What.LOG_WRITE, began, ended, ""));
            }
        } else if (isSocket(file)) {
            if ((name.startsWith("read") || name.startsWith("recv"))
                    && REQUEST.matcher(rest).find()) {
                calls.add(new Call(What.REQUEST, began, ended, file));
            } else if ((name.startsWith("write") || name.startsWith("send"))
                    && REPLY.matcher(rest).find()) {
                calls.add(new Call(What.REPLY, began, ended, file));
            }
        }
    }

    private static boolean isSocket(String file) {
        return file.startsWith("TCP") || file.startsWith("socket");
    }

    long count(What what) {
        return calls.stream().filter(call -> call.what() == what).count();
    }

    /**
     * The changing requests whose reply did not wait for a sync: between the end of reading the request and the begin of writing the
     * reply there has to be a write to the log, and after that write a whole sync of it.
     */
    List<String> repliesWithoutSync() {
        var violations = new ArrayList<String>();
        var open = new HashMap<String, Call>();
        for (var call : calls) {
            switch (call.what()) {
                case REQUEST -> open.put(call.socket(), call);
                case REPLY -> {
                    var request = open.remove(call.socket());
                    if (request != null && !isSynced(request, call)) {
                        violations.add("the reply of line %d to the request of line %d came before a sync"
                                .formatted(call.began(), request.ended()));
                    }
                }
                case LOG_WRITE, LOG_SYNC -> {}
            }
        }
        return violations;
    }

    private boolean isSynced(Call request, Call reply) {
        return calls.stream()
                .filter(write -> write.what() == What.LOG_WRITE && write.began() > request.ended())
                .anyMatch(write -> calls.stream()
                        .anyMatch(sync -> sync.what() == What.LOG_SYNC
                                && sync.began() > write.ended()
                                && sync.ended() < reply.began()));
    }
}
