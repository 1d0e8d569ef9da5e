-- Messages that wait for their files, in this order.
CREATE TABLE parcel (
    position        INTEGER PRIMARY KEY AUTOINCREMENT,
    op              BLOB NOT NULL UNIQUE,
    conversation_id BLOB NOT NULL,
    base_seq        INTEGER NOT NULL,
    -- A parlor.chat.v1.Append, in which files have no ids.
    append          BLOB NOT NULL,
    -- It will never be sent: 1 the file is another now, 2 it cannot be read, 3 the server refused it.
    failed          INTEGER,
    failed_path     TEXT,
    -- A parlor.errors.v1.Problem.
    failed_problem  BLOB
) STRICT;

-- Files on their way up.
CREATE TABLE upload (
    op         BLOB PRIMARY KEY,
    -- The message that waits for it, and which of its files it is; none if it was asked for by itself.
    parcel     BLOB,
    place      INTEGER NOT NULL,
    path       TEXT NOT NULL,
    name       TEXT NOT NULL,
    size       INTEGER NOT NULL,
    -- Unix nanoseconds.
    modified   INTEGER NOT NULL,
    sha256     BLOB NOT NULL,
    media_type TEXT NOT NULL,
    -- A parlor.media.v1.Purpose.
    purpose    INTEGER NOT NULL,
    -- None until the server has answered.
    media_id   BLOB,
    -- Unix seconds.
    begun_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX upload_of_parcel ON upload (parcel, place);

-- Files on their way down: what the bytes in `path` are the beginning of.
CREATE TABLE download (
    path     TEXT PRIMARY KEY,
    size     INTEGER NOT NULL,
    sha256   BLOB NOT NULL,
    -- Unix seconds.
    begun_at INTEGER NOT NULL
) STRICT;
