-- Marks with their times, and what the other members are shown of them. A time that is not known is null.
ALTER TABLE member ADD COLUMN received_at INTEGER;
ALTER TABLE member ADD COLUMN read_at INTEGER;
ALTER TABLE member ADD COLUMN shown_received INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN shown_received_at INTEGER;
ALTER TABLE member ADD COLUMN shown_read INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN shown_read_at INTEGER;
ALTER TABLE member ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;    -- commit at which what is shown last rose
ALTER TABLE member ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;   -- commit that ended the membership
UPDATE member SET shown_received = received, shown_read = read, closed = changed;

ALTER TABLE conversation ADD COLUMN members INTEGER NOT NULL DEFAULT 0;  -- how many are present
ALTER TABLE conversation ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;    -- the highest `shown` of a member
UPDATE conversation
SET members = (SELECT count(*) FROM member WHERE member.conversation = conversation.id AND member.present = 1);
