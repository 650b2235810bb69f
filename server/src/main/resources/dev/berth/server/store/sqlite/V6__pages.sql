-- Fewer pages for each change.

-- With row numbers, as all that grows at its end. Without them whole rows were what the table is sorted by: a new key, which comes
-- anywhere, moved the rows around it to other pages.
CREATE TABLE keys (
    principal  TEXT NOT NULL,
    key        TEXT NOT NULL,
    allocation TEXT NOT NULL,
    digest     TEXT NOT NULL,
    PRIMARY KEY (principal, key)
);
INSERT INTO keys SELECT principal, key, allocation, digest FROM idempotency_key;
DROP TABLE idempotency_key;
ALTER TABLE keys RENAME TO idempotency_key;

-- With the name: most of what is to be lent next is known by it, and its row need not be read.
DROP INDEX environment_free;
CREATE INDEX environment_free ON environment (pool, shape, turn, name) WHERE state = 'available';
