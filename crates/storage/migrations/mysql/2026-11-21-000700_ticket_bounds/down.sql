ALTER TABLE `tickets`
    DROP INDEX IF EXISTS `tickets_by_subject`,
    DROP COLUMN IF EXISTS `email`,
    DROP COLUMN IF EXISTS `subject`;
