-- Files from the beginning of their upload on, where they are used, and what each person has. Ids are 16 bytes, times
-- milliseconds since 1970.

CREATE TABLE media (
    id              BLOB    NOT NULL PRIMARY KEY,
    owner           BLOB    NOT NULL,
    op              BLOB    NOT NULL,
    -- What was said of it.
    name            TEXT    NOT NULL,
    claimed_type    TEXT    NOT NULL,
    declared_size   INTEGER NOT NULL,
    declared_sha256 BLOB    NOT NULL,
    -- 1 image, 2 file, 3 voice, 4 video, 5 avatar.
    purpose         INTEGER NOT NULL CHECK (purpose BETWEEN 1 AND 5),
    created         INTEGER NOT NULL,
    -- 0 uploading, 1 finished and to be looked at by the scanner, 2 finished, 3 refused.
    stage           INTEGER NOT NULL CHECK (stage BETWEEN 0 AND 3),
    -- While it is uploaded: a bit for each part that is on disk; when it is forgotten.
    parts           BLOB,
    expires         INTEGER,
    -- Once it is finished.
    media_type      TEXT,
    size            INTEGER,
    sha256          BLOB,
    -- 0 none, 1 image, 2 audio, 3 video; and what there is to show: the thumbhash or the waveform.
    preview         INTEGER NOT NULL DEFAULT 0,
    width           INTEGER,
    height          INTEGER,
    duration        INTEGER,
    likeness        BLOB,
    animated        INTEGER NOT NULL DEFAULT 0,
    -- From when on it may be collected if nobody uses it; and the round that is about to, until a claim takes that back.
    due             INTEGER,
    condemned       INTEGER,
    was_avatar      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX media_by_op ON media (owner, op);
CREATE INDEX media_by_expiry ON media (expires) WHERE expires IS NOT NULL;
CREATE INDEX media_by_due ON media (due) WHERE due IS NOT NULL;
CREATE INDEX media_unchecked ON media (id) WHERE stage = 1;

CREATE TABLE thumbnail (
    media      BLOB    NOT NULL,
    -- 2 small, 3 large.
    variant    INTEGER NOT NULL CHECK (variant BETWEEN 2 AND 3),
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    sha256     BLOB    NOT NULL,
    media_type TEXT    NOT NULL,
    PRIMARY KEY (media, variant)
) STRICT, WITHOUT ROWID;

-- Who is about to use a file, and until when it is kept for that.
CREATE TABLE claim (
    media BLOB    NOT NULL,
    -- A conversation and an op, or a user.
    place BLOB    NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (media, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX claim_by_end ON claim (until);

-- What somebody keeps.
CREATE TABLE account (
    owner        BLOB    NOT NULL PRIMARY KEY,
    stored_bytes INTEGER NOT NULL,
    unfinished   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What somebody has begun to upload, by the hour since 1970.
CREATE TABLE begun (
    owner   BLOB    NOT NULL,
    hour    INTEGER NOT NULL,
    uploads INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    PRIMARY KEY (owner, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX begun_by_hour ON begun (hour);

-- What this server signs with.
CREATE TABLE secret (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
