package dev.berth.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Signs of life for some allocations, in turns. */
final class Keepalives implements Exchange {
    private final List<byte[]> requests;
    private int next;

    /** The ids are of allocations that live. */
    Keepalives(String token, List<String> ids) {
        requests = ids.stream()
                .map(id -> Exchange.bytes("POST", "/allocations/" + id + "/keepalive", token, "", ""))
                .toList();
    }

    @Override
    public int requests() {
        return 1;
    }

    @Override
    public void write(int request, ByteBuffer out) {
        out.put(requests.get(next));
        next = (next + 1) % requests.size();
    }

    @Override
    public void read(int request, int status, ByteBuffer body) {
        if (status != 200) {
            throw new IllegalStateException("%d: %s".formatted(status, StandardCharsets.UTF_8.decode(body)));
        }
    }
}
