-- The catalogue, as a new installation gets it. Nothing has
-- been released yet, so no migration leads to it. From the first release on, a
-- change comes here and as migrations/NNNN-what.sql (store/migrate.go).
--
-- Times are milliseconds since 1970 UTC. Paths are what the uploader sees from
-- the root of the SFTP view, as raw bytes (BLOB), because a name need not be
-- UTF-8; *_shown is the same for people: NFC, everything odd escaped.

CREATE TABLE meta (
    -- volume: the id in the upload volume's marker file; changed: the highest
    -- changed_at ever given
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('changed', '0');

-- AUTOINCREMENT: an id is part of every link and must never come back for
-- another customer.
CREATE TABLE account (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    layout     TEXT NOT NULL CHECK (layout IN ('jobs', 'portraits')),
    id_pattern TEXT NOT NULL,
    allow_from TEXT NOT NULL,       -- JSON list of CIDR prefixes
    time_zone  TEXT NOT NULL,       -- IANA name: what cameras are set to that do not say
    -- kept: removed, its photos stay and come back with the same name;
    -- gone: removed with its files, the name is free for somebody else.
    state      TEXT NOT NULL CHECK (state IN ('enabled', 'disabled', 'kept', 'gone')),
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX account_name ON account (name) WHERE state <> 'gone';

CREATE TABLE job (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account,
    name       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('planned', 'activating', 'active')),
    changed_at INTEGER NOT NULL,
    -- Counted along, see below.
    albums     INTEGER NOT NULL DEFAULT 0,
    photos     INTEGER NOT NULL DEFAULT 0,  -- published
    problems   INTEGER NOT NULL DEFAULT 0,
    files      INTEGER NOT NULL DEFAULT 0,  -- rows of upload
    UNIQUE (account_id, name)
) STRICT;

-- The uploaded bytes, each once, whoever uploaded them and how often.
CREATE TABLE original (
    sha256   BLOB PRIMARY KEY,
    bytes    INTEGER NOT NULL,
    width    INTEGER NOT NULL,      -- as seen, after orientation
    height   INTEGER NOT NULL,
    -- The camera's clock, written as if it were UTC, and (if the camera says)
    -- the minutes that it is ahead of UTC. Apart, because in one album some
    -- cameras write their zone and others do not.
    taken_local INTEGER,
    taken_zone  INTEGER,
    make     TEXT,
    model    TEXT,
    serial   TEXT,
    unusual  INTEGER NOT NULL DEFAULT 0,    -- breaks the rules where the picture does not suffer from it
    refs     INTEGER NOT NULL DEFAULT 0     -- photos and history that point here; counted along
) STRICT, WITHOUT ROWID;
-- What is to be collected.
CREATE INDEX original_loose ON original (sha256) WHERE refs = 0;

CREATE TABLE rendition (
    sha256  BLOB NOT NULL REFERENCES original ON DELETE CASCADE,
    name    TEXT NOT NULL,
    longest INTEGER NOT NULL,       -- the settings it was made with
    quality INTEGER NOT NULL,
    width   INTEGER NOT NULL,
    height  INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    hash    BLOB NOT NULL,          -- SHA-256 of the rendition's own bytes
    PRIMARY KEY (sha256, name)
) STRICT, WITHOUT ROWID;

-- What is published, or was until withdrawn_at. In the jobs layout a photo
-- keeps its row wherever it is moved; in the portraits layout it belongs to a
-- person, whatever file it comes from.
CREATE TABLE photo (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id   INTEGER NOT NULL REFERENCES account,
    job_id       INTEGER REFERENCES job,
    album        TEXT,
    area         TEXT,
    person       TEXT,
    path         BLOB NOT NULL,
    path_shown   TEXT NOT NULL,
    file         TEXT NOT NULL,     -- last element of path_shown
    sha256       BLOB NOT NULL REFERENCES original,
    flags        TEXT NOT NULL,     -- space-separated: small, unusual
    generation   INTEGER NOT NULL DEFAULT 1,
    link         TEXT NOT NULL UNIQUE,
    ingested_at  INTEGER NOT NULL,
    withdrawn_at INTEGER,
    -- The operator who withdrew it, on the pages: then its file may well be
    -- there. NULL = the uploader, by deleting the file.
    withdrawn_by TEXT,
    -- The picture that was here before, if the one that took its place is another
    -- shot beyond doubt and nobody has said that it is right.
    replaced     BLOB,
    -- The picture of the file at this path, if somebody has put an earlier one back.
    declined     BLOB,
    -- Rises with every transaction, also within a millisecond or when the
    -- clock is set back: who has seen all up to n has missed nothing below n.
    changed_at   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX photo_person ON photo (account_id, person) WHERE person IS NOT NULL;
CREATE INDEX photo_path ON photo (account_id, path);
CREATE INDEX photo_album ON photo (job_id, album, area, file) WHERE withdrawn_at IS NULL;
-- With the account and the job: which of them is this very picture is asked
-- for every new photo, and many may show the same.
CREATE INDEX photo_sha256 ON photo (sha256, account_id, job_id);
CREATE INDEX photo_withdrawn ON photo (withdrawn_at) WHERE withdrawn_at IS NOT NULL;
CREATE INDEX photo_account_withdrawn ON photo (account_id, withdrawn_at) WHERE withdrawn_at IS NOT NULL;
CREATE INDEX photo_job_withdrawn ON photo (job_id, withdrawn_at) WHERE withdrawn_at IS NOT NULL;
CREATE INDEX photo_changed ON photo (changed_at);
CREATE INDEX photo_account_changed ON photo (account_id, changed_at);
CREATE INDEX photo_job_changed ON photo (job_id, changed_at) WHERE job_id IS NOT NULL;
CREATE INDEX photo_other_shot ON photo (account_id, replaced) WHERE replaced IS NOT NULL;
CREATE INDEX photo_ingested ON photo (ingested_at) WHERE withdrawn_at IS NULL;
CREATE INDEX photo_account_ingested ON photo (account_id, ingested_at) WHERE withdrawn_at IS NULL;

-- How often the link of a portrait was rotated. It outlives the photo: a
-- portrait that expires and is uploaded again must not get an old link back.
CREATE TABLE rotation (
    account_id INTEGER NOT NULL REFERENCES account,
    person     TEXT NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (account_id, person)
) STRICT, WITHOUT ROWID;

-- What operators have decided: this picture is not to be shown in this job
-- (job_id), or as this person. It outlives the photo, so that the picture does
-- not come back by another name or after another one.
CREATE TABLE withheld (
    account_id INTEGER NOT NULL REFERENCES account,
    job_id     INTEGER NOT NULL,    -- 0 = a portrait
    person     TEXT NOT NULL,       -- '' = of a job
    sha256     BLOB NOT NULL,
    operator   TEXT NOT NULL,
    PRIMARY KEY (account_id, job_id, person, sha256)
) STRICT, WITHOUT ROWID;

-- Pictures that were replaced by a later upload.
CREATE TABLE history (
    photo_id    INTEGER NOT NULL REFERENCES photo ON DELETE CASCADE,
    sha256      BLOB NOT NULL REFERENCES original,
    flags       TEXT NOT NULL,      -- the photo's, at the time
    ingested_at INTEGER NOT NULL,
    replaced_at INTEGER NOT NULL
) STRICT;
CREATE INDEX history_photo ON history (photo_id);
CREATE INDEX history_sha256 ON history (sha256);
CREATE INDEX history_replaced ON history (replaced_at);

-- Every file of the upload volume that has been dealt with, noise apart.
-- identity is the volume's key, inode, size and ctime, eight big-endian bytes
-- each, so that one index finds a file by its inode wherever it was moved.
CREATE TABLE upload (
    id           INTEGER PRIMARY KEY,
    account_id   INTEGER NOT NULL REFERENCES account,
    dir          BLOB NOT NULL,
    name         BLOB NOT NULL,
    identity     BLOB NOT NULL,
    job_id       INTEGER REFERENCES job,
    -- The photo this file is, or (when reason is set) was before it was
    -- overwritten with something that cannot become one.
    photo_id     INTEGER REFERENCES photo ON DELETE SET NULL,
    reason       TEXT,
    since        INTEGER NOT NULL,
    delete_after INTEGER,           -- portraits: when a stray is deleted
    gone_at      INTEGER,           -- first seen to be missing
    -- jobs: this is a RAW or side file, and with a JPEG of that stem in its
    -- folder it is no problem.
    companion    BLOB,
    stem         BLOB GENERATED ALWAYS AS (CASE -- of the name of a JPEG
        WHEN lower(CAST(substr(name, -4) AS TEXT)) = '.jpg' THEN substr(name, 1, length(name) - 4)
        WHEN lower(CAST(substr(name, -5) AS TEXT)) IN ('.jpeg', '.jfif') THEN substr(name, 1, length(name) - 5) END) VIRTUAL
) STRICT;
CREATE INDEX upload_companion ON upload (account_id, dir, companion) WHERE companion IS NOT NULL;
CREATE UNIQUE INDEX upload_live ON upload (account_id, dir, name) WHERE gone_at IS NULL;
CREATE INDEX upload_identity ON upload (identity);
CREATE INDEX upload_photo ON upload (photo_id);
CREATE INDEX upload_gone ON upload (gone_at, id) WHERE gone_at IS NOT NULL;
CREATE INDEX upload_gone_name ON upload (account_id, dir, name, gone_at, id) WHERE gone_at IS NOT NULL;
CREATE INDEX upload_gone_job ON upload (job_id) WHERE gone_at IS NOT NULL;
CREATE INDEX upload_delete ON upload (delete_after, id) WHERE delete_after IS NOT NULL;
-- A page of problems, in the order in which they came, however it is narrowed.
CREATE INDEX problem ON upload (id) WHERE reason IS NOT NULL AND gone_at IS NULL;
CREATE INDEX problem_account ON upload (account_id, id) WHERE reason IS NOT NULL AND gone_at IS NULL;
CREATE INDEX problem_reason ON upload (reason, id) WHERE reason IS NOT NULL AND gone_at IS NULL;
CREATE INDEX problem_account_reason ON upload (account_id, reason, id) WHERE reason IS NOT NULL AND gone_at IS NULL;
CREATE INDEX problem_job ON upload (job_id, id) WHERE reason IS NOT NULL AND gone_at IS NULL;

-- What happened, for people to look up: at most a year of it, and so many of
-- an account.
CREATE TABLE activity (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    account_id INTEGER NOT NULL REFERENCES account,
    event      TEXT NOT NULL,       -- added, replaced, moved, restored, withdrawn, rotated, problem, deleted
    path_shown TEXT NOT NULL,
    detail     TEXT NOT NULL,       -- moved: from where; problem: the reason
    operator   TEXT NOT NULL,       -- who did it on the pages; '' = the uploader, or picday by itself
    photo_id   INTEGER REFERENCES photo ON DELETE SET NULL
) STRICT;
CREATE INDEX activity_account ON activity (account_id, id);
CREATE INDEX activity_photo ON activity (photo_id) WHERE photo_id IS NOT NULL;
CREATE INDEX activity_at ON activity (at);

-- Logins of the administration pages. No account_id: sees all accounts.
CREATE TABLE operator (
    name       TEXT PRIMARY KEY,
    account_id INTEGER REFERENCES account,
    password   TEXT NOT NULL,       -- bcrypt, sealed: store/seal.go
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    hash       BLOB PRIMARY KEY,    -- SHA-256 of the cookie
    operator   TEXT NOT NULL REFERENCES operator ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL     -- to the minute or so
) STRICT, WITHOUT ROWID;
CREATE INDEX session_operator ON session (operator);

-- What programs log in to the API with. No account_id: sees all accounts.
CREATE TABLE token (
    name       TEXT PRIMARY KEY,
    account_id INTEGER REFERENCES account,
    hash       BLOB NOT NULL UNIQUE, -- SHA-256 of the token, which is random
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Counting a million rows takes longer than a page may: the triggers count
-- along, in the transaction that changes what is counted.
CREATE TABLE tally (
    account_id INTEGER PRIMARY KEY REFERENCES account,
    photos     INTEGER NOT NULL,    -- published
    unusual    INTEGER NOT NULL,    -- published, and flagged so
    problems   INTEGER NOT NULL,
    activity   INTEGER NOT NULL,
    files      INTEGER NOT NULL,    -- rows of upload
    -- Rises with every change of the account, its jobs and problems, and with
    -- every photo that ends: with photo.changed_at, all that a page can show.
    changes    INTEGER NOT NULL
) STRICT;
CREATE TABLE problem_tally (
    account_id INTEGER NOT NULL REFERENCES account,
    reason     TEXT NOT NULL,
    files      INTEGER NOT NULL,
    PRIMARY KEY (account_id, reason)
) STRICT, WITHOUT ROWID;
-- An album is a folder that has published photos.
CREATE TABLE album (
    job_id      INTEGER NOT NULL REFERENCES job,
    name        TEXT NOT NULL,
    individuals INTEGER NOT NULL,
    groups      INTEGER NOT NULL,
    latest      INTEGER NOT NULL,   -- when a photo came in last, also one withdrawn since
    PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE stored (
    what  TEXT PRIMARY KEY CHECK (what IN ('original', 'rendition')),
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO stored VALUES ('original', 0, 0), ('rendition', 0, 0);

CREATE TRIGGER tally_account AFTER INSERT ON account BEGIN INSERT INTO tally VALUES (NEW.id, 0, 0, 0, 0, 0, 0); END;
CREATE TRIGGER tally_account_changed AFTER UPDATE ON account
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = NEW.id; END;
CREATE TRIGGER tally_job AFTER INSERT ON job
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = NEW.account_id; END;
CREATE TRIGGER tally_job_changed AFTER UPDATE OF name, state, changed_at ON job
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = NEW.account_id; END;

CREATE TRIGGER tally_activity AFTER INSERT ON activity
BEGIN UPDATE tally SET activity = activity + 1 WHERE account_id = NEW.account_id; END;
CREATE TRIGGER tally_activity_ended AFTER DELETE ON activity
BEGIN UPDATE tally SET activity = activity - 1 WHERE account_id = OLD.account_id; END;

CREATE TRIGGER photo_added AFTER INSERT ON photo BEGIN
    UPDATE original SET refs = refs + 1 WHERE sha256 = NEW.sha256;
    UPDATE tally SET photos = photos + 1, unusual = unusual + (instr(NEW.flags, 'unusual') > 0) WHERE account_id = NEW.account_id AND NEW.withdrawn_at IS NULL;
END;
CREATE TRIGGER photo_ended AFTER DELETE ON photo BEGIN
    UPDATE original SET refs = refs - 1 WHERE sha256 = OLD.sha256;
    UPDATE tally SET photos = photos - (OLD.withdrawn_at IS NULL), unusual = unusual - (OLD.withdrawn_at IS NULL AND instr(OLD.flags, 'unusual') > 0), changes = changes + 1 WHERE account_id = OLD.account_id;
END;
CREATE TRIGGER photo_replaced AFTER UPDATE OF sha256 ON photo WHEN OLD.sha256 <> NEW.sha256 BEGIN
    UPDATE original SET refs = refs - 1 WHERE sha256 = OLD.sha256;
    UPDATE original SET refs = refs + 1 WHERE sha256 = NEW.sha256;
END;
CREATE TRIGGER photo_shown AFTER UPDATE OF withdrawn_at, flags ON photo
WHEN (OLD.withdrawn_at IS NULL) <> (NEW.withdrawn_at IS NULL) OR OLD.flags <> NEW.flags BEGIN
    UPDATE tally SET photos = photos + (NEW.withdrawn_at IS NULL) - (OLD.withdrawn_at IS NULL),
        unusual = unusual + (NEW.withdrawn_at IS NULL AND instr(NEW.flags, 'unusual') > 0) - (OLD.withdrawn_at IS NULL AND instr(OLD.flags, 'unusual') > 0)
        WHERE account_id = NEW.account_id;
END;
CREATE TRIGGER history_added AFTER INSERT ON history BEGIN UPDATE original SET refs = refs + 1 WHERE sha256 = NEW.sha256; END;
CREATE TRIGGER history_ended AFTER DELETE ON history BEGIN UPDATE original SET refs = refs - 1 WHERE sha256 = OLD.sha256; END;

-- Nobody can put back what is no longer kept.
CREATE TRIGGER history_of_replaced_ended AFTER DELETE ON history
BEGIN UPDATE photo SET replaced = NULL WHERE id = OLD.photo_id AND replaced = OLD.sha256
	AND NOT EXISTS (SELECT 1 FROM history WHERE photo_id = OLD.photo_id AND sha256 = OLD.sha256); END;

CREATE TRIGGER album_photo_added AFTER INSERT ON photo WHEN NEW.job_id IS NOT NULL AND NEW.withdrawn_at IS NULL BEGIN
    INSERT INTO album VALUES (NEW.job_id, coalesce(NEW.album, ''), NEW.area IS 'individuals', NEW.area IS 'group', NEW.ingested_at)
        ON CONFLICT DO UPDATE SET individuals = individuals + excluded.individuals, groups = groups + excluded.groups, latest = max(latest, excluded.latest);
    UPDATE job SET photos = photos + 1 WHERE id = NEW.job_id;
END;
CREATE TRIGGER album_photo_ended AFTER DELETE ON photo WHEN OLD.job_id IS NOT NULL AND OLD.withdrawn_at IS NULL BEGIN
    UPDATE album SET individuals = individuals - (OLD.area IS 'individuals'), groups = groups - (OLD.area IS 'group')
        WHERE job_id = OLD.job_id AND name = coalesce(OLD.album, '');
    UPDATE job SET photos = photos - 1 WHERE id = OLD.job_id;
END;
CREATE TRIGGER album_photo_changed AFTER UPDATE OF job_id, album, area, ingested_at, withdrawn_at ON photo
WHEN coalesce(OLD.job_id, NEW.job_id) IS NOT NULL AND (OLD.withdrawn_at IS NULL OR NEW.withdrawn_at IS NULL)
    AND (OLD.job_id, OLD.album, OLD.area, OLD.ingested_at, OLD.withdrawn_at) IS NOT (NEW.job_id, NEW.album, NEW.area, NEW.ingested_at, NEW.withdrawn_at) BEGIN
    INSERT INTO album SELECT NEW.job_id, coalesce(NEW.album, ''), NEW.area IS 'individuals', NEW.area IS 'group', NEW.ingested_at
        WHERE NEW.job_id IS NOT NULL AND NEW.withdrawn_at IS NULL
        ON CONFLICT DO UPDATE SET individuals = individuals + excluded.individuals, groups = groups + excluded.groups, latest = max(latest, excluded.latest);
    UPDATE job SET photos = photos + 1 WHERE id = NEW.job_id AND NEW.withdrawn_at IS NULL;
    UPDATE album SET individuals = individuals - (OLD.area IS 'individuals'), groups = groups - (OLD.area IS 'group')
        WHERE job_id = OLD.job_id AND name = coalesce(OLD.album, '') AND OLD.withdrawn_at IS NULL;
    UPDATE job SET photos = photos - 1 WHERE id = OLD.job_id AND OLD.withdrawn_at IS NULL;
END;
CREATE TRIGGER album_empty AFTER UPDATE OF individuals, groups ON album WHEN NEW.individuals = 0 AND NEW.groups = 0
BEGIN DELETE FROM album WHERE job_id = NEW.job_id AND name = NEW.name; END;
CREATE TRIGGER album_added AFTER INSERT ON album BEGIN UPDATE job SET albums = albums + 1 WHERE id = NEW.job_id; END;
CREATE TRIGGER album_ended AFTER DELETE ON album BEGIN UPDATE job SET albums = albums - 1 WHERE id = OLD.job_id; END;

CREATE TRIGGER file_added AFTER INSERT ON upload BEGIN
    UPDATE tally SET files = files + 1 WHERE account_id = NEW.account_id;
    UPDATE job SET files = files + 1 WHERE id = NEW.job_id;
END;
CREATE TRIGGER file_ended AFTER DELETE ON upload BEGIN
    UPDATE tally SET files = files - 1 WHERE account_id = OLD.account_id;
    UPDATE job SET files = files - 1 WHERE id = OLD.job_id;
END;
CREATE TRIGGER file_of_another_job AFTER UPDATE OF job_id ON upload WHEN OLD.job_id IS NOT NEW.job_id BEGIN
    UPDATE job SET files = files - 1 WHERE id = OLD.job_id;
    UPDATE job SET files = files + 1 WHERE id = NEW.job_id;
END;

CREATE TRIGGER problem_added AFTER INSERT ON upload WHEN NEW.reason IS NOT NULL AND NEW.gone_at IS NULL BEGIN
    INSERT INTO problem_tally VALUES (NEW.account_id, NEW.reason, 1) ON CONFLICT DO UPDATE SET files = files + 1;
    UPDATE tally SET problems = problems + 1, changes = changes + 1 WHERE account_id = NEW.account_id;
    UPDATE job SET problems = problems + 1 WHERE id = NEW.job_id;
END;
CREATE TRIGGER problem_ended AFTER DELETE ON upload WHEN OLD.reason IS NOT NULL AND OLD.gone_at IS NULL BEGIN
    UPDATE problem_tally SET files = files - 1 WHERE account_id = OLD.account_id AND reason = OLD.reason;
    UPDATE tally SET problems = problems - 1, changes = changes + 1 WHERE account_id = OLD.account_id;
    UPDATE job SET problems = problems - 1 WHERE id = OLD.job_id;
END;
-- Also what stays a problem: another size or date is news for a page.
CREATE TRIGGER problem_changed AFTER UPDATE OF account_id, job_id, reason, gone_at, since, delete_after, identity ON upload
WHEN OLD.reason IS NOT NULL AND OLD.gone_at IS NULL OR NEW.reason IS NOT NULL AND NEW.gone_at IS NULL BEGIN
    UPDATE problem_tally SET files = files - 1 WHERE account_id = OLD.account_id AND reason = OLD.reason AND OLD.gone_at IS NULL;
    UPDATE tally SET problems = problems - 1, changes = changes + 1
        WHERE account_id = OLD.account_id AND OLD.reason IS NOT NULL AND OLD.gone_at IS NULL;
    UPDATE job SET problems = problems - 1 WHERE id = OLD.job_id AND OLD.reason IS NOT NULL AND OLD.gone_at IS NULL;
    INSERT INTO problem_tally SELECT NEW.account_id, NEW.reason, 1 WHERE NEW.reason IS NOT NULL AND NEW.gone_at IS NULL
        ON CONFLICT DO UPDATE SET files = files + 1;
    UPDATE tally SET problems = problems + 1, changes = changes + 1
        WHERE account_id = NEW.account_id AND NEW.reason IS NOT NULL AND NEW.gone_at IS NULL;
    UPDATE job SET problems = problems + 1 WHERE id = NEW.job_id AND NEW.reason IS NOT NULL AND NEW.gone_at IS NULL;
END;
-- A RAW or side file is a problem until the JPEG beside it comes, and again when
-- that one has gone for good.
CREATE TRIGGER companion_joined AFTER INSERT ON upload WHEN NEW.stem IS NOT NULL BEGIN
    UPDATE upload SET reason = NULL
        WHERE account_id = NEW.account_id AND dir = NEW.dir AND companion = NEW.stem AND reason IS NOT NULL;
END;
CREATE TRIGGER companion_left AFTER DELETE ON upload WHEN OLD.stem IS NOT NULL BEGIN
    UPDATE upload SET reason = 'not-jpeg', since = CAST(unixepoch('subsec') * 1000 AS INTEGER)
        WHERE account_id = OLD.account_id AND dir = OLD.dir AND companion = OLD.stem AND reason IS NULL
        AND NOT EXISTS (SELECT 1 FROM upload j WHERE j.account_id = OLD.account_id AND j.dir = OLD.dir AND j.gone_at IS NULL
            AND j.name > CAST(OLD.stem || '.' AS BLOB) AND j.name < CAST(OLD.stem || '/' AS BLOB) AND j.stem = OLD.stem)
        AND NOT EXISTS (SELECT 1 FROM upload j WHERE j.account_id = OLD.account_id AND j.dir = OLD.dir AND j.gone_at IS NOT NULL
            AND j.name > CAST(OLD.stem || '.' AS BLOB) AND j.name < CAST(OLD.stem || '/' AS BLOB) AND j.stem = OLD.stem);
END;

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
