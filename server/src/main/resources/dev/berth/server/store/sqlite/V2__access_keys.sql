-- Keys that sign requests. The secret is encrypted, not hashed: to check a signature takes the secret itself.
CREATE TABLE access_key (
    id           TEXT    NOT NULL PRIMARY KEY,
    principal    TEXT    NOT NULL,
    secret       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
);
