-- What a user has made of another: one row per direction. Rows stay, so that every device learns of what has ended.
CREATE TABLE relation (
    user       BLOB    NOT NULL,
    other      BLOB    NOT NULL,
    relation   INTEGER NOT NULL,
    note       TEXT    NOT NULL,             -- of an open request
    blocked    INTEGER NOT NULL,             -- user has blocked other
    changed_at INTEGER NOT NULL,             -- time
    changed    INTEGER NOT NULL,             -- commit
    PRIMARY KEY (user, other)
) STRICT, WITHOUT ROWID;

CREATE INDEX relation_changed ON relation (user, changed, other);

-- For counting.
CREATE INDEX relation_relation ON relation (user, relation);

-- Whom somebody has blocked; and by whom somebody is.
CREATE INDEX relation_blocked ON relation (user) WHERE blocked = 1;
CREATE INDEX relation_blocking ON relation (other, user) WHERE blocked = 1;

-- Settings that somebody has changed; who has no row has the defaults.
CREATE TABLE privacy (
    user          BLOB PRIMARY KEY,
    read_receipts INTEGER NOT NULL,
    online        INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL,
    direct        INTEGER NOT NULL,
    groups        INTEGER NOT NULL,
    changed       INTEGER NOT NULL           -- commit
) STRICT, WITHOUT ROWID;
