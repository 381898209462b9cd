-- To which address a link was sent, and which registration it opens.
ALTER TABLE tickets ADD COLUMN subject BLOB CHECK (length(subject) = 16);
ALTER TABLE tickets ADD COLUMN email TEXT;
CREATE INDEX tickets_by_subject ON tickets (subject);
