-- Instants are milliseconds since 1970 in UTC, durations milliseconds.

-- How often the store was restored or copied, or may have lost commits, and what tells whether it was: one row.
CREATE TABLE generation (
    number   INTEGER NOT NULL,
    origin   TEXT,
    moved_to TEXT -- where the store went: it is served here no more
);
INSERT INTO generation (number) VALUES (0);

CREATE TABLE pool (
    number             INTEGER PRIMARY KEY AUTOINCREMENT,
    name               TEXT    NOT NULL UNIQUE,
    policy             TEXT    NOT NULL,
    listed             INTEGER NOT NULL,
    generation         INTEGER NOT NULL,
    sequence           INTEGER NOT NULL,
    events             INTEGER NOT NULL,
    available          INTEGER NOT NULL,
    allocated          INTEGER NOT NULL,
    cleaning           INTEGER NOT NULL,
    checking           INTEGER NOT NULL,
    dirty              INTEGER NOT NULL,
    retiring           INTEGER NOT NULL,
    waiting            INTEGER NOT NULL,
    polling            INTEGER NOT NULL,
    on_hold            INTEGER NOT NULL,
    issuing            INTEGER NOT NULL,
    maintained         INTEGER NOT NULL,
    breaker_failures   INTEGER NOT NULL,
    breaker_open_until INTEGER,
    touched_at         INTEGER NOT NULL,
    revision           INTEGER NOT NULL -- counts the batches that changed anything of the pool
);

-- What environments can be selected by, under its digest. A row is never changed.
CREATE TABLE shape (
    digest  TEXT NOT NULL PRIMARY KEY,
    content TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE shape_count (
    pool     INTEGER NOT NULL,
    shape    TEXT    NOT NULL,
    free     INTEGER NOT NULL,
    held     INTEGER NOT NULL,
    upkeep   INTEGER NOT NULL,
    dirty    INTEGER NOT NULL,
    draining INTEGER NOT NULL,
    PRIMARY KEY (pool, shape)
) WITHOUT ROWID;

CREATE TABLE environment (
    name              TEXT    NOT NULL PRIMARY KEY,
    pool              INTEGER NOT NULL,
    identity          TEXT    NOT NULL,
    account           TEXT,
    shape             TEXT    NOT NULL,
    facts             TEXT    NOT NULL,
    digest            TEXT    NOT NULL,
    epoch             INTEGER NOT NULL,
    drain             TEXT,
    quarantine        TEXT,
    since             INTEGER NOT NULL,
    turn              INTEGER NOT NULL,
    tenant_allocation TEXT,
    tenant_requester  TEXT,
    tenant_principal  TEXT,
    state             TEXT    NOT NULL,
    due_at            INTEGER, -- when the rules do something about it by themselves
    work_at           INTEGER, -- when a worker may claim its step
    issuing           INTEGER NOT NULL, -- whether that step is issuing
    claimed           INTEGER NOT NULL, -- whether it is under a claim
    back_at           INTEGER, -- when it has to be back, while it is lent and does not drain
    lendable          INTEGER NOT NULL, -- 1; 0 where it is dirty or drains; -1 once it is retired
    detail            TEXT,
    event_pool        INTEGER, -- its latest event
    event_number      INTEGER
);
-- A retired row may stand beside the one that has its identity now. (Not by the state: an index is changed with what it depends on.)
CREATE UNIQUE INDEX environment_identity ON environment (identity) WHERE lendable >= 0;
CREATE INDEX environment_known_identity ON environment (identity);
CREATE INDEX environment_pool ON environment (pool, name);
CREATE INDEX environment_free ON environment (pool, shape, turn) WHERE state = 'available';
CREATE INDEX environment_free_account ON environment (pool, shape, account, turn)
    WHERE state = 'available' AND account IS NOT NULL;
CREATE INDEX environment_census ON environment (pool, shape, lendable, account);
CREATE INDEX environment_back ON environment (pool, shape, back_at) WHERE back_at IS NOT NULL;
CREATE INDEX environment_due ON environment (pool, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX environment_work ON environment (pool, issuing, work_at) WHERE work_at IS NOT NULL;
CREATE INDEX environment_claimed ON environment (pool, account) WHERE claimed = 1;
CREATE INDEX environment_dirty ON environment (pool, name) WHERE state = 'dirty';

CREATE TABLE allocation (
    id                TEXT    NOT NULL PRIMARY KEY,
    pool              INTEGER NOT NULL,
    principal         TEXT    NOT NULL,
    requester         TEXT    NOT NULL,
    count             INTEGER NOT NULL,
    need              TEXT    NOT NULL, -- digest of needs
    needs             TEXT    NOT NULL,
    duration          INTEGER,
    asked_keepalive   INTEGER,
    max_wait          INTEGER NOT NULL,
    priority          INTEGER NOT NULL,
    labels            TEXT    NOT NULL,
    idempotency_key   TEXT,
    digest            TEXT    NOT NULL,
    sharer            TEXT    NOT NULL,
    arrival           INTEGER NOT NULL,
    rank              INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    keepalive         INTEGER,
    line              TEXT    NOT NULL, -- the need's digest; empty for what is special
    state             TEXT    NOT NULL, -- also 'polling': kept for a caller who asks again, and shown to nobody
    due_at            INTEGER,
    awake             INTEGER NOT NULL, -- whether it waits and is not passed over
    place             TEXT, -- by what a caller who asks again is known
    until             INTEGER,
    interest_until    INTEGER,
    open_until        INTEGER,
    give_up_at        INTEGER,
    granted_at        INTEGER,
    expires_at        INTEGER,
    keepalive_by      INTEGER,
    collect_by        INTEGER,
    loan              INTEGER NOT NULL,
    hold              TEXT,
    asked_at          INTEGER,
    kept_until        INTEGER,
    misses            INTEGER,
    avoid             TEXT,
    grants            TEXT
);
CREATE INDEX allocation_due ON allocation (pool, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX allocation_queue ON allocation (pool, line, sharer, rank, arrival) WHERE awake = 1;
CREATE INDEX allocation_waiting ON allocation (pool, arrival) WHERE state = 'pending';
CREATE UNIQUE INDEX allocation_place ON allocation (pool, place) WHERE place IS NOT NULL;

-- How many wait for the same; a line that nobody waits in is not kept.
CREATE TABLE line (
    pool    INTEGER NOT NULL,
    need    TEXT    NOT NULL,
    holder  TEXT    NOT NULL,
    needs   TEXT,
    waiting INTEGER NOT NULL,
    PRIMARY KEY (pool, need, holder)
) WITHOUT ROWID;

CREATE TABLE holder (
    pool      INTEGER NOT NULL,
    name      TEXT    NOT NULL,
    held      INTEGER NOT NULL,
    queued    INTEGER NOT NULL,
    used      REAL    NOT NULL,
    as_of     INTEGER NOT NULL,
    served_at INTEGER NOT NULL,
    PRIMARY KEY (pool, name)
) WITHOUT ROWID;

-- What has ended, kept apart so that its growth costs no request anything. Ids begin with the pool and the time.
CREATE TABLE ended_allocation (
    id                TEXT    NOT NULL PRIMARY KEY,
    pool              INTEGER NOT NULL,
    principal         TEXT    NOT NULL,
    requester         TEXT    NOT NULL,
    count             INTEGER NOT NULL,
    need              TEXT    NOT NULL, -- digest of needs
    needs             TEXT    NOT NULL,
    duration          INTEGER,
    asked_keepalive   INTEGER,
    max_wait          INTEGER NOT NULL,
    priority          INTEGER NOT NULL,
    labels            TEXT    NOT NULL,
    idempotency_key   TEXT,
    digest            TEXT    NOT NULL,
    sharer            TEXT    NOT NULL,
    arrival           INTEGER NOT NULL,
    rank              INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    keepalive         INTEGER,
    granted_at        INTEGER,
    expires_at        INTEGER,
    ended_at          INTEGER NOT NULL,
    end_reason        TEXT    NOT NULL,
    outcome           TEXT,
    grants            TEXT,
    held_for          TEXT
);

CREATE TABLE idempotency_key (
    principal  TEXT NOT NULL,
    key        TEXT NOT NULL,
    allocation TEXT NOT NULL,
    digest     TEXT NOT NULL,
    PRIMARY KEY (principal, key)
) WITHOUT ROWID;

CREATE TABLE event (
    pool        INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    type        TEXT    NOT NULL,
    allocation  TEXT,
    environment TEXT,
    principal   TEXT,
    data        TEXT,
    PRIMARY KEY (pool, number)
);

-- Which events are about an environment, a grant may be about several; with the one before that was about it, so that its history is
-- read backwards from its latest. In the order in which events are written: by environment, each would be a page of its own.
CREATE TABLE environment_event (
    pool          INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    environment   TEXT    NOT NULL,
    before_pool   INTEGER,
    before_number INTEGER,
    PRIMARY KEY (pool, number, environment)
) WITHOUT ROWID;

-- The last batch that each process committed: how a lost answer to COMMIT is found out.
CREATE TABLE batch (
    process TEXT    NOT NULL PRIMARY KEY,
    id      TEXT    NOT NULL,
    at      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE token (
    id           TEXT    NOT NULL PRIMARY KEY,
    principal    TEXT    NOT NULL,
    hash         TEXT    NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
);

CREATE TABLE configuration (
    sequence INTEGER NOT NULL PRIMARY KEY,
    text     TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    since    INTEGER NOT NULL
);
CREATE INDEX configuration_digest ON configuration (digest);
