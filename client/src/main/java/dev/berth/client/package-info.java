/**
 * The Java client of the HTTP API. Imports the JDK and a JSON library only, so that it fits into anybody's program.
 */
@NullMarked
package dev.berth.client;

import org.jspecify.annotations.NullMarked;
