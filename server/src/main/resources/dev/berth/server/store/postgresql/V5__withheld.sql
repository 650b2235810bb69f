-- Environments that are not lent while another one of their account is out: a state of theirs, and a count of their pool.
ALTER TABLE pool ADD COLUMN withheld integer NOT NULL DEFAULT 0;
CREATE INDEX environment_withheld ON environment (pool, name) WHERE state = 'withheld';
