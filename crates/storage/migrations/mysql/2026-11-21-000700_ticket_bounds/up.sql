-- To which address a link was sent, and which registration it opens.
ALTER TABLE `tickets`
    ADD COLUMN IF NOT EXISTS `subject` BINARY(16),
    ADD COLUMN IF NOT EXISTS `email` VARCHAR(254),
    ADD INDEX IF NOT EXISTS `tickets_by_subject` (`subject`);
