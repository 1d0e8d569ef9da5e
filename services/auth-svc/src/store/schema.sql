-- Accounts, sessions and the log of ended sessions. Ids are 16 bytes, times milliseconds since 1970.

CREATE TABLE account (
    user_id            BLOB    NOT NULL PRIMARY KEY,
    username           TEXT    NOT NULL UNIQUE,
    -- The display name as it is compared: see profiles::fold.
    display_folded     TEXT    NOT NULL,
    display_name       TEXT    NOT NULL,
    bio                TEXT    NOT NULL,
    profile_version    INTEGER NOT NULL,
    -- A person has a password (a PHC string), a service account the SHA-256 of a secret.
    password_hash      TEXT,
    secret_sha256      BLOB,
    internal           INTEGER NOT NULL DEFAULT 0,
    credential_version INTEGER NOT NULL,
    registered_with    BLOB,
    created_at         INTEGER NOT NULL,
    CHECK ((password_hash IS NULL) <> (secret_sha256 IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX account_by_display_name ON account (display_folded, username);

CREATE TABLE session (
    session_id       BLOB    NOT NULL PRIMARY KEY,
    user_id          BLOB    NOT NULL REFERENCES account (user_id),
    device_id        BLOB    NOT NULL,
    device_name      TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    authenticated_at INTEGER NOT NULL,
    refreshed_at     INTEGER NOT NULL,
    -- Refresh tokens: see sessions::RefreshState.
    generation       INTEGER NOT NULL,
    login_generation INTEGER NOT NULL,
    last_op          BLOB,
    secret           BLOB    NOT NULL,
    ended_at         INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_user ON session (user_id, device_id);
-- One open session per device.
CREATE UNIQUE INDEX session_open ON session (user_id, device_id) WHERE ended_at IS NULL;
CREATE INDEX session_by_refresh ON session (refreshed_at) WHERE ended_at IS NULL;
CREATE INDEX session_by_authentication ON session (authenticated_at) WHERE ended_at IS NULL;
CREATE INDEX session_by_end ON session (ended_at) WHERE ended_at IS NOT NULL;

-- AUTOINCREMENT: a number is not used again when the newest rows have been pruned.
CREATE TABLE revocation (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id BLOB    NOT NULL,
    user_id    BLOB    NOT NULL,
    revoked_at INTEGER NOT NULL
) STRICT;

CREATE INDEX revocation_by_time ON revocation (revoked_at);
