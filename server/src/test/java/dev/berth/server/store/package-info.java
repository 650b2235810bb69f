/** What every database has to do for the ledger, as tests. They import nothing of the server but the store. */
@NullMarked
package dev.berth.server.store;

import org.jspecify.annotations.NullMarked;
