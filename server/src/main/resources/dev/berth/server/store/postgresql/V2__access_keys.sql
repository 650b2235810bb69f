-- Keys that sign requests. The secret is encrypted, not hashed: to check a signature takes the secret itself.
CREATE TABLE access_key (
    id           text COLLATE "C" NOT NULL PRIMARY KEY,
    principal    text COLLATE "C" NOT NULL,
    secret       text COLLATE "C" NOT NULL,
    created_at   bigint           NOT NULL,
    expires_at   bigint,
    last_used_at bigint
);
