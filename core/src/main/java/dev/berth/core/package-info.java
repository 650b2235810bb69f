/**
 * The rules: who gets what, when, and how it comes back clean, as pure functions over immutable values. Must not import anything but
 * the JDK: no I/O, no clock, no randomness, no logging.
 */
@NullMarked
package dev.berth.core;

import org.jspecify.annotations.NullMarked;
