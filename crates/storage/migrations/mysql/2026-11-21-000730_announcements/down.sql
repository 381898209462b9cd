ALTER TABLE `outbox`
    DROP INDEX IF EXISTS `outbox_by_announcement_id_state`,
    DROP COLUMN IF EXISTS `announcement_id`;
DROP TABLE IF EXISTS `announcement_batches`;
DROP TABLE IF EXISTS `announcements`;
