-- Messages whose content is kept from a member, who had blocked the sender when they came. Rows are only ever inserted.
CREATE TABLE withheld (
    conversation BLOB    NOT NULL,
    user         BLOB    NOT NULL,           -- from whom
    seq          INTEGER NOT NULL,
    sender       BLOB    NOT NULL,
    block        INTEGER NOT NULL,           -- the block: relation.changed, which stays as it is while a block lasts
    ordinal      INTEGER NOT NULL,           -- counts those of this user in this conversation, from 1
    shown        INTEGER NOT NULL,           -- the last entry below it that is not withheld
    PRIMARY KEY (conversation, user, seq)
) STRICT, WITHOUT ROWID;

-- The first message of a sender within a block.
CREATE INDEX withheld_block ON withheld (conversation, user, sender, block, seq);
