/** Tests of the ledger over a store that fails where a test says. They import nothing of the server but the store. */
@NullMarked
package dev.berth.server.ledger;

import org.jspecify.annotations.NullMarked;
