-- Seq of the entry that this one changes, 0 for none.
ALTER TABLE entry ADD COLUMN target INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entry_target ON entry (conversation_id, target, seq) WHERE target > 0;
