/**
 * The {@code berth} command. Parses arguments, calls the client, and hands {@code serve} to the server's composition root.
 */
@NullMarked
package dev.berth.cli;

import org.jspecify.annotations.NullMarked;
