/**
 * Load generator and side-by-side benchmarks. Run by their own command, never by the tests.
 */
@NullMarked
package dev.berth.bench;

import org.jspecify.annotations.NullMarked;
