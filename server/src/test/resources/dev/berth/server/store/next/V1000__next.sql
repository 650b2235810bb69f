-- What a next version might add: whoever does not know of it goes on as before.
ALTER TABLE pool ADD COLUMN colour text;
ALTER TABLE environment ADD COLUMN colour text NOT NULL DEFAULT 'green';
ALTER TABLE allocation ADD COLUMN colour text NOT NULL DEFAULT 'green';
ALTER TABLE ended_allocation ADD COLUMN colour text NOT NULL DEFAULT 'green';
ALTER TABLE event ADD COLUMN colour text NOT NULL DEFAULT 'green';
ALTER TABLE environment_event ADD COLUMN colour text NOT NULL DEFAULT 'green';
ALTER TABLE token ADD COLUMN colour text;
ALTER TABLE generation ADD COLUMN colour text;
CREATE TABLE colour (name text NOT NULL PRIMARY KEY);
CREATE INDEX environment_colour ON environment (colour);
