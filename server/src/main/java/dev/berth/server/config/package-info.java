/**
 * The configuration file: reads and checks the whole of it, watches it, and tells what a new one changes. Imports core and the
 * provider contract, and nothing else of the server.
 */
@NullMarked
package dev.berth.server.config;

import org.jspecify.annotations.NullMarked;
