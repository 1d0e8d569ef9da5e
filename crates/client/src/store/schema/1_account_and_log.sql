-- One account on one installation. Ids are their 16 bytes; messages are kept as they came over the wire.

-- The one account, and what it takes to speak for it.
CREATE TABLE account (
    only_one      INTEGER PRIMARY KEY CHECK (only_one = 1),
    device_id     BLOB NOT NULL,
    server        TEXT,
    username      TEXT,
    user_id       BLOB,
    session_id    BLOB,
    access_token  TEXT,
    -- Unix milliseconds, by the clock of this machine.
    access_until  INTEGER,
    refresh_token TEXT,
    -- Made and saved before the token is traded; the same two again until an answer is saved.
    refresh_op    BLOB
) STRICT;

-- Where the sync stands.
CREATE TABLE sync (
    only_one   INTEGER PRIMARY KEY CHECK (only_one = 1),
    generation TEXT,
    cursor     BLOB NOT NULL
) STRICT;

CREATE TABLE conversation (
    id          BLOB PRIMARY KEY,
    -- A parlor.chat.v1.Conversation; none until it was seen.
    row         BLOB,
    -- The highest seq heard of.
    head        INTEGER NOT NULL DEFAULT 0,
    -- The range held; none if nothing was ever synced.
    low         INTEGER,
    have        INTEGER,
    -- The read mark asked for, which the server may not have heard of.
    read_wanted INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE entry (
    conversation_id BLOB NOT NULL,
    seq             INTEGER NOT NULL,
    rev             INTEGER NOT NULL,
    -- A parlor.chat.v1.Entry.
    entry           BLOB NOT NULL,
    PRIMARY KEY (conversation_id, seq)
) STRICT, WITHOUT ROWID;

-- What is to be sent, in this order.
CREATE TABLE outbox (
    position        INTEGER PRIMARY KEY AUTOINCREMENT,
    op              BLOB NOT NULL UNIQUE,
    conversation_id BLOB NOT NULL,
    base_seq        INTEGER NOT NULL,
    -- A parlor.chat.v1.Append.
    append          BLOB NOT NULL
) STRICT;
CREATE INDEX outbox_of_conversation ON outbox (conversation_id, position);

-- People, as last heard.
CREATE TABLE profile (
    user_id  BLOB PRIMARY KEY,
    username TEXT NOT NULL,
    -- A parlor.auth.v1.Profile.
    profile  BLOB NOT NULL,
    -- Unix seconds.
    asked_at INTEGER NOT NULL
) STRICT;
