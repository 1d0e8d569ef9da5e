-- The e-mail addresses of users. Who never gave any has no row.

CREATE TABLE email (
    user_id          BLOB    NOT NULL PRIMARY KEY REFERENCES account (user_id),
    -- The proved address as it was typed and as it is compared: see emails::EmailAddress.
    address          TEXT,
    compared         TEXT UNIQUE,
    -- Keyed hash of the code that proved it, until another is asked for.
    proof            BLOB,
    discoverable     INTEGER NOT NULL,
    -- The address that waits for its code, with the code's keyed hash.
    waiting          TEXT,
    waiting_compared TEXT,
    code             BLOB,
    code_expires_at  INTEGER,
    wrong_codes      INTEGER,
    CHECK ((address IS NULL) = (compared IS NULL) AND (address IS NOT NULL OR proof IS NULL)),
    CHECK ((waiting IS NULL) = (code IS NULL) AND (waiting IS NULL) = (waiting_compared IS NULL)
           AND (waiting IS NULL) = (code_expires_at IS NULL) AND (waiting IS NULL) = (wrong_codes IS NULL))
) STRICT, WITHOUT ROWID;

-- Only those who may be found are in it, so looking for one who may not takes no longer than for nobody.
CREATE INDEX email_findable ON email (compared) WHERE discoverable = 1;
CREATE INDEX email_by_expiry ON email (code_expires_at) WHERE code_expires_at IS NOT NULL;
