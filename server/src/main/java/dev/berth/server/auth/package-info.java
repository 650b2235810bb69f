/**
 * Says who calls and what they may do: principals, tokens, the operations that HTTP offers, and the encryption of stored access. Must
 * not import http, web, config, upkeep or app.
 */
@NullMarked
package dev.berth.server.auth;

import org.jspecify.annotations.NullMarked;
