/**
 * The only way to change a pool: gathers waiting commands, decides them in one transaction and answers after its commit. Must not
 * import anything of the server but the store.
 */
@NullMarked
package dev.berth.server.ledger;

import org.jspecify.annotations.NullMarked;
