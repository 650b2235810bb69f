/**
 * Tests that the benchmarks run. They say nothing of speed.
 */
@NullMarked
package dev.berth.bench;

import org.jspecify.annotations.NullMarked;
