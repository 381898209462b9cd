DROP INDEX tickets_by_subject;
ALTER TABLE tickets DROP COLUMN email;
ALTER TABLE tickets DROP COLUMN subject;
