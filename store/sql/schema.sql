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
    language   TEXT NOT NULL,       -- en, de: of what its uploaders read, as the connection card
    -- kept: removed, its photos stay and come back with the same name;
    -- gone: removed with its files, the name is free for somebody else.
    state      TEXT NOT NULL CHECK (state IN ('enabled', 'disabled', 'kept', 'gone')),
    created_at INTEGER NOT NULL,
    sort       TEXT NOT NULL DEFAULT '',    -- names.Key of the name
    areas      TEXT NOT NULL DEFAULT '',    -- jobs: further names of individuals and group, JSON; '' = none
    areas_applied TEXT NOT NULL DEFAULT ''  -- what such names meant when picdayd had the files looked at last, JSON
) STRICT;
CREATE INDEX account_sort ON account (sort, name);
CREATE UNIQUE INDEX account_name ON account (name) WHERE state <> 'gone';

-- Further log-ins of an account, each a name beside the account's own. They share
-- one name space with accounts (store/login.go).
CREATE TABLE login (
    name       TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account,
    until      TEXT NOT NULL,       -- its last day, YYYY-MM-DD; '' = no end
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX login_account ON login (account_id);

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
    expected   INTEGER NOT NULL DEFAULT 0,  -- how many photos are to come; 0 = nobody has said
    latest     INTEGER NOT NULL DEFAULT 0,  -- when a file was taken, or found to be a problem, last
    sort       TEXT NOT NULL DEFAULT '',    -- names.Key of the name
    refuse_unknown INTEGER NOT NULL DEFAULT 0,  -- a code that nobody has makes no new subject
    card_last  INTEGER NOT NULL DEFAULT 0,  -- a card follows its photos, and does not precede them
    quiet      INTEGER NOT NULL DEFAULT 600000, -- milliseconds after the last arrival in an album, see card_album
    replaced   INTEGER NOT NULL DEFAULT 0,  -- how often a photo's picture was replaced by another
    unchanged  INTEGER NOT NULL DEFAULT 0,  -- how often a file came again with the same picture
    regrouped  INTEGER NOT NULL DEFAULT 0,  -- rises when it is found out anew whose photos are
    UNIQUE (account_id, name)
) STRICT;
CREATE INDEX job_sort ON job (account_id, sort, name);
CREATE INDEX job_latest ON job (latest);
-- By what beginnings a job (album '') or an album is found: names.Parts. It keeps the
-- albums that there were once, too.
CREATE TABLE name_part (
    account_id INTEGER NOT NULL REFERENCES account,
    part       TEXT NOT NULL,
    job_id     INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    album      TEXT NOT NULL,
    PRIMARY KEY (account_id, part, job_id, album)
) STRICT, WITHOUT ROWID;
CREATE INDEX name_part_job ON name_part (job_id);

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
    -- The QR codes in it: NULL = not looked for, '' = none, else JSON. Where a job's photo
    -- shows one, no link shows the photo.
    codes    TEXT,
    -- This catalogue is an earlier copy, and whether a code was found here since is not
    -- known: where a job's photo shows it, no link does until codes were looked for.
    held     INTEGER NOT NULL DEFAULT 0,
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
    sort         TEXT NOT NULL DEFAULT '', -- names.Key of the person, or else of the file
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
    -- jobs: what a person says about it as a card. '' = nothing; 'no' = it is none;
    -- '=' and the codes on it, with spaces between.
    card         TEXT NOT NULL DEFAULT '',
    -- Rises with every transaction, also within a millisecond or when the
    -- clock is set back: who has seen all up to n has missed nothing below n.
    changed_at   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX photo_person ON photo (account_id, person) WHERE person IS NOT NULL;
CREATE INDEX photo_path ON photo (account_id, path);
CREATE INDEX photo_shown ON photo (account_id, path_shown) WHERE CAST(path AS TEXT) <> path_shown;
CREATE INDEX photo_album ON photo (job_id, album, area, sort) WHERE withdrawn_at IS NULL;
CREATE INDEX photo_person_sort ON photo (account_id, sort) WHERE person IS NOT NULL AND withdrawn_at IS NULL;
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
CREATE INDEX photo_job_other_shot ON photo (job_id, path_shown) WHERE replaced IS NOT NULL AND withdrawn_at IS NULL;
CREATE INDEX photo_ingested ON photo (ingested_at) WHERE withdrawn_at IS NULL;
CREATE INDEX photo_account_ingested ON photo (account_id, ingested_at) WHERE withdrawn_at IS NULL;

-- By what beginnings the file of a job's photo is found: names.Parts.
CREATE TABLE photo_part (
    account_id INTEGER NOT NULL REFERENCES account,
    part       TEXT NOT NULL,
    photo_id   INTEGER NOT NULL,
    PRIMARY KEY (account_id, part, photo_id)
) STRICT, WITHOUT ROWID;

-- How often the link of a portrait was rotated. It outlives the photo: a
-- portrait that expires and is uploaded again must not get an old link back.
CREATE TABLE rotation (
    account_id INTEGER NOT NULL REFERENCES account,
    person     TEXT NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (account_id, person)
) STRICT, WITHOUT ROWID;

-- Where a job's photo was before it was moved. Whoever follows one job, album or
-- area must hear of what has left it, and what became of it later.
CREATE TABLE departure (
    photo_id   INTEGER NOT NULL REFERENCES photo ON DELETE CASCADE,
    job_id     INTEGER NOT NULL REFERENCES job,
    album      TEXT NOT NULL,
    area       TEXT NOT NULL,
    changed_at INTEGER NOT NULL,    -- the photo's
    PRIMARY KEY (photo_id, job_id, album, area)
) STRICT, WITHOUT ROWID;
CREATE INDEX departure_changed ON departure (changed_at, photo_id);
CREATE INDEX departure_job_changed ON departure (job_id, changed_at, photo_id);

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
    -- The operator who said that this problem is no photo; NULL = nobody. It ends when
    -- the file changes. An ignored problem is not counted as one.
    ignored_by   TEXT,
    -- Set where the account's rules have changed, until the file was looked at again.
    again        INTEGER,
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
CREATE INDEX upload_job ON upload (job_id, gone_at) WHERE job_id IS NOT NULL;
CREATE INDEX upload_job_aside ON upload (job_id) WHERE companion IS NOT NULL AND reason IS NULL;
CREATE INDEX upload_delete ON upload (delete_after, id) WHERE delete_after IS NOT NULL;
-- A page of problems, in the order in which they came, however it is narrowed.
CREATE INDEX problem ON upload (id) WHERE reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL;
CREATE INDEX problem_account ON upload (account_id, id) WHERE reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL;
CREATE INDEX problem_reason ON upload (reason, id) WHERE reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL;
CREATE INDEX problem_account_reason ON upload (account_id, reason, id) WHERE reason IS NOT NULL AND gone_at IS NULL;
CREATE INDEX problem_since ON upload (account_id, since) WHERE reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL;
CREATE INDEX problem_job ON upload (job_id, id) WHERE reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL;
CREATE INDEX problem_file ON upload (account_id, dir, reason, id) WHERE reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL;
CREATE INDEX problem_ignored ON upload (account_id, dir, reason, id) WHERE reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NOT NULL;

-- Who is, or is to be, on the pictures of a job, or (without one) of an account.
-- AUTOINCREMENT: an id is never another child's.
CREATE TABLE subject (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  INTEGER NOT NULL REFERENCES account,
    job_id      INTEGER REFERENCES job,
    kind        TEXT NOT NULL CHECK (kind IN ('person', 'group', 'spare')),
    code        TEXT NOT NULL,      -- what its card says now; see subject_code
    external_id TEXT,               -- the customer's; in the portraits layout photo.person
    first       TEXT NOT NULL,
    last        TEXT NOT NULL,
    class       TEXT NOT NULL,
    grade       TEXT NOT NULL,
    more        TEXT NOT NULL,      -- JSON object: further columns of the roster
    sort        TEXT NOT NULL,      -- by class, last and first name: store/subject.go
    listed      TEXT NOT NULL CHECK (listed IN ('', 'listed', 'missing')), -- on the roster, or no longer; '' = never
    photos      INTEGER NOT NULL DEFAULT 0, -- published; counted along
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,   -- as photo's, from the same numbers
    removed_at  INTEGER             -- then nothing of it is kept but its codes
) STRICT;
CREATE UNIQUE INDEX subject_of_job ON subject (job_id, external_id) WHERE job_id IS NOT NULL;
CREATE UNIQUE INDEX subject_of_account ON subject (account_id, external_id) WHERE job_id IS NULL;
CREATE INDEX subject_sort ON subject (account_id, sort, id) WHERE removed_at IS NULL;
CREATE INDEX subject_job_sort ON subject (job_id, sort, id) WHERE removed_at IS NULL;
CREATE INDEX subject_without_photo ON subject (account_id, sort, id) WHERE photos = 0 AND removed_at IS NULL;
CREATE INDEX subject_job_without_photo ON subject (job_id, sort, id) WHERE photos = 0 AND removed_at IS NULL;
CREATE INDEX subject_changed ON subject (changed_at, id);
CREATE INDEX subject_account_changed ON subject (account_id, changed_at, id);
CREATE INDEX subject_job_changed ON subject (job_id, changed_at, id);
-- Every code that was ever given out, with the subject that has or had it: none is
-- given out again.
CREATE TABLE subject_code (
    account_id INTEGER NOT NULL REFERENCES account,
    code       TEXT NOT NULL,       -- codes.Key
    subject_id INTEGER NOT NULL REFERENCES subject,
    PRIMARY KEY (account_id, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX subject_code_subject ON subject_code (subject_id);
-- Who is on a photo of a job. Portraits have no rows: they name the person.
CREATE TABLE subject_photo (
    photo_id   INTEGER NOT NULL REFERENCES photo ON DELETE CASCADE,
    subject_id INTEGER NOT NULL REFERENCES subject,
    way        TEXT NOT NULL CHECK (way IN ('card', 'operator', 'roster')), -- by what it is known
    card_id    INTEGER REFERENCES photo ON DELETE SET NULL, -- card: the photo of it
    operator   TEXT NOT NULL,       -- operator: who said so; '' = on the command line
    at         INTEGER NOT NULL,
    PRIMARY KEY (photo_id, subject_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX subject_photo_subject ON subject_photo (subject_id, photo_id);
CREATE INDEX subject_photo_card ON subject_photo (card_id) WHERE card_id IS NOT NULL;
-- The photo that is exported of a subject, where an operator has chosen one; else it is the
-- latest. The subject may not be on it any more.
CREATE TABLE pose (
    subject_id INTEGER NOT NULL PRIMARY KEY REFERENCES subject ON DELETE CASCADE,
    photo_id   INTEGER NOT NULL REFERENCES photo ON DELETE CASCADE,
    operator   TEXT NOT NULL,
    at         INTEGER NOT NULL
) STRICT;
CREATE INDEX pose_photo ON pose (photo_id);
-- How exports cut the pictures of a job, or (without one) of an account: how much of what is
-- cut off the height is cut off above, in per cent.
CREATE TABLE crop_rule (
    account_id INTEGER NOT NULL REFERENCES account,
    job_id     INTEGER REFERENCES job ON DELETE CASCADE,
    top        INTEGER NOT NULL CHECK (top BETWEEN 0 AND 100)
) STRICT;
CREATE UNIQUE INDEX crop_rule_job ON crop_rule (job_id) WHERE job_id IS NOT NULL;
CREATE UNIQUE INDEX crop_rule_account ON crop_rule (account_id) WHERE job_id IS NULL;
-- How exports cut one photo, where an operator has said so of the picture that it shows.
CREATE TABLE photo_crop (
    photo_id INTEGER NOT NULL PRIMARY KEY REFERENCES photo ON DELETE CASCADE,
    sha256   BLOB NOT NULL,         -- of that picture: another one is cut by the rule
    "left"   INTEGER NOT NULL CHECK ("left" BETWEEN 0 AND 100), -- of what is cut off the width, in per cent
    top      INTEGER NOT NULL CHECK (top BETWEEN 0 AND 100),
    operator TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
-- The albums that have, or had, photos of cards.
CREATE TABLE card_album (
    job_id     INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    album      TEXT NOT NULL,
    due        INTEGER NOT NULL,    -- whose the photos are has to be found out anew
    refused    INTEGER NOT NULL,    -- cards whose codes nobody had then
    arrived_at INTEGER NOT NULL,    -- when a photo came in last
    sealed_at  INTEGER NOT NULL,    -- when the album was quiet last: who was on a photo then, changes by approval only
    PRIMARY KEY (job_id, album)
) STRICT, WITHOUT ROWID;
CREATE INDEX card_album_due ON card_album (job_id) WHERE due <> 0;
-- The photos of such albums that are cards, or nobody's.
CREATE TABLE series (
    photo_id INTEGER NOT NULL PRIMARY KEY REFERENCES photo ON DELETE CASCADE,
    job_id   INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    why      TEXT NOT NULL,         -- store/series.go
    at_id    INTEGER                -- the photo where the doubt began; it may have ended
) STRICT, WITHOUT ROWID;
CREATE INDEX series_why ON series (job_id, why, photo_id);
-- How many of all there are, for metrics; counted along.
CREATE TABLE series_tally (
    why    TEXT PRIMARY KEY,
    photos INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Changes of who is on photos that wait for a person, or that one has decided about. An
-- album has at most one that is open.
CREATE TABLE proposal (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account,
    job_id     INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    album      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'undone')),
    at         INTEGER NOT NULL,
    decided_at INTEGER,
    operator   TEXT NOT NULL        -- who decided; '' = on the command line
) STRICT;
CREATE UNIQUE INDEX proposal_open ON proposal (job_id, album) WHERE state = 'open';
CREATE INDEX proposal_account ON proposal (account_id, state, id);
CREATE INDEX proposal_job ON proposal (job_id, id);
CREATE TABLE proposal_photo (
    proposal_id INTEGER NOT NULL REFERENCES proposal ON DELETE CASCADE,
    photo_id    INTEGER NOT NULL REFERENCES photo ON DELETE CASCADE,
    was         TEXT NOT NULL,      -- JSON: IDs of subjects, in their order
    becomes     TEXT NOT NULL,
    card_id     INTEGER REFERENCES photo ON DELETE SET NULL, -- the card that says so; NULL = none
    PRIMARY KEY (proposal_id, photo_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX proposal_photo_photo ON proposal_photo (photo_id);
CREATE INDEX proposal_photo_card ON proposal_photo (card_id) WHERE card_id IS NOT NULL;
-- The lists that came, of a job or (without one) of an account; the subjects say who
-- is on the last one that was taken.
CREATE TABLE roster (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account,
    job_id     INTEGER REFERENCES job,
    at         INTEGER NOT NULL,
    operator   TEXT NOT NULL,       -- who brought it; '' = the uploader, or on the command line
    file       TEXT NOT NULL,       -- its name, shown
    sha256     BLOB NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'taken')),
    content    BLOB,                -- of one that waits for a person
    people     INTEGER NOT NULL,    -- on the list
    added      INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    missing    INTEGER NOT NULL     -- were on the one before, and are not on this
) STRICT;
CREATE INDEX roster_account ON roster (account_id, id);
CREATE INDEX roster_job ON roster (job_id, id);

-- What happened, for people to look up: at most a year of it, and so many of
-- an account.
CREATE TABLE activity (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    account_id INTEGER NOT NULL REFERENCES account,
    event      TEXT NOT NULL,       -- added, replaced, moved, restored, withdrawn, rotated, card, proposal, problem, ignored, unignored, deleted, activated, planned, expected, job-added, job-removed, roster, account, downloaded
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
    role       TEXT NOT NULL,       -- look, work, admin: store/role.go
    password   TEXT NOT NULL,       -- bcrypt, sealed: store/operator_password.go
    created_at INTEGER NOT NULL,
    email      TEXT NOT NULL DEFAULT '',   -- where notices go; '' = nowhere
    language   TEXT NOT NULL DEFAULT ''    -- of the pages; '' = as the browser prefers
) STRICT, WITHOUT ROWID;
-- The accounts of whose notices an operator gets mail; no row: all that he sees,
-- and those of the machine.
CREATE TABLE operator_mail (
    operator   TEXT NOT NULL REFERENCES operator ON DELETE CASCADE,
    account_id INTEGER NOT NULL REFERENCES account,
    PRIMARY KEY (operator, account_id)
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

-- An upload that goes on: what came into a job, or (job_id 0) into an account
-- beside its jobs, since it was last quiet. The row ends with the notice of it.
CREATE TABLE arriving (
    account_id INTEGER NOT NULL REFERENCES account,
    job_id     INTEGER NOT NULL,
    began_at   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    added      INTEGER NOT NULL,    -- photos that are new, or back
    replaced   INTEGER NOT NULL,
    problems   INTEGER NOT NULL,    -- files, mended ones too
    PRIMARY KEY (account_id, job_id)
) STRICT, WITHOUT ROWID;
-- A condition of which people were told, as long as it lasts: it is not told
-- again at every look, nor after a restart.
CREATE TABLE told (
    what       TEXT NOT NULL,
    account_id INTEGER NOT NULL,    -- 0 = the machine
    at         INTEGER NOT NULL,    -- when it was told last
    upto       INTEGER NOT NULL,    -- old problems: those since then were not told; else when it began
    PRIMARY KEY (what, account_id)
) STRICT, WITHOUT ROWID;
-- The outbox: what people and programs are told ("events" to users). Pruned by
-- age and number.
CREATE TABLE notice (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key        TEXT NOT NULL,       -- the same at every attempt: webhook-id
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    account_id INTEGER REFERENCES account, -- NULL = of the machine
    message    TEXT NOT NULL,       -- a sentence
    data       TEXT NOT NULL        -- JSON object
) STRICT;
CREATE INDEX notice_at ON notice (at);
CREATE INDEX notice_account ON notice (account_id, id) WHERE account_id IS NOT NULL;
-- via: 'mail', or 'webhook:' and its name; who: the operator, '' of a webhook.
CREATE TABLE delivery (
    via        TEXT NOT NULL,
    who        TEXT NOT NULL,
    account_id INTEGER NOT NULL,    -- the notice's, 0 = none
    notice_id  INTEGER NOT NULL REFERENCES notice ON DELETE CASCADE,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given-up')),
    at         INTEGER NOT NULL,    -- when it got into that state
    PRIMARY KEY (via, who, account_id, notice_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_notice ON delivery (notice_id);
CREATE INDEX delivery_waiting ON delivery (via, who, account_id, notice_id) WHERE state = 'waiting';
-- The notices of one account on their way to one receiver, in order: only the
-- first is tried, the others wait for it.
CREATE TABLE lane (
    via        TEXT NOT NULL,
    who        TEXT NOT NULL,
    account_id INTEGER NOT NULL,
    due_at     INTEGER,             -- NULL = nothing waits
    sent_at    INTEGER NOT NULL,    -- the last success, 0 = none
    tries      INTEGER NOT NULL,    -- failed since
    failing_since INTEGER,
    error      TEXT NOT NULL,       -- of the last try, '' = it went well
    PRIMARY KEY (via, who, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX lane_due ON lane (via, due_at) WHERE due_at IS NOT NULL;

-- Counting a million rows takes longer than a page may: the triggers count
-- along, in the transaction that changes what is counted.
CREATE TABLE tally (
    account_id INTEGER PRIMARY KEY REFERENCES account,
    photos     INTEGER NOT NULL,    -- published
    unusual    INTEGER NOT NULL,    -- published, and flagged so
    problems   INTEGER NOT NULL,
    activity   INTEGER NOT NULL,
    files      INTEGER NOT NULL,    -- rows of upload
    replaced   INTEGER NOT NULL DEFAULT 0,  -- as a job's, of what is in no job
    unchanged  INTEGER NOT NULL DEFAULT 0,
    -- Rises with every change of the account, its jobs and problems, and with
    -- every photo or earlier picture that ends. Together with photo.changed_at it
    -- tells of all that a page can show.
    changes    INTEGER NOT NULL,
    -- The highest changed_at of the photos that are no longer known. Who asks what
    -- has changed since an earlier moment may not be told of one that has ended.
    forgotten  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE problem_tally (
    account_id INTEGER NOT NULL REFERENCES account,
    reason     TEXT NOT NULL,
    files      INTEGER NOT NULL,
    PRIMARY KEY (account_id, reason)
) STRICT, WITHOUT ROWID;
-- The problems of one folder that have the same reason. AUTOINCREMENT: a page that was
-- open for long must not mean another group.
CREATE TABLE problem_group (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account,
    dir        BLOB NOT NULL,
    reason     TEXT NOT NULL,
    job_id     INTEGER,
    files      INTEGER NOT NULL,    -- those that nobody ignores
    ignored    INTEGER NOT NULL,
    latest     INTEGER NOT NULL,    -- since when the latest is a problem, also one that has ended
    UNIQUE (account_id, dir, reason)
) STRICT;
CREATE INDEX problem_group_open ON problem_group (id) WHERE files > 0;
CREATE INDEX problem_group_account ON problem_group (account_id, id) WHERE files > 0;
CREATE INDEX problem_group_reason ON problem_group (reason, id) WHERE files > 0;
CREATE INDEX problem_group_account_reason ON problem_group (account_id, reason, id) WHERE files > 0;
CREATE INDEX problem_group_job ON problem_group (job_id, id) WHERE files > 0;
CREATE INDEX problem_group_ignored ON problem_group (id) WHERE ignored > 0;
CREATE INDEX problem_group_account_ignored ON problem_group (account_id, id) WHERE ignored > 0;
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

CREATE TRIGGER tally_account AFTER INSERT ON account BEGIN INSERT INTO tally (account_id, photos, unusual, problems, activity, files, changes) VALUES (NEW.id, 0, 0, 0, 0, 0, 0); END;
CREATE TRIGGER tally_account_changed AFTER UPDATE ON account
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = NEW.id; END;
CREATE TRIGGER tally_job AFTER INSERT ON job
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = NEW.account_id; END;
CREATE TRIGGER tally_job_removed AFTER DELETE ON job
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = OLD.account_id; END;
CREATE TRIGGER tally_job_changed AFTER UPDATE OF name, state, changed_at, expected ON job
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
    UPDATE tally SET photos = photos - (OLD.withdrawn_at IS NULL), unusual = unusual - (OLD.withdrawn_at IS NULL AND instr(OLD.flags, 'unusual') > 0), changes = changes + 1, forgotten = max(forgotten, OLD.changed_at) WHERE account_id = OLD.account_id;
END;
CREATE TRIGGER photo_departed AFTER UPDATE OF job_id, album, area ON photo
WHEN OLD.job_id IS NOT NULL AND (OLD.job_id, OLD.album, OLD.area) IS NOT (NEW.job_id, NEW.album, NEW.area) BEGIN
    INSERT INTO departure VALUES (OLD.id, OLD.job_id, coalesce(OLD.album, ''), coalesce(OLD.area, ''), NEW.changed_at)
        ON CONFLICT DO UPDATE SET changed_at = excluded.changed_at;
END;
CREATE TRIGGER photo_departed_changed AFTER UPDATE OF changed_at ON photo
BEGIN UPDATE departure SET changed_at = NEW.changed_at WHERE photo_id = NEW.id; END;
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
CREATE TRIGGER history_ended AFTER DELETE ON history BEGIN
    UPDATE original SET refs = refs - 1 WHERE sha256 = OLD.sha256;
    UPDATE tally SET changes = changes + 1 WHERE account_id = (SELECT account_id FROM photo WHERE id = OLD.photo_id);
END;

-- Nobody can put back what is no longer kept.
CREATE TRIGGER history_of_replaced_ended AFTER DELETE ON history
BEGIN UPDATE photo SET replaced = NULL WHERE id = OLD.photo_id AND replaced = OLD.sha256
	AND NOT EXISTS (SELECT 1 FROM history WHERE photo_id = OLD.photo_id AND sha256 = OLD.sha256); END;

CREATE TRIGGER album_photo_added AFTER INSERT ON photo WHEN NEW.job_id IS NOT NULL AND NEW.withdrawn_at IS NULL BEGIN
    INSERT INTO album VALUES (NEW.job_id, coalesce(NEW.album, ''), NEW.area IS 'individuals', NEW.area IS 'group', NEW.ingested_at)
        ON CONFLICT DO UPDATE SET individuals = individuals + excluded.individuals, groups = groups + excluded.groups, latest = max(latest, excluded.latest);
    UPDATE job SET photos = photos + 1, latest = max(latest, NEW.ingested_at) WHERE id = NEW.job_id;
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
    UPDATE job SET photos = photos + 1, latest = max(latest, NEW.ingested_at) WHERE id = NEW.job_id AND NEW.withdrawn_at IS NULL;
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
    INSERT INTO problem_group (account_id, dir, reason, job_id, files, ignored, latest)
        VALUES (NEW.account_id, NEW.dir, NEW.reason, NEW.job_id, NEW.ignored_by IS NULL, NEW.ignored_by IS NOT NULL, NEW.since)
        ON CONFLICT (account_id, dir, reason) DO UPDATE SET files = files + excluded.files, ignored = ignored + excluded.ignored, latest = max(latest, excluded.latest), job_id = excluded.job_id;
    INSERT INTO problem_tally VALUES (NEW.account_id, NEW.reason, NEW.ignored_by IS NULL) ON CONFLICT DO UPDATE SET files = files + excluded.files;
    UPDATE tally SET problems = problems + (NEW.ignored_by IS NULL), changes = changes + 1 WHERE account_id = NEW.account_id;
    UPDATE job SET problems = problems + (NEW.ignored_by IS NULL), latest = max(latest, NEW.since) WHERE id = NEW.job_id;
END;
CREATE TRIGGER problem_ended AFTER DELETE ON upload WHEN OLD.reason IS NOT NULL AND OLD.gone_at IS NULL BEGIN
    UPDATE problem_group SET files = files - (OLD.ignored_by IS NULL), ignored = ignored - (OLD.ignored_by IS NOT NULL)
        WHERE account_id = OLD.account_id AND dir = OLD.dir AND reason = OLD.reason;
    UPDATE problem_tally SET files = files - (OLD.ignored_by IS NULL) WHERE account_id = OLD.account_id AND reason = OLD.reason;
    UPDATE tally SET problems = problems - (OLD.ignored_by IS NULL), changes = changes + 1 WHERE account_id = OLD.account_id;
    UPDATE job SET problems = problems - (OLD.ignored_by IS NULL) WHERE id = OLD.job_id;
END;
-- Also what stays a problem: another size or date is news for a page. First what is, then
-- what was: a group that stays keeps its id.
CREATE TRIGGER problem_changed AFTER UPDATE OF account_id, dir, job_id, reason, gone_at, since, delete_after, identity, ignored_by ON upload
WHEN OLD.reason IS NOT NULL AND OLD.gone_at IS NULL OR NEW.reason IS NOT NULL AND NEW.gone_at IS NULL BEGIN
    INSERT INTO problem_group (account_id, dir, reason, job_id, files, ignored, latest)
        SELECT NEW.account_id, NEW.dir, NEW.reason, NEW.job_id, NEW.ignored_by IS NULL, NEW.ignored_by IS NOT NULL, NEW.since WHERE NEW.reason IS NOT NULL AND NEW.gone_at IS NULL
        ON CONFLICT (account_id, dir, reason) DO UPDATE SET files = files + excluded.files, ignored = ignored + excluded.ignored, latest = max(latest, excluded.latest), job_id = excluded.job_id;
    UPDATE problem_group SET files = files - (OLD.ignored_by IS NULL), ignored = ignored - (OLD.ignored_by IS NOT NULL)
        WHERE account_id = OLD.account_id AND dir = OLD.dir AND reason = OLD.reason AND OLD.gone_at IS NULL;
    UPDATE problem_tally SET files = files - (OLD.ignored_by IS NULL) WHERE account_id = OLD.account_id AND reason = OLD.reason AND OLD.gone_at IS NULL;
    UPDATE tally SET problems = problems - (OLD.ignored_by IS NULL), changes = changes + 1
        WHERE account_id = OLD.account_id AND OLD.reason IS NOT NULL AND OLD.gone_at IS NULL;
    UPDATE job SET problems = problems - (OLD.ignored_by IS NULL) WHERE id = OLD.job_id AND OLD.reason IS NOT NULL AND OLD.gone_at IS NULL;
    INSERT INTO problem_tally SELECT NEW.account_id, NEW.reason, NEW.ignored_by IS NULL WHERE NEW.reason IS NOT NULL AND NEW.gone_at IS NULL
        ON CONFLICT DO UPDATE SET files = files + excluded.files;
    UPDATE tally SET problems = problems + (NEW.ignored_by IS NULL), changes = changes + 1
        WHERE account_id = NEW.account_id AND NEW.reason IS NOT NULL AND NEW.gone_at IS NULL;
    UPDATE job SET problems = problems + (NEW.ignored_by IS NULL), latest = max(latest, NEW.since) WHERE id = NEW.job_id AND NEW.reason IS NOT NULL AND NEW.gone_at IS NULL;
END;
CREATE TRIGGER problem_group_empty AFTER UPDATE OF files, ignored ON problem_group WHEN NEW.files <= 0 AND NEW.ignored <= 0
BEGIN DELETE FROM problem_group WHERE id = NEW.id; END;
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

-- A photo shows nobody of another account or job: not of the one it came from either.
CREATE TRIGGER subject_photo_of_another BEFORE INSERT ON subject_photo
WHEN NOT EXISTS (SELECT 1 FROM subject s JOIN photo p ON p.id = NEW.photo_id WHERE s.id = NEW.subject_id AND s.removed_at IS NULL
    AND s.account_id = p.account_id AND (s.job_id IS NULL OR s.job_id = p.job_id))
BEGIN SELECT raise(ABORT, 'the subject is of another account or job than the photo'); END;
CREATE TRIGGER subject_has_photo AFTER INSERT ON subject_photo BEGIN
    UPDATE subject SET photos = photos + (SELECT withdrawn_at IS NULL FROM photo WHERE id = NEW.photo_id) WHERE id = NEW.subject_id;
END;
CREATE TRIGGER subject_lost_photo AFTER DELETE ON subject_photo BEGIN
    UPDATE subject SET photos = photos - (SELECT count(*) FROM photo WHERE id = OLD.photo_id AND withdrawn_at IS NULL) WHERE id = OLD.subject_id;
END;
-- In one trigger, because the order of two is not defined, and the second statement counts too.
CREATE TRIGGER subject_photo_changed AFTER UPDATE OF job_id, withdrawn_at ON photo
WHEN (OLD.withdrawn_at IS NULL) <> (NEW.withdrawn_at IS NULL) OR OLD.job_id IS NOT NEW.job_id BEGIN
    UPDATE subject SET photos = photos + (NEW.withdrawn_at IS NULL) - (OLD.withdrawn_at IS NULL)
        WHERE id IN (SELECT subject_id FROM subject_photo WHERE photo_id = NEW.id);
    UPDATE subject SET photos = photos + (NEW.withdrawn_at IS NULL) - (OLD.withdrawn_at IS NULL)
        WHERE account_id = NEW.account_id AND job_id IS NULL AND external_id = NEW.person;
    DELETE FROM subject_photo WHERE photo_id = NEW.id
        AND (SELECT job_id IS NOT NULL AND job_id IS NOT NEW.job_id FROM subject WHERE id = subject_photo.subject_id);
END;
CREATE TRIGGER subject_portrait_added AFTER INSERT ON photo WHEN NEW.person IS NOT NULL AND NEW.withdrawn_at IS NULL
BEGIN UPDATE subject SET photos = photos + 1 WHERE account_id = NEW.account_id AND job_id IS NULL AND external_id = NEW.person; END;
CREATE TRIGGER subject_portrait_ended AFTER DELETE ON photo WHEN OLD.person IS NOT NULL AND OLD.withdrawn_at IS NULL
BEGIN UPDATE subject SET photos = photos - 1 WHERE account_id = OLD.account_id AND job_id IS NULL AND external_id = OLD.person; END;
CREATE TRIGGER subject_added AFTER INSERT ON subject BEGIN
    UPDATE subject SET photos = (SELECT count(*) FROM photo WHERE account_id = NEW.account_id AND person = NEW.external_id AND withdrawn_at IS NULL)
        WHERE id = NEW.id AND NEW.job_id IS NULL AND NEW.external_id IS NOT NULL;
    UPDATE tally SET changes = changes + 1 WHERE account_id = NEW.account_id;
END;
CREATE TRIGGER subject_other_id AFTER UPDATE OF external_id ON subject WHEN OLD.external_id IS NOT NEW.external_id AND NEW.job_id IS NULL BEGIN
    UPDATE subject SET photos = photos
        + (SELECT count(*) FROM photo WHERE account_id = NEW.account_id AND person = NEW.external_id AND withdrawn_at IS NULL)
        - (SELECT count(*) FROM photo WHERE account_id = NEW.account_id AND person = OLD.external_id AND withdrawn_at IS NULL) WHERE id = NEW.id;
END;
CREATE TRIGGER subject_changed_told AFTER UPDATE OF changed_at ON subject
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = NEW.account_id; END;
CREATE TRIGGER roster_came AFTER INSERT ON roster
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = NEW.account_id; END;
CREATE TRIGGER roster_decided AFTER DELETE ON roster
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = OLD.account_id; END;

-- Whose an album's photos are has to be found out anew after whatever changes them. An
-- album without a card has no row, and costs nothing. Who was on a photo when its album was
-- quiet stays on it in another album too.
CREATE TRIGGER card_photo_added AFTER INSERT ON photo WHEN NEW.job_id IS NOT NULL AND NEW.withdrawn_at IS NULL BEGIN
    INSERT INTO card_album SELECT NEW.job_id, coalesce(NEW.album, ''), 1, 0, NEW.ingested_at, 0 FROM original WHERE sha256 = NEW.sha256 AND codes <> ''
        ON CONFLICT DO NOTHING;
    UPDATE card_album SET due = 1, arrived_at = max(arrived_at, NEW.ingested_at) WHERE job_id = NEW.job_id AND album = coalesce(NEW.album, '');
END;
CREATE TRIGGER card_photo_changed AFTER UPDATE OF job_id, album, area, file, sha256, withdrawn_at, card ON photo
WHEN coalesce(OLD.job_id, NEW.job_id) IS NOT NULL AND (OLD.withdrawn_at IS NULL OR NEW.withdrawn_at IS NULL)
    AND (OLD.job_id, OLD.album, OLD.area, OLD.file, OLD.sha256, OLD.withdrawn_at, OLD.card) IS NOT (NEW.job_id, NEW.album, NEW.area, NEW.file, NEW.sha256, NEW.withdrawn_at, NEW.card) BEGIN
    DELETE FROM series WHERE photo_id = NEW.id AND (NEW.withdrawn_at IS NOT NULL OR (OLD.job_id, OLD.album) IS NOT (NEW.job_id, NEW.album));
    UPDATE photo SET card = '' WHERE id = NEW.id AND card <> '' AND OLD.sha256 <> NEW.sha256;
    INSERT INTO card_album SELECT NEW.job_id, coalesce(NEW.album, ''), 1, 0, NEW.ingested_at, 0
        WHERE NEW.job_id IS NOT NULL AND NEW.withdrawn_at IS NULL AND (NEW.card <> ''
            OR EXISTS (SELECT 1 FROM original WHERE sha256 = NEW.sha256 AND codes <> '')
            OR EXISTS (SELECT 1 FROM card_album WHERE job_id = OLD.job_id AND album = coalesce(OLD.album, '')))
        ON CONFLICT DO NOTHING;
    UPDATE card_album SET sealed_at = max(sealed_at, coalesce((SELECT c.sealed_at FROM card_album c WHERE c.job_id = OLD.job_id AND c.album = coalesce(OLD.album, '')), 0))
        WHERE job_id = NEW.job_id AND album = coalesce(NEW.album, '') AND OLD.job_id = NEW.job_id AND OLD.album <> NEW.album;
    UPDATE card_album SET due = 1 WHERE job_id = OLD.job_id AND album = coalesce(OLD.album, '');
    UPDATE card_album SET due = 1, arrived_at = max(arrived_at, NEW.ingested_at) WHERE job_id = NEW.job_id AND album = coalesce(NEW.album, '');
END;
CREATE TRIGGER card_photo_ended AFTER DELETE ON photo WHEN OLD.job_id IS NOT NULL AND OLD.withdrawn_at IS NULL
BEGIN UPDATE card_album SET due = 1 WHERE job_id = OLD.job_id AND album = coalesce(OLD.album, ''); END;
CREATE TRIGGER card_codes_read AFTER UPDATE OF codes ON original WHEN NEW.codes <> '' AND OLD.codes IS NOT NEW.codes BEGIN
    INSERT INTO card_album SELECT job_id, coalesce(album, ''), 1, 0, ingested_at, 0 FROM photo
        WHERE sha256 = NEW.sha256 AND job_id IS NOT NULL AND withdrawn_at IS NULL
        ON CONFLICT DO UPDATE SET due = 1;
END;
CREATE TRIGGER card_code_given AFTER INSERT ON subject_code BEGIN
    UPDATE card_album SET due = 1 WHERE due = 0 AND refused > 0 AND job_id IN (SELECT j.id FROM subject s JOIN job j ON j.account_id = s.account_id
        WHERE s.id = NEW.subject_id AND (s.job_id IS NULL OR s.job_id = j.id));
END;
CREATE TRIGGER card_subject_changed AFTER UPDATE OF kind, removed_at ON subject WHEN (OLD.kind, OLD.removed_at) IS NOT (NEW.kind, NEW.removed_at) BEGIN
    UPDATE card_album SET due = 1 WHERE due = 0 AND job_id IN (SELECT id FROM job WHERE account_id = NEW.account_id AND (NEW.job_id IS NULL OR id = NEW.job_id));
END;
CREATE TRIGGER card_job_changed AFTER UPDATE OF card_last, refuse_unknown ON job
WHEN (OLD.card_last, OLD.refuse_unknown) IS NOT (NEW.card_last, NEW.refuse_unknown)
BEGIN UPDATE card_album SET due = 1 WHERE job_id = NEW.id; END;
CREATE TRIGGER proposal_made AFTER INSERT ON proposal
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = NEW.account_id; END;
CREATE TRIGGER proposal_changed AFTER UPDATE ON proposal
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = NEW.account_id; END;
CREATE TRIGGER proposal_ended AFTER DELETE ON proposal
BEGIN UPDATE tally SET changes = changes + 1 WHERE account_id = OLD.account_id; END;
CREATE TRIGGER series_began AFTER INSERT ON series BEGIN
    INSERT INTO series_tally VALUES (NEW.why, 1) ON CONFLICT DO UPDATE SET photos = photos + 1;
    UPDATE tally SET changes = changes + 1 WHERE account_id = (SELECT account_id FROM job WHERE id = NEW.job_id);
END;
CREATE TRIGGER series_changed AFTER UPDATE OF why ON series BEGIN
    UPDATE series_tally SET photos = photos - 1 WHERE why = OLD.why;
    INSERT INTO series_tally VALUES (NEW.why, 1) ON CONFLICT DO UPDATE SET photos = photos + 1;
    UPDATE tally SET changes = changes + 1 WHERE account_id = (SELECT account_id FROM job WHERE id = NEW.job_id);
END;
CREATE TRIGGER series_ended AFTER DELETE ON series BEGIN
    UPDATE series_tally SET photos = photos - 1 WHERE why = OLD.why;
    UPDATE tally SET changes = changes + 1 WHERE account_id = (SELECT account_id FROM job WHERE id = OLD.job_id);
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
