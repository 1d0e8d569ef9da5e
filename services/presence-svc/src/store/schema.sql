-- What is kept of people: what they have chosen to show, and when they were seen. Ids are 16 bytes.

CREATE TABLE person (
    user_id    BLOB    NOT NULL PRIMARY KEY,
    -- 0 as they are, 1 away, 2 not to be disturbed, 3 invisible.
    appearance INTEGER NOT NULL DEFAULT 0 CHECK (appearance BETWEEN 0 AND 3),
    text       TEXT    NOT NULL DEFAULT '',
    -- Milliseconds since 1970.
    until      INTEGER,
    -- Minutes since 1970: nothing finer is kept.
    last_seen  INTEGER
) STRICT, WITHOUT ROWID;
