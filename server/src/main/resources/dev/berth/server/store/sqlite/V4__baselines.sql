-- What belongs to an environment, as its provider listed it: a JSON object of lists by type. By what the environment is, not by its name.
CREATE TABLE baseline (
    identity    TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    environment TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    kept_by     TEXT    NOT NULL,
    content     TEXT    NOT NULL,
    PRIMARY KEY (identity, version)
);

-- What a verification found that did not agree: a person may accept it as the next baseline.
CREATE TABLE finding (
    identity    TEXT    NOT NULL PRIMARY KEY,
    environment TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    content     TEXT    NOT NULL
);

CREATE INDEX environment_account ON environment (account) WHERE account IS NOT NULL;
