/**
 * The rules: states, the transition table, and {@code decide} over a slice of a pool. Pure: imports the JDK only, does no
 * input or output, and reads neither clock nor randomness.
 */
@NullMarked
package dev.berth.core;

import org.jspecify.annotations.NullMarked;
