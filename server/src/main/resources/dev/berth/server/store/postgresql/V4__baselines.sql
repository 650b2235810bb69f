-- What belongs to an environment, as its provider listed it: a JSON object of lists by type. By what the environment is, not by its name.
CREATE TABLE baseline (
    identity    text COLLATE "C" NOT NULL,
    version     integer          NOT NULL,
    environment text COLLATE "C" NOT NULL,
    at          bigint           NOT NULL,
    kept_by     text COLLATE "C" NOT NULL,
    content     text COLLATE "C" NOT NULL,
    PRIMARY KEY (identity, version)
);

-- What a verification found that did not agree: a person may accept it as the next baseline.
CREATE TABLE finding (
    identity    text COLLATE "C" NOT NULL PRIMARY KEY,
    environment text COLLATE "C" NOT NULL,
    at          bigint           NOT NULL,
    content     text COLLATE "C" NOT NULL
);

CREATE INDEX environment_account ON environment (account) WHERE account IS NOT NULL;
