-- What somebody is shown of the marks of a member who has blocked them: the marks from before they first rose within the
-- block. A row counts while its block lasts; of each pair in a conversation there is one, of the latest block.
CREATE TABLE frozen (
    conversation BLOB    NOT NULL,
    user         BLOB    NOT NULL,           -- whose marks
    other        BLOB    NOT NULL,           -- whom they have blocked
    block        INTEGER NOT NULL,           -- relation.changed
    at_received  INTEGER NOT NULL,
    at_read      INTEGER NOT NULL,
    PRIMARY KEY (conversation, user, other)
) STRICT, WITHOUT ROWID;
