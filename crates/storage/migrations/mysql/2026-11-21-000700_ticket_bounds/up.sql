-- To which address a link was sent, and which registration it opens.
-- As one statement, which happens as a whole; MySQL, unlike MariaDB, does not know
-- `ADD COLUMN IF NOT EXISTS`.
SET @change = IF(
    (SELECT COUNT(*) FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'tickets' AND column_name = 'subject') = 0,
    'ALTER TABLE `tickets`
    ADD COLUMN `subject` BINARY(16),
    ADD COLUMN `email` VARCHAR(254),
    ADD INDEX `tickets_by_subject` (`subject`)',
    'DO 0');
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;
