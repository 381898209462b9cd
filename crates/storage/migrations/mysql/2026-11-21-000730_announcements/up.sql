-- What administrators tell many people at once. Whom it still has to be posted to stands in
-- batches, settled when it was sent; a mail in the outbox knows which announcement it is of.
CREATE TABLE IF NOT EXISTS `announcements` (
    `id` BINARY(16) NOT NULL,
    `subject` MEDIUMTEXT NOT NULL,
    `text` MEDIUMTEXT NOT NULL,
    `audience` MEDIUMTEXT NOT NULL,
    `include_inactive` BOOLEAN NOT NULL,
    `author_id` BINARY(16),
    `author` MEDIUMTEXT NOT NULL,
    `created_at` BIGINT NOT NULL,
    `cancelled_at` BIGINT,
    `unposted` BIGINT NOT NULL,
    `without_address` BIGINT NOT NULL,
    `left_out` BIGINT NOT NULL,
    `sent` BIGINT NOT NULL,
    `failed` BIGINT NOT NULL,
    `cancelled` BIGINT NOT NULL,
    PRIMARY KEY (`id`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS `announcement_batches` (
    `announcement_id` BINARY(16) NOT NULL,
    `number` INT NOT NULL,
    `people` MEDIUMBLOB NOT NULL,
    PRIMARY KEY (`announcement_id`, `number`),
    CONSTRAINT `announcement_batches_announcement_id` FOREIGN KEY (`announcement_id`) REFERENCES `announcements` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
-- As one statement, which happens as a whole; MySQL, unlike MariaDB, does not know
-- `ADD COLUMN IF NOT EXISTS`.
SET @change = IF(
    (SELECT COUNT(*) FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'outbox' AND column_name = 'announcement_id') = 0,
    'ALTER TABLE `outbox`
    ADD COLUMN `announcement_id` BINARY(16),
    ADD INDEX `outbox_by_announcement_id_state` (`announcement_id`, `state`)',
    'DO 0');
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;
