-- chat-svc on SQLite. Times are milliseconds since 1970, ids 16 bytes, commits the numbers of the engine.

CREATE TABLE store (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    generation BLOB NOT NULL             -- 16 random bytes
) STRICT;

INSERT INTO store (one, generation) VALUES (1, randomblob(16));

-- One row per conversation: its state at the head, materialised from its log.
CREATE TABLE conversation (
    id                 BLOB PRIMARY KEY,
    kind               INTEGER NOT NULL,
    name               TEXT    NOT NULL,
    history_visibility INTEGER NOT NULL,
    created            INTEGER NOT NULL,
    head               INTEGER NOT NULL,
    number             INTEGER NOT NULL,
    time               INTEGER NOT NULL,
    activity           INTEGER NOT NULL  -- commit of the last entry
) STRICT, WITHOUT ROWID;

-- The log. Rows are only ever inserted, at head + 1; target, rev and body are what edits and deletes will change.
CREATE TABLE entry (
    conversation BLOB    NOT NULL,
    seq          INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    sender       BLOB    NOT NULL,
    op           BLOB    NOT NULL,
    digest       BLOB    NOT NULL,
    time         INTEGER NOT NULL,
    message      INTEGER NOT NULL,           -- 1 if it counts as unread
    target       INTEGER NOT NULL DEFAULT 0,
    rev          INTEGER NOT NULL DEFAULT 0,
    body         BLOB    NOT NULL,           -- parlor.chat.v1.Entry with the fields that have no column
    PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;

-- Everybody who is or was a member. Rows are never deleted.
CREATE TABLE member (
    conversation BLOB    NOT NULL,
    user         BLOB    NOT NULL,
    present      INTEGER NOT NULL,
    role         INTEGER NOT NULL,
    joined       INTEGER NOT NULL,
    received     INTEGER NOT NULL,
    read         INTEGER NOT NULL,
    read_number  INTEGER NOT NULL,           -- message number at `read`
    changed      INTEGER NOT NULL,           -- commit at which their row changed otherwise than by an entry
    last_name    TEXT,                       -- name of the conversation when they ceased to be a member
    last_history INTEGER,                    -- its history_visibility then
    PRIMARY KEY (conversation, user)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_user ON member (user, conversation);

-- What they may read; to_seq is null while the membership lasts.
CREATE TABLE readable (
    conversation BLOB    NOT NULL,
    user         BLOB    NOT NULL,
    from_seq     INTEGER NOT NULL,
    joined       INTEGER NOT NULL,           -- tells memberships apart that begin to read at the same seq
    to_seq       INTEGER,
    PRIMARY KEY (conversation, user, joined)
) STRICT, WITHOUT ROWID;
