package dev.berth.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Finds the status, the length and the body of an HTTP/1.1 reply, and nothing else. */
final class Reply {
    private static final byte[] LENGTH = "\r\ncontent-length:".getBytes(StandardCharsets.US_ASCII);

    private int status;
    private int bodyAt;

    int status() {
        return status;
    }

    int bodyAt() {
        return bodyAt;
    }

    /** Whether the bytes before the buffer's position are a whole reply. */
    boolean isWhole(ByteBuffer in) {
        int end = in.position();
        int length = 0;
        for (int i = 12; i + 3 < end; i++) {
            if (in.get(i) == '\r') {
                if (in.get(i + 2) == '\r') {
                    status = 100 * digit(in, 9) + 10 * digit(in, 10) + digit(in, 11);
                    bodyAt = i + 4;
                    return end - bodyAt >= length;
                }
                if (isLength(in, i, end)) {
                    length = number(in, i + LENGTH.length, end);
                }
            }
        }
        return false;
    }

    private static boolean isLength(ByteBuffer in, int at, int end) {
        if (at + LENGTH.length >= end) {
            return false;
        }
        for (int i = 0; i < LENGTH.length; i++) {
            int letter = in.get(at + i);
            if ((letter >= 'A' && letter <= 'Z' ? letter + 32 : letter) != LENGTH[i]) {
                return false;
            }
        }
        return true;
    }

    private static int number(ByteBuffer in, int from, int end) {
        int number = 0;
        for (int i = from; i < end && in.get(i) != '\r'; i++) {
            if (in.get(i) != ' ') {
                number = 10 * number + digit(in, i);
            }
        }
        return number;
    }

    private static int digit(ByteBuffer in, int at) {
        return in.get(at) - '0';
    }
}
