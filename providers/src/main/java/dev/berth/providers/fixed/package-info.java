/**
 * Kind {@code fixed}: environments that need nothing done between two holders, handed out as the configuration describes them. It
 * costs no step, and imports nothing but the provider contract.
 */
@NullMarked
package dev.berth.providers.fixed;

import org.jspecify.annotations.NullMarked;
