package dev.berth.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * What one connection does again and again: an operation of one or more requests, one after the other. The requests are bytes that are
 * made once, with places in them that are written over; of a reply no more is read than is needed.
 */
interface Exchange {
    /** How many requests an operation has. */
    int requests();

    /** Puts the bytes of an operation's request into the buffer, which is empty. */
    void write(int request, ByteBuffer out);

    /**
     * Reads the reply.
     *
     * @param body positioned at its first byte
     */
    void read(int request, int status, ByteBuffer body);

    /** The bytes of a request. */
    static byte[] bytes(String method, String path, String token, String headers, String body) {
        return """
                %s %s HTTP/1.1\r
                Host: bench\r
                Authorization: Bearer %s\r
                %sContent-Length: %d\r
                \r
                %s""".formatted(method, path, token, headers, body.length(), body).getBytes(StandardCharsets.US_ASCII);
    }
}
