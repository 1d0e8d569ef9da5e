-- How members want to have their conversations; who has no row has the defaults. Times are null for none.
CREATE TABLE preference (
    conversation   BLOB    NOT NULL,
    user           BLOB    NOT NULL,
    muted_until    INTEGER,
    pinned_at      INTEGER,
    archived       INTEGER NOT NULL,
    hidden         INTEGER NOT NULL,
    marked_unread  INTEGER NOT NULL,
    draft          TEXT    NOT NULL,
    draft_reply_to INTEGER NOT NULL,
    custom_name    TEXT    NOT NULL,
    returns_from   INTEGER,                  -- a message from then on changes the row; null: none does, as to one who has left
    PRIMARY KEY (conversation, user)
) STRICT, WITHOUT ROWID;

-- Those whom a message brings the conversation back to.
CREATE INDEX preference_returns ON preference (conversation, returns_from) WHERE returns_from IS NOT NULL;

-- For counting.
CREATE INDEX preference_pinned ON preference (user) WHERE pinned_at IS NOT NULL;

-- Messages that mention somebody who has not read them; reading deletes them.
CREATE TABLE mention (
    conversation BLOB    NOT NULL,
    user         BLOB    NOT NULL,
    seq          INTEGER NOT NULL,
    PRIMARY KEY (conversation, user, seq)
) STRICT, WITHOUT ROWID;
