-- To which address a link was sent, and which registration it opens.
ALTER TABLE tickets ADD COLUMN subject BYTEA CHECK (octet_length(subject) = 16);
ALTER TABLE tickets ADD COLUMN email TEXT COLLATE "C";
CREATE INDEX tickets_by_subject ON tickets (subject);
