package dev.berth.core;

import java.util.Arrays;

/** What is to happen, the earliest first: a binary heap of numbers, since a forecast has hundreds of thousands of them. */
final class ForecastEvents {
    private static final int EVENT_BITS = 21;
    private static final long EVENT = (1L << EVENT_BITS) - 1;

    private long[] heap = new long[64];
    private int size;

    void clear() {
        size = 0;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** When the next one is. */
    long at() {
        return heap[0] >>> EVENT_BITS;
    }

    /**
     * @param at milliseconds, below 2^42
     * @param event below 2^21; of two at the same time the lower one is first
     */
    void add(long at, long event) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        long entry = at << EVENT_BITS | event;
        int i = size++;
        while (i > 0 && heap[(i - 1) / 2] > entry) {
            heap[i] = heap[(i - 1) / 2];
            i = (i - 1) / 2;
        }
        heap[i] = entry;
    }

    /** The next one. */
    long remove() {
        long first = heap[0] & EVENT;
        long last = heap[--size];
        int i = 0;
        while (2 * i + 1 < size) {
            int child = 2 * i + 1;
            if (child + 1 < size && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= last) {
                break;
            }
            heap[i] = heap[child];
            i = child;
        }
        heap[i] = last;
        return first;
    }
}
