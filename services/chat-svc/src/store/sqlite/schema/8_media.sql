-- Which entries name a file; written with the entry.
CREATE TABLE media_ref (
    media        BLOB    NOT NULL,
    conversation BLOB    NOT NULL,
    seq          INTEGER NOT NULL,
    PRIMARY KEY (media, conversation, seq)
) STRICT, WITHOUT ROWID;

-- The entry that gave the group its picture; 0 for none. And the same as it was when a membership ended.
ALTER TABLE conversation ADD COLUMN avatar INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN last_avatar INTEGER NOT NULL DEFAULT 0;
