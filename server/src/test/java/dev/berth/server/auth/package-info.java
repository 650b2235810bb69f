/** Tests of principals, tokens and the vault. Must not import http or app. */
@NullMarked
package dev.berth.server.auth;

import org.jspecify.annotations.NullMarked;
