-- The edits of a message, for counting them and for clearing them with it.
CREATE INDEX entry_target ON entry (conversation, target, seq) WHERE target > 0;
