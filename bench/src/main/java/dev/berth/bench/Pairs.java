package dev.berth.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Allocate, with a new idempotency key each time, and release. */
final class Pairs implements Exchange {
    private static final int KEY_DIGITS = 12;
    private static final byte[] ID = "\"id\":\"".getBytes(StandardCharsets.US_ASCII);

    private final byte[] allocate;
    private final int keyAt;
    private final String token;
    private byte @Nullable [] release;
    private int idAt;
    private int idLength;
    private long keys;

    /**
     * @param number tells the keys of this connection from those of others
     */
    Pairs(String token, long number) {
        this.token = token;
        var key = "Idempotency-Key: %016x-".formatted(number);
        allocate = Exchange.bytes(
                "POST",
                "/allocations",
                token,
                key + "0".repeat(KEY_DIGITS) + "\r\n",
                "{\"pool\":\"" + BenchPool.NAME + "\",\"requester\":\"https://ci.example/job/42\"}");
        keyAt = new String(allocate, StandardCharsets.US_ASCII).indexOf(key) + key.length();
    }

    @Override
    public int requests() {
        return 2;
    }

    @Override
    public void write(int request, ByteBuffer out) {
        if (request == 0) {
            long key = ++keys;
            for (int i = keyAt + KEY_DIGITS - 1; i >= keyAt; i--) {
                allocate[i] = (byte) ('0' + key % 10);
                key /= 10;
            }
            out.put(allocate);
        } else if (release != null) {
            out.put(release);
        }
    }

    @Override
    public void read(int request, int status, ByteBuffer body) {
        if (status != 200) {
            throw new IllegalStateException("%d: %s".formatted(status, StandardCharsets.UTF_8.decode(body)));
        }
        if (request == 0) {
            takeId(body);
        }
    }

    private void takeId(ByteBuffer body) {
        int from = find(body, ID) + ID.length;
        int length = 0;
        while (body.get(from + length) != '"') {
            length++;
        }
        var bytes = release;
        if (bytes == null || length != idLength) {
            var path = "/allocations/" + "x".repeat(length);
            bytes = Exchange.bytes("DELETE", path, token, "", "{\"outcome\":\"success\"}");
            idAt = "DELETE /allocations/".length();
            idLength = length;
            release = bytes;
        }
        body.get(from, bytes, idAt, length);
    }

    static int find(ByteBuffer in, byte[] what) {
        for (int i = in.position(); i <= in.limit() - what.length; i++) {
            int same = 0;
            while (same < what.length && in.get(i + same) == what[same]) {
                same++;
            }
            if (same == what.length) {
                return i;
            }
        }
        throw new IllegalStateException("a reply without " + new String(what, StandardCharsets.US_ASCII));
    }
}
