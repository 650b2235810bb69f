/**
 * The HTTP API: reads requests, asks auth for what they want, writes answers. Must not import the store, the providers or app.
 */
@NullMarked
package dev.berth.server.http;

import org.jspecify.annotations.NullMarked;
