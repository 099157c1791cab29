-- Links that can be rotated, what happened, who may look, and counts.

ALTER TABLE photo ADD COLUMN withdrawn_by TEXT;
ALTER TABLE history ADD COLUMN withdrawn_by TEXT;
ALTER TABLE photo ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
UPDATE photo SET changed_at = max(ingested_at, coalesce(withdrawn_at, 0));
DROP INDEX photo_job;
CREATE INDEX photo_album ON photo (job_id, album, area, file) WHERE withdrawn_at IS NULL;
CREATE INDEX photo_account_withdrawn ON photo (account_id, withdrawn_at) WHERE withdrawn_at IS NOT NULL;
CREATE INDEX photo_changed ON photo (changed_at);
CREATE INDEX photo_account_changed ON photo (account_id, changed_at);
CREATE INDEX photo_ingested ON photo (ingested_at) WHERE withdrawn_at IS NULL;
CREATE INDEX photo_account_ingested ON photo (account_id, ingested_at) WHERE withdrawn_at IS NULL;

CREATE TABLE rotation (
    account_id INTEGER NOT NULL REFERENCES account,
    person     TEXT NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (account_id, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE activity (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    account_id INTEGER NOT NULL REFERENCES account,
    event      TEXT NOT NULL,
    path_shown TEXT NOT NULL,
    detail     TEXT NOT NULL,
    operator   TEXT NOT NULL,
    photo_id   INTEGER REFERENCES photo ON DELETE SET NULL
) STRICT;
CREATE INDEX activity_account ON activity (account_id, id);
CREATE INDEX activity_photo ON activity (photo_id) WHERE photo_id IS NOT NULL;
CREATE INDEX activity_at ON activity (at);
CREATE TABLE operator (
    name       TEXT PRIMARY KEY,
    account_id INTEGER REFERENCES account,
    password   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    hash       BLOB PRIMARY KEY,
    operator   TEXT NOT NULL REFERENCES operator ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_operator ON session (operator);
CREATE TABLE token (
    name       TEXT PRIMARY KEY,
    account_id INTEGER REFERENCES account,
    hash       BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tally (
    account_id INTEGER PRIMARY KEY REFERENCES account,
    photos     INTEGER NOT NULL
) STRICT;
CREATE TABLE stored (
    what  TEXT PRIMARY KEY CHECK (what IN ('original', 'rendition')),
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO stored VALUES ('original', 0, 0), ('rendition', 0, 0);

INSERT INTO tally SELECT id, (SELECT count(*) FROM photo WHERE account_id = account.id AND withdrawn_at IS NULL) FROM account;
UPDATE stored SET (files, bytes) = (SELECT count(*), coalesce(sum(bytes), 0) FROM original) WHERE what = 'original';
UPDATE stored SET (files, bytes) = (SELECT count(*), coalesce(sum(bytes), 0) FROM rendition) WHERE what = 'rendition';
CREATE TRIGGER tally_account AFTER INSERT ON account BEGIN INSERT INTO tally VALUES (NEW.id, 0); END;
CREATE TRIGGER tally_added AFTER INSERT ON photo WHEN NEW.withdrawn_at IS NULL
BEGIN UPDATE tally SET photos = photos + 1 WHERE account_id = NEW.account_id; END;
CREATE TRIGGER tally_ended AFTER DELETE ON photo WHEN OLD.withdrawn_at IS NULL
BEGIN UPDATE tally SET photos = photos - 1 WHERE account_id = OLD.account_id; END;
CREATE TRIGGER tally_changed AFTER UPDATE OF withdrawn_at ON photo WHEN (OLD.withdrawn_at IS NULL) <> (NEW.withdrawn_at IS NULL)
BEGIN UPDATE tally SET photos = photos + (NEW.withdrawn_at IS NULL) - (OLD.withdrawn_at IS NULL) WHERE account_id = NEW.account_id; END;
CREATE TRIGGER stored_original AFTER INSERT ON original
BEGIN UPDATE stored SET files = files + 1, bytes = bytes + NEW.bytes WHERE what = 'original'; END;
CREATE TRIGGER stored_original_ended AFTER DELETE ON original
BEGIN UPDATE stored SET files = files - 1, bytes = bytes - OLD.bytes WHERE what = 'original'; END;
CREATE TRIGGER stored_rendition AFTER INSERT ON rendition
BEGIN UPDATE stored SET files = files + 1, bytes = bytes + NEW.bytes WHERE what = 'rendition'; END;
CREATE TRIGGER stored_rendition_changed AFTER UPDATE OF bytes ON rendition
BEGIN UPDATE stored SET bytes = bytes + NEW.bytes - OLD.bytes WHERE what = 'rendition'; END;
CREATE TRIGGER stored_rendition_ended AFTER DELETE ON rendition
BEGIN UPDATE stored SET files = files - 1, bytes = bytes - OLD.bytes WHERE what = 'rendition'; END;
