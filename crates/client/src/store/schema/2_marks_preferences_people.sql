-- What an entry counts for while it is unread: 0 nothing, 1 a message, 2 one that calls this user by name.
ALTER TABLE entry ADD COLUMN weight INTEGER NOT NULL DEFAULT 0;
-- The server's read mark of this user, as far as it is known.
ALTER TABLE conversation ADD COLUMN read INTEGER NOT NULL DEFAULT 0;

-- How far others are.
CREATE TABLE mark (
    conversation_id BLOB NOT NULL,
    user_id         BLOB NOT NULL,
    -- A parlor.chat.v1.Marks.
    marks           BLOB NOT NULL,
    PRIMARY KEY (conversation_id, user_id)
) STRICT, WITHOUT ROWID;

-- Changes of preferences that the server has not answered, one set for each conversation.
CREATE TABLE wish (
    conversation_id BLOB PRIMARY KEY,
    -- A parlor.chat.v1.PreferenceChanges.
    changes         BLOB NOT NULL
) STRICT;

-- Contacts, requests and blocks.
CREATE TABLE person (
    user_id BLOB PRIMARY KEY,
    -- A parlor.chat.v1.Person.
    person  BLOB NOT NULL
) STRICT;

-- A parlor.chat.v1.Privacy; none until it was seen.
ALTER TABLE sync ADD COLUMN privacy BLOB;

-- Rows, people and settings come anew. What is held stays: `carry_over.rs` weighs it.
UPDATE sync SET cursor = x'';
