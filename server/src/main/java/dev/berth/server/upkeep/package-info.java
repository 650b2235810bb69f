/**
 * What Berth does by itself: claims due steps and has providers do them, lets what is due come to pass, keeps what is registered in
 * step with the configuration in force. Must not import http, web, auth or app.
 */
@NullMarked
package dev.berth.server.upkeep;

import org.jspecify.annotations.NullMarked;
