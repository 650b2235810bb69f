package dev.berth.core;

import java.util.Objects;

/** Encrypted access, in a text form. The rules carry it and cannot read it. */
public record Sealed(String text) {
    public Sealed {
        Objects.requireNonNull(text);
    }

    @Override
    public String toString() {
        return "Sealed[…]";
    }
}
