/** Tests of the HTTP API through its production routing, on a real store and a real ledger. Must not import app. */
@NullMarked
package dev.berth.server.http;

import org.jspecify.annotations.NullMarked;
