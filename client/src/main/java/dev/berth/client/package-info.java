/**
 * The Java client of Berth's HTTP API, on the JDK's own HTTP client and a JSON library. It must not import anything of
 * the server: the wire is the only thing the two share.
 */
@NullMarked
package dev.berth.client;

import org.jspecify.annotations.NullMarked;
