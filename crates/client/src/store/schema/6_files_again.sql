-- The files of a message are all there, and it is in the outbox. It stays here until the server has it: should the server
-- forget the files before, they are uploaded again.
ALTER TABLE parcel ADD COLUMN dispatched INTEGER NOT NULL DEFAULT 0;
-- How often they were.
ALTER TABLE parcel ADD COLUMN again INTEGER NOT NULL DEFAULT 0;
