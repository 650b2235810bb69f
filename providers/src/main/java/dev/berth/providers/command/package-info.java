/**
 * Kind {@code command}: the operator's own programs issue, revoke, clean and verify, told what to do on standard input and answering
 * on standard output. It imports the provider contract and a JSON library, and nothing of the server.
 */
@NullMarked
package dev.berth.providers.command;

import org.jspecify.annotations.NullMarked;
