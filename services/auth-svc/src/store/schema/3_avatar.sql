-- The picture of a user, as media-svc described it (parlor.media.v1.Media), and which file it is.
ALTER TABLE account ADD COLUMN avatar BLOB;
ALTER TABLE account ADD COLUMN avatar_id BLOB;

CREATE INDEX account_by_avatar ON account (avatar_id) WHERE avatar_id IS NOT NULL;
